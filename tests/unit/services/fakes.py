"""In-memory implementations of `shared.ports`, with the database's ETags, a queue with time, and ways to fail on purpose."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from builders import NOW
from msgspec.structs import replace

from shared.domain.advance import MOST_CHANGES
from shared.domain.announcements import Announcement
from shared.domain.audit import Entry, Link, make_link
from shared.domain.buckets import ObjectEvent, is_later
from shared.domain.changes import Change, Unplanned
from shared.domain.checks import CheckResult, check_id, is_newer
from shared.domain.commit_reports import CommitReport, Saying
from shared.domain.commits import Commit
from shared.domain.comparisons import Comparison
from shared.domain.configurations import Configuration
from shared.domain.conversations import Conversation
from shared.domain.crowd import Scope
from shared.domain.deliveries import Delivery, DeliveryState, Parcel
from shared.domain.errors import Conflict, NotFound, Rejected
from shared.domain.fleet import Seen
from shared.domain.foreign_writes import ForeignWrite, foreign_write_id
from shared.domain.gates import CheckState
from shared.domain.ledger import Head, head_id
from shared.domain.messages import KINDS, encode, read
from shared.domain.observations import FluxConfiguration, Observation
from shared.domain.pace import Pace
from shared.domain.pins import Pin
from shared.domain.policy_states import PolicyState, follow, policy_state_id
from shared.domain.record import Record
from shared.domain.rollouts import Glance, Rollout, Target
from shared.domain.turns import Turn

T = TypeVar("T")


class Killed(Exception):
    """The instance died here. No use case knows it, so none can handle it."""


class FakeClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def wait(self, seconds: float) -> None:
        """What happens meanwhile comes first."""
        until = self.now + timedelta(seconds=seconds)
        await asyncio.sleep(0)
        self.now = max(self.now, until)


@dataclass
class Faults:
    """Every write of every fake passes here. `die_at`: the instance dies before that write (from 1); `fail_next`: errors to raise."""

    writes: int = 0
    die_at: int | None = None
    fail_next: list[Exception] = field(default_factory=list)
    down: Exception | None = None  #: raised by every call while it is set
    #: how long each call takes, against the others
    pauses: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 -- repeatable, not secret

    async def read(self) -> None:
        await self._take_time()
        if self.down:
            raise self.down

    async def write(self) -> None:
        await self._take_time()
        if self.down:
            raise self.down
        self.writes += 1
        if self.writes == self.die_at:
            raise Killed
        if self.fail_next:
            raise self.fail_next.pop(0)

    async def _take_time(self) -> None:
        """Others may come between any two calls."""
        for _ in range(self.pauses.randint(1, 3)):
            await asyncio.sleep(0)


class Shelf(Generic[T]):
    """Documents with ETags: a save with an old one is a Conflict, and so is a second document of the same id."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._kept: dict[Any, tuple[T, str]] = {}
        self._version = 0
        #: called before a save, once: what someone else does just then
        self.meanwhile: Callable[[], object] | None = None

    async def get(self, key: object) -> tuple[T, str] | None:
        await self._faults.read()
        return self._kept.get(key)

    async def save(self, key: object, document: T, etag: str) -> str:
        await self._faults.write()
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        self.check(key, etag)
        return self.put(key, document)

    async def create(self, key: object, document: T) -> bool:
        try:
            await self.save(key, document, "")
        except Conflict:
            return False
        return True

    def check(self, key: object, etag: str) -> None:
        """Raises Conflict where a save at this ETag would."""
        if self._kept[key][1] != etag if key in self._kept else etag != "":
            raise Conflict("the document was changed by someone else")

    def put(self, key: object, document: T) -> str:
        """What someone else writes."""
        self._version += 1
        self._kept[key] = (document, str(self._version))
        return str(self._version)

    def drop(self, key: object) -> None:
        self._kept.pop(key, None)

    def all(self) -> list[T]:
        return [document for document, _ in self._kept.values()]

    def now(self, key: object) -> T:
        return self._kept[key][0]

    def items(self) -> Iterator[tuple[T, str]]:
        yield from self._kept.values()


@dataclass(frozen=True)
class Sent:
    queue: str
    text: str
    not_before: datetime | None

    @property
    def message(self) -> Any:
        """As the function that is bound to the queue reads it."""
        return read(KINDS[self.queue], self.text.encode())


