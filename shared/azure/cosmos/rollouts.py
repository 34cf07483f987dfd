"""Container `rollouts`: a rollout and its targets in one partition, and the list of those that can still change in another."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from shared.azure.cosmos.database import Database, Json
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.crowd import Scope
from shared.domain.errors import Conflict, Malformed
from shared.domain.rollouts import Glance, Rollout, Target
from shared.domain.turns import Turn
from shared.ports import Sealer

_ROLLOUT_ITEM = "rollout"
_ACTIVE = "active"
_END_OF_TIME = "9999"  #: later than every time, as text

#: How much one transaction may hold, and one query name.
_TOGETHER = 90
#: What may be known of a target without opening it. Of its cluster only how it is connected, in Azure's word.
_AT_A_GLANCE = tuple(info.encode_name for info in msgspec.structs.fields(Glance))

_SHOWN = ", ".join(f'c["{name}"]' for name in _AT_A_GLANCE)

ROLLOUT: Document[Rollout] = Document(
    struct=Rollout,
    kind="rollout",
    version=1,
    container="rollouts",
    place=lambda rollout: (rollout.id, _ROLLOUT_ITEM),
    clear=frozenset({"source", "revision", "changeId", "sequence", "state", "current", "createdAt", "updatedAt", "wakeAt", "announced"}),
)
TARGET: Document[Target] = Document(
    struct=Target,
    kind="target",
    version=1,
    container="rollouts",
    place=lambda target: (target.rollout_id, target.id),
    clear=frozenset({*_AT_A_GLANCE, "rolloutId", "slot", "appliedAt", "acceptedAt", "failingSince", "missingSince"}),
    scope=lambda target: target.subscription,
)


@dataclass(frozen=True)
class CosmosRollouts:
    """Implements ports.Rollouts."""

    database: Database
    sealer: Sealer

    async def create(self, rollout: Rollout) -> bool:
        return await _created(self._rollouts.save(rollout, ""))

    async def create_targets(self, targets: Sequence[Target]) -> bool:
        created = [await self._create_some(targets[start : start + _TOGETHER]) for start in range(0, len(targets), _TOGETHER)]
        return all(created)

    async def _create_some(self, targets: Sequence[Target]) -> bool:
        try:
            await self._targets.save_together([(target, "") for target in targets])
        except Conflict:
            # An attempt that died left some of them.
            return all([await _created(self._targets.save(target, "")) for target in targets])
        return True

    async def get(self, rollout_id: str) -> tuple[Rollout, str] | None:
        return await self._rollouts.get(rollout_id, _ROLLOUT_ITEM)

    async def save(self, rollout: Rollout, etag: str) -> str:
        return await self._rollouts.save(rollout, etag)

    async def target(self, rollout_id: str, target_id: str) -> tuple[Target, str] | None:
        return await self._targets.get(rollout_id, target_id)

    async def save_target(self, target: Target, etag: str) -> str:
        return await self._targets.save(target, etag)

    async def glances(self, rollout_id: str, scope: Scope) -> list[Glance]:
        """Clear fields only: nothing is opened, and a row is a tenth of its document."""
        covered = "c.stage = @stage OR (c.stage < @stage AND ARRAY_CONTAINS(@states, c.state))"
        text = f"SELECT {_SHOWN} FROM c WHERE c.rolloutId = @rollout AND c.type = 'target' AND ({covered})"  # noqa: S608 -- our own fields' names
        parameters = {"@rollout": rollout_id, "@stage": scope.stage, "@states": sorted(scope.states)}
        found = self.database.query("rollouts", text, parameters, partition=rollout_id)
        return [_glance(rollout_id, document) async for document in found]

    async def open(self, rollout_id: str, target_ids: Sequence[str]) -> list[tuple[Target, str]]:
        text = "SELECT * FROM c WHERE c.rolloutId = @rollout AND ARRAY_CONTAINS(@ids, c.id)"
        opened: list[tuple[Target, str]] = []
        for start in range(0, len(target_ids), _TOGETHER):
            parameters = {"@rollout": rollout_id, "@ids": list(target_ids[start : start + _TOGETHER])}
            found = self.database.query("rollouts", text, parameters, partition=rollout_id)
            opened += [(await self._targets.decode(document), str(document["_etag"])) async for document in found]
        return opened

    async def commit(self, rollout: Rollout, etag: str, targets: Sequence[tuple[Target, str]]) -> str:
        documents = [(await self._rollouts.encode(rollout), etag)]
        documents += [(await self._targets.encode(target), target_etag) for target, target_etag in targets]
        return (await self.database.save_together("rollouts", rollout.id, documents))[0]

    async def save_targets(self, targets: Sequence[tuple[Target, str]]) -> list[Target]:
        late = []
        for start in range(0, len(targets), _TOGETHER):
            late += await self._save_some(targets[start : start + _TOGETHER])
        return late

    async def _save_some(self, targets: Sequence[tuple[Target, str]]) -> list[Target]:
        """All at once; where someone else changed one of them, each by itself."""
        try:
            await self._targets.save_together(targets)
        except Conflict:
            return [target for target, etag in targets if not await _created(self._targets.save(target, etag))]
        return []

    async def targets(self, rollout_id: str, *, stage: int | None = None, states: Sequence[str] = ()) -> list[Target]:
        where, parameters = _matching(rollout_id, stage, states)
        found = self.database.query("rollouts", f"SELECT * {where}", parameters, partition=rollout_id)
        return [await self._targets.decode(document) async for document in found]

    async def some_targets(
        self, rollout_id: str, *, stage: int | None = None, states: Sequence[str] = (), after: int = -1, limit: int
    ) -> list[Target]:
        where, parameters = _matching(rollout_id, stage, states)
        text = f'SELECT TOP {int(limit)} * {where} AND c["order"] > @after ORDER BY c["order"]'
        found = self.database.query("rollouts", text, {**parameters, "@after": after}, partition=rollout_id)
        return [await self._targets.decode(document) async for document in found]

    async def mark_active(self, rollout_id: str) -> None:
        await _created(self.database.save("rollouts", _entry(rollout_id, Turn(since=datetime.now(UTC))), ""))

    async def unmark_active(self, rollout_id: str) -> None:
        await self.database.delete("rollouts", rollout_id, _ACTIVE)

    async def turn(self, rollout_id: str) -> tuple[Turn, str] | None:
        """Kept with the list's entry, so that taking turns never stands in the way of a step's transaction."""
        entry = await self.database.read("rollouts", rollout_id, _ACTIVE)
        if entry is None:
            return None
        try:
            return msgspec.convert(entry, Turn), str(entry["_etag"])
        except msgspec.ValidationError as error:
            raise Malformed(f"entry of rollout {rollout_id} on the list: {error}") from None

    async def save_turn(self, rollout_id: str, turn: Turn, etag: str) -> None:
        await self.database.replace("rollouts", _entry(rollout_id, turn), etag)

    async def active(self) -> list[tuple[str, datetime]]:
        text = "SELECT * FROM c WHERE c.rolloutId = @active"
        found = self.database.query("rollouts", text, {"@active": _ACTIVE}, partition=_ACTIVE)
        return [(document["id"], datetime.fromisoformat(document["since"])) async for document in found]

    async def recent(self, limit: int, continuation: str | None) -> tuple[list[Rollout], str | None]:
        """The continuation is the last one's time of creation and the rollouts of that very time that were given: those of one
        change share it, and a token of Cosmos DB's does not work with an order across partitions.
        """
        before, *given = (continuation or _END_OF_TIME).split(",")
        older = "(c.createdAt < @before OR (c.createdAt = @before AND NOT ARRAY_CONTAINS(@given, c.rolloutId)))"
        newest = f"FROM c WHERE c.type = 'rollout' AND {older} ORDER BY c.createdAt DESC"
        text = f"SELECT TOP {int(limit)} * {newest}"
        documents = [document async for document in self.database.query("rollouts", text, {"@before": before, "@given": given})]
        more = _continuation(documents, before, given) if len(documents) == limit else None
        return [await self._rollouts.decode(document) for document in documents], more

    @property
    def _rollouts(self) -> Shelf[Rollout]:
        return Shelf(self.database, self.sealer, ROLLOUT)

    @property
    def _targets(self) -> Shelf[Target]:
        return Shelf(self.database, self.sealer, TARGET)


def _entry(rollout_id: str, turn: Turn) -> Json:
    return {"id": rollout_id, "rolloutId": _ACTIVE, "type": "active", "ttl": -1, **msgspec.to_builtins(turn)}


def _glance(rollout_id: str, document: Json) -> Glance:
    try:
        return msgspec.convert(document, Glance)
    except msgspec.ValidationError as error:
        raise Malformed(f"target {document.get('id')} of rollout {rollout_id}: {error}") from None


def _matching(rollout_id: str, stage: int | None, states: Sequence[str]) -> tuple[str, Json]:
    """From where, with its parameters: a rollout's targets of one stage or of all, in some states or in any."""
    text = "FROM c WHERE c.rolloutId = @rollout AND c.type = 'target'"
    parameters: Json = {"@rollout": rollout_id}
    if stage is not None:
        text, parameters = f"{text} AND c.stage = @stage", {**parameters, "@stage": stage}
    if states:
        text, parameters = f"{text} AND ARRAY_CONTAINS(@states, c.state)", {**parameters, "@states": list(states)}
    return text, parameters


def _continuation(documents: Sequence[Json], before: str, given: Sequence[str]) -> str:
    last = documents[-1]["createdAt"]
    same = [document["rolloutId"] for document in documents if document["createdAt"] == last]
    return ",".join([last, *(given if last == before else ()), *same])


async def _created(saving: Awaitable[str]) -> bool:
    try:
        await saving
    except Conflict:
        return False
    return True
