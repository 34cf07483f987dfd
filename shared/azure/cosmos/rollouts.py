"""Container `rollouts`: a rollout and its targets in one partition, and the list of those that can still change in another."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.azure.cosmos.database import Database, Json
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.advance import needs
from shared.domain.errors import Conflict
from shared.domain.rollouts import OPEN, Rollout, Target
from shared.ports import Sealer

_ROLLOUT_ITEM = "rollout"
_ACTIVE = "active"
_END_OF_TIME = "9999"  #: later than every time, as text

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
    clear=frozenset(
        {"id", "rolloutId", "stage", "order", "subscription", "state", "dispatch", "slot", "appliedAt", "acceptedAt", "failingSince"}
    ),
    scope=lambda target: target.subscription,
)


@dataclass(frozen=True)
class CosmosRollouts:
    """Implements ports.Rollouts."""

    database: Database
    sealer: Sealer

    async def create(self, rollout: Rollout) -> bool:
        return await _created(self._rollouts.save(rollout, ""))

    async def create_target(self, target: Target) -> bool:
        return await _created(self._targets.save(target, ""))

    async def get(self, rollout_id: str) -> tuple[Rollout, str] | None:
        return await self._rollouts.get(rollout_id, _ROLLOUT_ITEM)

    async def save(self, rollout: Rollout, etag: str) -> str:
        return await self._rollouts.save(rollout, etag)

    async def target(self, rollout_id: str, target_id: str) -> tuple[Target, str] | None:
        return await self._targets.get(rollout_id, target_id)

    async def save_target(self, target: Target, etag: str) -> str:
        return await self._targets.save(target, etag)

    async def targets_to_advance(self, rollout: Rollout) -> list[tuple[Target, str]]:
        """The states of a finished or closing stage are in the index, so only documents that are needed are read and opened."""
        text = "SELECT * FROM c WHERE c.rolloutId = @rollout AND c.type = 'target' AND (c.stage = @stage OR ARRAY_CONTAINS(@open, c.state))"
        parameters = {"@rollout": rollout.id, "@stage": rollout.current, "@open": sorted(OPEN)}
        return [
            (await self._targets.decode(document), str(document["_etag"]))
            async for document in self.database.query("rollouts", text, parameters, partition=rollout.id)
            if _is_needed(rollout, document)
        ]

    async def targets(self, rollout_id: str, *, stage: int | None = None, states: Sequence[str] = ()) -> list[Target]:
        text = "SELECT * FROM c WHERE c.rolloutId = @rollout AND c.type = 'target'"
        parameters: Json = {"@rollout": rollout_id}
        if stage is not None:
            text, parameters = f"{text} AND c.stage = @stage", {**parameters, "@stage": stage}
        if states:
            text, parameters = f"{text} AND ARRAY_CONTAINS(@states, c.state)", {**parameters, "@states": list(states)}
        found = self.database.query("rollouts", text, parameters, partition=rollout_id)
        return [await self._targets.decode(document) async for document in found]

    async def mark_active(self, rollout_id: str) -> None:
        entry = {"id": rollout_id, "rolloutId": _ACTIVE, "type": "active", "since": datetime.now(UTC).isoformat(), "ttl": -1}
        await _created(self.database.save("rollouts", entry, ""))

    async def unmark_active(self, rollout_id: str) -> None:
        await self.database.delete("rollouts", rollout_id, _ACTIVE)

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


def _is_needed(rollout: Rollout, document: Json) -> bool:
    """A document without a usable stage or state counts as needed: decoding it says what is wrong."""
    stage, state = document.get("stage"), document.get("state")
    return not (isinstance(stage, int) and isinstance(state, str)) or needs(rollout, stage, state)


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