class FakeQueue:
    def __init__(self, faults: Faults, clock: FakeClock) -> None:
        self._faults, self._clock = faults, clock
        self.sent: list[Sent] = []  #: all that was ever sent
        self.waiting: list[Sent] = []

    async def send(self, queue: str, message: Record, *, not_before: datetime | None = None) -> None:
        await self.send_text(queue, encode(message), not_before=not_before)

    async def send_text(self, queue: str, text: str, *, not_before: datetime | None = None) -> None:
        await self._faults.write()
        self.sent.append(Sent(queue, text, not_before))
        self.waiting.append(self.sent[-1])

    def messages(self, queue: str) -> list[Any]:
        return [sent.message for sent in self.sent if sent.queue == queue]

    def visible(self) -> list[Sent]:
        return [sent for sent in self.waiting if sent.not_before is None or sent.not_before <= self._clock()]


class FakeSecrets:
    def __init__(self, **secrets: str) -> None:
        self.known = {f"kv://sluice/{name.replace('_', '-')}": value for name, value in secrets.items()}
        self.ends: dict[str, datetime] = {}
        self.down: Exception | None = None

    async def get(self, reference: str) -> str:
        if self.down:
            raise self.down
        if reference not in self.known:
            raise NotFound("no such secret")
        return self.known[reference]

    async def expires_at(self, reference: str) -> datetime | None:
        await self.get(reference)
        return self.ends.get(reference)


class FakeRegistry:
    def __init__(self) -> None:
        self.tags: dict[tuple[str, str], str] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.down: Exception | None = None

    async def digest(self, url: str, tag: str, *, credentials: str = "") -> str:
        self.asked.append((url, tag, credentials))
        if self.down:
            raise self.down
        if (url, tag) not in self.tags:
            raise Rejected("no such tag", code="404")
        return self.tags[url, tag]


class FakeCompare:
    def __init__(self) -> None:
        self.told: frozenset[str] | None = None
        self.asked: list[tuple[str, Comparison]] = []
        self.down: Exception | None = None

    async def paths(self, host: str, comparison: Comparison) -> frozenset[str] | None:
        self.asked.append((host, comparison))
        if self.down:
            raise self.down
        return self.told


class FakeChanges:
    def __init__(self, faults: Faults, clock: FakeClock) -> None:
        self._clock, self._faults = clock, faults
        self.kept: Shelf[Change] = Shelf(faults)
        self.heads: Shelf[Head] = Shelf(faults)
        self.waiting: Shelf[Unplanned] = Shelf(faults)

    async def record(self, change: Change) -> bool:
        return await self.kept.create((change.source, change.id), change)

    async def get(self, source: str, change_id: str) -> Change | None:
        found = await self.kept.get((source, change_id))
        return found[0] if found else None

    async def mark_unplanned(self, change: Change, *, due: datetime | None = None) -> None:
        await self.waiting.create(change.id, Unplanned(change_id=change.id, source=change.source, since=due or self._clock()))

    async def unmark_unplanned(self, change_id: str) -> None:
        self.waiting.drop(change_id)

    async def unplanned(self) -> list[Unplanned]:
        return self.waiting.all()

    async def head(self, source: str, ref: str) -> tuple[Head, str]:
        return await self.heads.get((source, head_id(ref))) or (Head(id=head_id(ref), source=source), "")

    async def save_head(self, head: Head, etag: str) -> None:
        await self.heads.save((head.source, head.id), head, etag)

    async def heads_at(self, source: str, revision: str) -> list[Head]:
        await self._faults.read()
        return [head for head in self.heads.all() if (head.source, head.revision) == (source, revision)]


class FakeChecks:
    def __init__(self, faults: Faults) -> None:
        self.kept: Shelf[CheckResult] = Shelf(faults)

    async def record(self, result: CheckResult) -> bool:
        key = (result.source, check_id(result.revision, result.name))
        found = await self.kept.get(key)
        if found and not is_newer(result, found[0]):
            return False
        await self.kept.save(key, result, found[1] if found else "")
        return True

    async def of(self, source: str, revision: str) -> dict[str, CheckState]:
        return {kept.name: kept.state for kept in self.kept.all() if (kept.source, kept.revision) == (source, revision)}


class FakeRollouts:
    def __init__(self, faults: Faults, clock: FakeClock) -> None:
        self._clock, self._faults = clock, faults
        self.kept: Shelf[Rollout] = Shelf(faults)
        self.kept_targets: Shelf[Target] = Shelf(faults)
        self.listed: dict[str, datetime] = {}
        self.turns: Shelf[Turn] = Shelf(faults)

    async def create(self, rollout: Rollout) -> bool:
        return await self.kept.create(rollout.id, rollout)

    async def create_targets(self, targets: Sequence[Target]) -> bool:
        return all([await self.kept_targets.create((target.rollout_id, target.id), target) for target in targets])

    async def get(self, rollout_id: str) -> tuple[Rollout, str] | None:
        return await self.kept.get(rollout_id)

    async def save(self, rollout: Rollout, etag: str) -> str:
        return await self.kept.save(rollout.id, rollout, etag)

    async def target(self, rollout_id: str, target_id: str) -> tuple[Target, str] | None:
        return await self.kept_targets.get((rollout_id, target_id))

    async def save_target(self, target: Target, etag: str) -> str:
        return await self.kept_targets.save((target.rollout_id, target.id), target, etag)

    async def glances(self, rollout_id: str, scope: Scope) -> list[Glance]:
        await self._faults.read()
        return [Glance.at(t) for t in self.kept_targets.all() if t.rollout_id == rollout_id and scope.covers(t.stage, t.state)]

    async def open(self, rollout_id: str, target_ids: Sequence[str]) -> list[tuple[Target, str]]:
        await self._faults.read()
        return [(target, etag) for target, etag in self.kept_targets.items() if target.rollout_id == rollout_id and target.id in target_ids]

    async def commit(self, rollout: Rollout, etag: str, targets: Sequence[tuple[Target, str]]) -> str:
        """One write, as the transaction is."""
        assert len(targets) <= MOST_CHANGES
        await self._meanwhile()
        await self._faults.write()
        self.kept.check(rollout.id, etag)
        for target, target_etag in targets:
            self.kept_targets.check((target.rollout_id, target.id), target_etag)
        for target, _ in targets:
            self.kept_targets.put((target.rollout_id, target.id), target)
        return self.kept.put(rollout.id, rollout)

    async def save_targets(self, targets: Sequence[tuple[Target, str]]) -> list[Target]:
        late = []
        for target, etag in targets:
            try:
                await self.save_target(target, etag)
            except Conflict:
                late.append(target)
        return late

    async def _meanwhile(self) -> None:
        """What someone else does just before a commit, once."""
        for shelf in (self.kept, self.kept_targets):
            if shelf.meanwhile:
                meanwhile, shelf.meanwhile = shelf.meanwhile, None
                meanwhile()

    async def targets(self, rollout_id: str, *, stage: int | None = None, states: Sequence[str] = ()) -> list[Target]:
        await self._faults.read()
        own = [target for target in self.kept_targets.all() if target.rollout_id == rollout_id]
        return [t for t in own if (stage is None or t.stage == stage) and (not states or t.state in states)]

    async def some_targets(
        self, rollout_id: str, *, stage: int | None = None, states: Sequence[str] = (), after: int = -1, limit: int
    ) -> list[Target]:
        matching = await self.targets(rollout_id, stage=stage, states=states)
        return sorted((t for t in matching if t.order > after), key=lambda t: t.order)[:limit]

    async def mark_active(self, rollout_id: str) -> None:
        await self._faults.write()
        self.listed.setdefault(rollout_id, self._clock())

    async def unmark_active(self, rollout_id: str) -> None:
        await self._faults.write()
        self.listed.pop(rollout_id, None)
        self.turns.drop(rollout_id)

    async def turn(self, rollout_id: str) -> tuple[Turn, str] | None:
        await self._faults.read()
        if rollout_id not in self.listed:
            return None
        return await self.turns.get(rollout_id) or (Turn(since=self.listed[rollout_id]), "")

    async def save_turn(self, rollout_id: str, turn: Turn, etag: str) -> None:
        if rollout_id not in self.listed:
            raise NotFound("the rollout has left the list")
        await self.turns.save(rollout_id, turn, etag)

    async def active(self) -> list[tuple[str, datetime]]:
        await self._faults.read()
        return list(self.listed.items())

    async def recent(self, limit: int, continuation: str | None) -> tuple[list[Rollout], str | None]:
        newest = sorted(self.kept.all(), key=lambda rollout: rollout.created_at, reverse=True)
        start = int(continuation or 0)
        return newest[start : start + limit], str(start + limit) if start + limit < len(newest) else None


class FakeConfigurations:
    def __init__(self, faults: Faults) -> None:
        self.kept: Shelf[Configuration] = Shelf(faults)

    async def get(self, cluster_id: str, configuration_id: str) -> tuple[Configuration, str]:
        new = Configuration(id=configuration_id, cluster_id=cluster_id, subscription="")
        return await self.kept.get((cluster_id, configuration_id)) or (new, "")

    async def save(self, configuration: Configuration, etag: str) -> str:
        return await self.kept.save((configuration.cluster_id, configuration.id), configuration, etag)


class FakeForeignWrites:
    def __init__(self, faults: Faults) -> None:
        self.kept: Shelf[ForeignWrite] = Shelf(faults)

    async def record(self, write: ForeignWrite) -> bool:
        key = foreign_write_id(write.configuration_id)
        found = await self.kept.get(key)
        if not write.is_newer(found[0] if found else None):
            return False
        await self.kept.save(key, write, found[1] if found else "")
        return True

    async def get(self, configuration_id: str) -> ForeignWrite | None:
        found = await self.kept.get(foreign_write_id(configuration_id))
        return found[0] if found else None


class FakePolicyStates:
    def __init__(self, faults: Faults) -> None:
        self.kept: Shelf[PolicyState] = Shelf(faults)

    async def record(self, state: PolicyState) -> PolicyState:
        found = await self.kept.get(policy_state_id(state))
        known = follow(found[0] if found else None, state)
        if found is None or known != found[0]:
            await self.kept.save(policy_state_id(state), known, found[1] if found else "")
        return known


class FakeObjectEvents:
    def __init__(self, faults: Faults) -> None:
        self.kept: Shelf[ObjectEvent] = Shelf(faults)

    async def advance(self, source: str, event: ObjectEvent) -> bool:
        key = (source, event.key)
        found = await self.kept.get(key)
        if found and not is_later(event, found[0]):
            return not is_later(found[0], event)
        await self.kept.save(key, event, found[1] if found else "")
        return True


class FakePace:
    def __init__(self, faults: Faults) -> None:
        self.kept: Shelf[Pace] = Shelf(faults)

    async def get(self, pace_id: str) -> tuple[Pace, str]:
        return await self.kept.get(pace_id) or (Pace(id=pace_id), "")

    async def save(self, pace: Pace, etag: str) -> None:
        await self.kept.save(pace.id, pace, etag)


class FakeDeliveries:
    def __init__(self, faults: Faults) -> None:
        self.kept: Shelf[Delivery] = Shelf(faults)

    async def get(self, channel: str, delivery_id: str) -> tuple[Delivery, str] | None:
        return await self.kept.get((channel, delivery_id))

    async def create(self, delivery: Delivery) -> bool:
        return await self.kept.create((delivery.channel, delivery.id), delivery)

    async def save(self, delivery: Delivery, etag: str) -> str:
        return await self.kept.save((delivery.channel, delivery.id), delivery, etag)

    async def newest(self, state: DeliveryState, limit: int, continuation: str) -> tuple[list[Delivery], str | None]:
        found = sorted((each for each in self.kept.all() if each.state == state), key=lambda each: each.created_at, reverse=True)
        start = int(continuation or 0)
        return found[start : start + limit], str(start + limit) if start + limit < len(found) else None

    async def count_failed(self) -> int:
        return sum(delivery.state == "failed" for delivery in self.kept.all())


class FakeCommitReports:
    def __init__(self, faults: Faults) -> None:
        self.kept: Shelf[CommitReport] = Shelf(faults)

    async def get(self, report_id: str) -> tuple[CommitReport, str] | None:
        return await self.kept.get(report_id)

    async def save(self, report: CommitReport, etag: str) -> str:
        return await self.kept.save(report.id, report, etag)


class FakeConversations:
    def __init__(self, faults: Faults) -> None:
        self.kept: Shelf[Conversation] = Shelf(faults)

    async def get(self, conversation_id: str) -> tuple[Conversation, str] | None:
        return await self.kept.get(conversation_id)

    async def save(self, conversation: Conversation, etag: str) -> str:
        return await self.kept.save(conversation.id, conversation, etag)


class FakeGitHost:
    """`answers`: what the next sayings raise, one by one (None = heard). `meanwhile`: what happens while the host is asked."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.heard: list[tuple[Commit, Saying]] = []
        self.references: list[str] = []
        self.answers: list[Exception | None] = []
        self.meanwhile: Callable[[], object] | None = None

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        await self._faults.write()
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.heard.append((commit, saying))
        self.references.append(reference)
        return reference or ("" if saying.kind == "status" else f"{saying.kind}-{len(self.heard)}")

    def told(self, kind: str = "status") -> list[tuple[str, str]]:
        """The last part of the context, and the state, in the order in which they were said."""
        return [(saying.context.rpartition("/")[2], saying.state) for _, saying in self.heard if saying.kind == kind]

    def stands(self, kind: str = "status") -> dict[str, tuple[str, str]]:
        """What stands there now, by context."""
        return {saying.context: (saying.state, saying.text) for _, saying in self.heard if saying.kind == kind}


class FakeAudit:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.streams: dict[str, list[Link]] = {}

    async def append(self, entry: Entry) -> None:
        await self._faults.write()
        links = self.streams.setdefault(entry.stream, [])
        if not any(link.entry_id == entry.id for link in links):
            links.append(make_link(links[-1] if links else None, entry, "salt"))

    async def read(self, stream: str | None = None) -> AsyncIterator[Link]:
        await self._faults.read()
        for name in [stream] if stream else sorted(self.streams):
            for link in self.streams.get(name, []):
                yield link

    def actions(self) -> list[str]:
        return [link.entry.action for links in self.streams.values() for link in links if link.entry]


@dataclass(frozen=True)
class Patch:
    configuration_id: str
    pin: Pin

    @property
    def commit(self) -> str:
        return self.pin.revision


class FakeResourceManager:
    """`answers`: what the next calls raise, one by one (None = accepted); then everything is accepted."""

    def __init__(self) -> None:
        self.applied: list[Patch] = []
        self.calls = 0
        self.answers: list[Exception | None] = []
        self.meanwhile: Callable[[], object] | None = None

    async def pin(self, target: Target, pin: Pin) -> None:
        await asyncio.sleep(0)
        self.calls += 1
        if self.meanwhile:
            self.meanwhile()
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.applied.append(Patch(target.configuration_id, pin))


class FakeFluxConfigurations:
    """`now`: what each is, by ARM id; one that is not in it is not in Azure."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.now: dict[str, Observation] = {}
        self.shown: dict[str, Seen] = {}  #: the same, as a look at the fleet shows it
        self.asked: list[str] = []
        self.down: Exception | None = None
        self.meanwhile: Callable[[], object] | None = None  #: called when one is seen, once

    async def seen(self, configuration_id: str) -> Seen | None:
        await asyncio.sleep(0)
        self.asked.append(configuration_id)
        if self.down:
            raise self.down
        shown = self.shown.get(configuration_id)
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return shown

    async def observe(self, configuration_id: str) -> Observation:
        await asyncio.sleep(0)
        self.asked.append(configuration_id)
        if self.down:
            raise self.down
        seen = self.now.get(configuration_id)
        return replace(seen, observed_at=self._clock()) if seen else Observation.missing(self._clock())


class FakeFleet:
    def __init__(self, *found: FluxConfiguration) -> None:
        self.found = list(found)
        self.asked: list[str] = []
        self.down: Exception | None = None

    async def configurations(self, search_term: str) -> AsyncIterator[FluxConfiguration]:
        self.asked.append(search_term)
        if self.down:
            raise self.down
        for item in list(self.found):
            await asyncio.sleep(0)
            if search_term in item.url.lower():
                yield item


class FakeProvider:
    """`answers`: what the next posts raise, one by one (None = posted)."""

    def __init__(self) -> None:
        self.sent: list[tuple[Announcement, ...]] = []
        self.answers: list[Exception | None] = []
        self.is_down: Exception | None = None
        self.calls = 0

    async def post(self, parcel: Parcel) -> None:
        await asyncio.sleep(0)
        self.calls += 1
        answer = self.is_down or (self.answers.pop(0) if self.answers else None)
        if answer is not None:
            raise answer
        self.sent.append(parcel.announcements)


@dataclass(frozen=True)
class Posted:
    address: str
    body: bytes
    headers: Mapping[str, str]


class FakeReceiverCaller:
    """`answers`: what the next calls raise, one by one (None = taken); `is_down`: what every call raises."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        self.private: list[bool] = []
        self.answers: list[Exception | None] = []
        self.is_down: Exception | None = None

    async def call(self, address: str, body: bytes, *, headers: Mapping[str, str], private_addresses: bool) -> None:
        await asyncio.sleep(0)
        answer = self.is_down or (self.answers.pop(0) if self.answers else None)
        if answer is not None:
            raise answer
        self.posted.append(Posted(address, body, headers))
        self.private.append(private_addresses)


class FakeGateCaller:
    """`answers`: what the next posts raise, one by one (None = taken)."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        self.answers: list[Exception | None] = []
        self.meanwhile: Callable[[], object] | None = None

    async def post_bytes(self, address: str, body: bytes, *, headers: Mapping[str, str]) -> object:
        await asyncio.sleep(0)
        if self.meanwhile:
            self.meanwhile()
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.posted.append(Posted(address, body, headers))
        return None
