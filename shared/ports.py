"""Every Protocol between the use cases and the outside."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.announcements import Announcement
from shared.domain.audit import Entry, Link
from shared.domain.buckets import ObjectEvent
from shared.domain.changes import Change, Unplanned
from shared.domain.checks import CheckResult
from shared.domain.cluster_resources import Found, Write
from shared.domain.clusters import Cluster
from shared.domain.commit_reports import CommitReport, Saying
from shared.domain.commits import Commit
from shared.domain.comparisons import Comparison
from shared.domain.configurations import Configuration
from shared.domain.crowd import Scope
from shared.domain.deliveries import Delivery
from shared.domain.fleet import Page, Seen, Sighting
from shared.domain.fleet_changes import Writer
from shared.domain.foreign_writes import ForeignWrite
from shared.domain.gates import CheckState
from shared.domain.ledger import Head
from shared.domain.log_rows import Mark, Row
from shared.domain.observations import FluxConfiguration, Observation
from shared.domain.onboarding_progress import OnboardingState, Progress, ProgressGlance
from shared.domain.pace import Pace
from shared.domain.pins import Pin
from shared.domain.policies import Policy
from shared.domain.policy_states import PolicyState
from shared.domain.record import Record
from shared.domain.rollouts import Glance, Rollout, Target
from shared.domain.sweeps import Sweep
from shared.domain.turns import Turn


class Provider(Protocol):
    """An outbound channel."""

    async def post(self, announcements: Sequence[Announcement]) -> None:
        """Sends one message that tells all of `announcements` (at least one).

        Raises Throttled or Unavailable when it may work later, Rejected when it never will.
        """
        ...


class GitHost(Protocol):
    """Where a commit is, and is told how far its rollout is."""

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        """Says it in place of what was said there before; the host's own id of the deployment or comment, "" where it has none.

        `reference` is what saying the same kind and context gave before; "" the first time, or when that is not known any more.
        Raises Throttled or Unavailable when it may work later, Rejected when it never will.
        """
        ...


class GateCaller(Protocol):
    """The way out to the services behind webhook gates."""

    async def post_bytes(self, address: str, body: bytes, *, headers: Mapping[str, str]) -> object:
        """POSTs a JSON body as it is. Raises Throttled or Unavailable when it may work later, Rejected when it never will."""
        ...


class ReceiverCaller(Protocol):
    """The way to the Flux Receivers of clusters, whose addresses are partly made of what their tags say."""

    async def call(self, address: str, body: bytes, *, headers: Mapping[str, str], private_addresses: bool) -> None:
        """POSTs a JSON body as it is, to a host that is no address of this machine or of the platform, and of a private network only
        where `private_addresses` says so.

        Raises Throttled or Unavailable when it may work later, Rejected when it never will.
        """
        ...


class Registry(Protocol):
    """Container registries."""

    async def digest(self, url: str, tag: str, *, credentials: str = "") -> str:
        """The 64 hexadecimal digits of the sha256 digest that a tag names now. `url` is canonical; `credentials` are `user:password`.

        Raises Throttled or Unavailable when it may work later, Rejected when there is no such tag or the registry does not tell.
        """
        ...


class Compare(Protocol):
    """Git hosts' comparisons of two commits."""

    async def paths(self, host: str, comparison: Comparison) -> frozenset[str] | None:
        """Every file that differs; None where the host does not tell them all. `host` is a receiver's type.

        Raises Throttled, Unavailable, or Rejected.
        """
        ...


class Secrets(Protocol):
    """Where secret references lead."""

    async def get(self, reference: str) -> str:
        """The value behind `kv://vault/name`, `kv://vault/name/version` or `env://NAME`.

        Raises NotFound when there is none, Malformed when the reference has another form, Unavailable when the vault
        cannot be reached.
        """
        ...


class Sealer(Protocol):
    """Encrypts what a document holds beside ids, hashes, states and times."""

    async def seal(self, data: bytes, *, scope: str, binding: str) -> str:
        """A JWE (RFC 7516, compact) of `data` under the newest data key of `scope`; it opens only with the same `binding`."""
        ...

    async def open(self, token: str, *, binding: str) -> bytes:
        """The data again. Raises Sealed when the token was made for another binding, was changed, or its key is gone."""
        ...


class Queue(Protocol):
    """The Storage queues between the functions."""

    async def send(self, queue: str, message: Record, *, not_before: datetime | None = None) -> None:
        """Sends one message; with `not_before` it is invisible until then (rounded up to a second, 7 days at most)."""
        ...

    async def send_text(self, queue: str, text: str, *, not_before: datetime | None = None) -> None:
        """The same for a message that is text already, whatever it holds."""
        ...


class Changes(Protocol):
    """Deliveries, and the head of every ref."""

    async def record(self, change: Change) -> bool:
        """Stores a change once; False when it was there already."""
        ...

    async def get(self, source: str, change_id: str) -> Change | None: ...

    async def mark_unplanned(self, change: Change, *, due: datetime | None = None) -> None:
        """Puts a change on the list of those that wait to be planned, from `due` on (default: since it was received).

        Done before it is recorded, so that none is ever missed.
        """
        ...

    async def unmark_unplanned(self, change_id: str) -> None: ...

    async def unplanned(self) -> list[Unplanned]: ...

    async def head(self, source: str, ref: str) -> tuple[Head, str]:
        """The head of a ref and its ETag; a new one with ETag "" where there is none."""
        ...

    async def save_head(self, head: Head, etag: str) -> None:
        """Raises Conflict when the head was moved since it was read."""
        ...

    async def heads_at(self, source: str, revision: str) -> list[Head]:
        """The refs of a source that are at this revision now."""
        ...


class Checks(Protocol):
    """What CI systems say of revisions."""

    async def record(self, result: CheckResult) -> bool:
        """Keeps it where it is the newest of its check; False when it changed nothing."""
        ...

    async def of(self, source: str, revision: str) -> dict[str, CheckState]:
        """The state of every check of a revision, by name."""
        ...


class Rollouts(Protocol):
    """Rollouts with their targets. Every save raises Conflict when the document changed since it was read."""

    async def create(self, rollout: Rollout) -> bool:
        """False when it exists already."""
        ...

    async def create_targets(self, targets: Sequence[Target]) -> bool:
        """Stores them all; False when some were there already (those stay as they are)."""
        ...

    async def get(self, rollout_id: str) -> tuple[Rollout, str] | None:
        """The rollout and its ETag."""
        ...

    async def save(self, rollout: Rollout, etag: str) -> str:
        """The new ETag."""
        ...

    async def target(self, rollout_id: str, target_id: str) -> tuple[Target, str] | None: ...

    async def save_target(self, target: Target, etag: str) -> str: ...

    async def glances(self, rollout_id: str, scope: Scope) -> list[Glance]:
        """What can be seen, without opening them, of the targets that `scope` covers."""
        ...

    async def open(self, rollout_id: str, target_ids: Sequence[str]) -> list[tuple[Target, str]]:
        """Those targets as they are now, with their ETags, in any order."""
        ...

    async def commit(self, rollout: Rollout, etag: str, targets: Sequence[tuple[Target, str]]) -> str:
        """Saves a rollout and at most `advance.MOST_CHANGES` of its targets, each at its ETag, all or none; the rollout's new ETag.

        Raises Conflict when any of them was changed since it was read.
        """
        ...

    async def save_targets(self, targets: Sequence[tuple[Target, str]]) -> list[Target]:
        """Saves targets of one rollout, each at its ETag; gives back those that were changed by someone else and so are not saved."""
        ...

    async def targets(self, rollout_id: str, *, stage: int | None = None, states: Sequence[str] = ()) -> list[Target]: ...

    async def some_targets(
        self, rollout_id: str, *, stage: int | None = None, states: Sequence[str] = (), after: int = -1, limit: int
    ) -> list[Target]:
        """The first `limit` of those whose `order` comes after `after`, in order: for people."""
        ...

    async def mark_active(self, rollout_id: str) -> None:
        """Puts a rollout on the list that the sweeps read. Done before it is created, so that none is ever missed."""
        ...

    async def unmark_active(self, rollout_id: str) -> None: ...

    async def turn(self, rollout_id: str) -> tuple[Turn, str] | None:
        """Whose turn it is, and its ETag; None for a rollout that is not on the list."""
        ...

    async def save_turn(self, rollout_id: str, turn: Turn, etag: str) -> None:
        """Raises Conflict when it changed since it was read, NotFound when the rollout has left the list."""
        ...

    async def active(self) -> list[tuple[str, datetime]]:
        """Rollouts that can still change, and since when they are listed."""
        ...

    async def recent(self, limit: int, continuation: str | None) -> tuple[list[Rollout], str | None]:
        """Newest first, across all partitions: for people."""
        ...


class Configurations(Protocol):
    """What Sluice last asked each fluxConfiguration to be."""

    async def get(self, cluster_id: str, configuration_id: str) -> tuple[Configuration, str]:
        """The record and its ETag; a new one with ETag "" where there is none."""
        ...

    async def save(self, configuration: Configuration, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...


class ForeignWrites(Protocol):
    """Who else wrote fluxConfigurations, and when."""

    async def record(self, write: ForeignWrite) -> bool:
        """Keeps it where it is the newest of its fluxConfiguration; False when it changed nothing."""
        ...

    async def get(self, configuration_id: str) -> ForeignWrite | None:
        """The newest one known, by ARM id."""
        ...


class ObjectEvents(Protocol):
    """The last event of each object in a bucket."""

    async def advance(self, source: str, event: ObjectEvent) -> bool:
        """Keeps it where it is the last of its object; False where a later one is known."""
        ...


class PolicyStates(Protocol):
    """What Azure Policy says of clusters."""

    async def record(self, state: PolicyState) -> PolicyState:
        """What is known after this: see `policy_states.follow`."""
        ...


class AskedStates(Protocol):
    """What was asked of the whole fleet."""

    def asked_since(self, since: datetime | None) -> AsyncIterator[Configuration]:
        """The records of updates that ARM accepted since then; None = all. Across all partitions, once a sweep."""
        ...

    async def get(self, cluster_id: str, configuration_id: str) -> tuple[Configuration, str]: ...


class FleetPages(Protocol):
    """The fleet as the newest sweep saw it."""

    async def pages(self) -> list[tuple[Page, str]]:
        """Every page and its ETag, in order; a new one with ETag "" where there is none."""
        ...

    async def page(self, page_id: str) -> tuple[Page, str]:
        """One of them."""
        ...

    async def save_page(self, page: Page, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...

    async def sweep(self) -> tuple[Sweep, str]: ...

    async def save_sweep(self, sweep: Sweep, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...


class Inventory(Protocol):
    """Azure Resource Graph: the whole fleet."""

    def look(self) -> AsyncIterator[Sighting]:
        """Every fluxConfiguration in scope with its cluster, and every connected cluster that has none, page by page.

        Raises Throttled or Unavailable.
        """
        ...


class Restorations(Protocol):
    """Single fluxConfigurations in Azure Resource Manager."""

    async def restore(self, configuration_id: str, pin: Pin, *, resume: bool) -> None:
        """Writes once more what was asked; with `resume` also that it is not suspended. Raises as `ResourceManager.pin` does."""
        ...

    async def last_writer(self, configuration_id: str) -> Writer | None:
        """Who wrote it last, as Azure knows it; None where it does not tell, or has no such fluxConfiguration.

        Raises Throttled, Unavailable or Rejected.
        """
        ...


class PaceStore(Protocol):
    """The next free slot: of each subscription's writes, and of each receiver's deliveries."""

    async def get(self, pace_id: str) -> tuple[Pace, str]: ...

    async def save(self, pace: Pace, etag: str) -> None: ...


class Deliveries(Protocol):
    """Grouped messages on their way to a channel."""

    async def get(self, channel: str, delivery_id: str) -> tuple[Delivery, str] | None: ...

    async def create(self, delivery: Delivery) -> bool: ...

    async def save(self, delivery: Delivery, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...


class CommitReports(Protocol):
    """What was last said of each commit."""

    async def get(self, report_id: str) -> tuple[CommitReport, str] | None: ...

    async def save(self, report: CommitReport, etag: str) -> str:
        """Creates where `etag` is ""; the new ETag. Raises Conflict when it changed since it was read."""
        ...


class Audit(Protocol):
    """The append-only record of who or what did what."""

    async def append(self, entry: Entry) -> None:
        """Adds an entry to its stream, chained to the one before; the same entry id twice is one entry."""
        ...

    def read(self, stream: str | None = None) -> AsyncIterator[Link]:
        """Every link of a stream, or of all streams one after the other, in order."""
        ...


class LogStreams(Protocol):
    """What Azure Monitor is told, stream by stream, and how far each is."""

    def names(self) -> tuple[str, ...]: ...

    async def span(self, stream: str, since: datetime, until: datetime) -> tuple[int, int]:
        """Where a stream begins of which nothing was told yet, given how far back to look; and how far it had come by `until`."""
        ...

    def rows(self, stream: str, after: int, upto: int) -> AsyncIterator[tuple[int, Row]]:
        """What was written after one place of the stream and up to another, in the order of writing, each row with its place.

        A place is a second since 1970, or the number of a sweep of the fleet.
        """
        ...

    async def mark(self, stream: str) -> tuple[Mark, str]:
        """How far it is, and its ETag; a new one with ETag "" where nothing was told yet."""
        ...

    async def save_mark(self, mark: Mark, etag: str) -> str:
        """The new ETag. Raises Conflict when it was moved since it was read."""
        ...


class LogRows(Protocol):
    """A place for rows, such as Azure Monitor."""

    async def add(self, stream: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Raises Throttled or Unavailable when it may work later, Rejected when it never will."""
        ...


class ResourceManager(Protocol):
    """Azure Resource Manager."""

    async def pin(self, target: Target, pin: Pin) -> None:
        """Writes a revision, and the values that go with it, to the target's fluxConfiguration: one PATCH, not waited for.

        Raises Throttled, Unavailable, Busy, or Rejected with ARM's code.
        """
        ...


class FluxConfigurations(Protocol):
    """Azure Resource Manager, asked about one fluxConfiguration: it knows at once what Resource Graph shows later."""

    async def observe(self, configuration_id: str) -> Observation:
        """What it is now; `Observation.missing` where it is not there. How its cluster is connected is not part of it: "".

        Raises Throttled, Unavailable or Rejected.
        """
        ...

    async def seen(self, configuration_id: str) -> Seen | None:
        """The same as a look at the fleet shows it; None where it is not there. Raises Throttled, Unavailable or Rejected."""
        ...


class Fleet(Protocol):
    """Azure Resource Graph."""

    def configurations(self, search_term: str) -> AsyncIterator[FluxConfiguration]:
        """Every fluxConfiguration in scope whose source URL contains `search_term`, with its cluster, page by page.

        Raises Throttled or Unavailable.
        """
        ...


class Onboardings(Protocol):
    """How far each cluster is on its way to its baseline."""

    async def get(self, cluster_id: str) -> tuple[Progress, str] | None:
        """The progress of a cluster (ARM id, lower case) and its ETag."""
        ...

    async def save(self, progress: Progress, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...

    async def drop(self, progress: Progress) -> None: ...

    async def glances(self) -> list[ProgressGlance]:
        """What can be seen of every one of them without opening it."""
        ...

    async def open(self, progress_ids: Sequence[str]) -> list[Progress]: ...

    async def some(self, *, state: OnboardingState | None, after: str, limit: int) -> list[Progress]:
        """The first `limit` whose id comes after `after`, by id: for people."""
        ...


class Clusters(Protocol):
    """Azure Resource Graph: all connected clusters in scope, and Azure Policy's assignments."""

    def clusters(self) -> AsyncIterator[Cluster]:
        """Page by page. Raises Throttled or Unavailable."""
        ...

    async def policies(self) -> list[Policy]:
        """The assignments of the built-in definitions that write Flux; remembered for a minute. Raises Throttled or Unavailable."""
        ...


class ClusterResources(Protocol):
    """Azure Resource Manager: one cluster, its Flux extension and its fluxConfigurations.

    Everything here raises Throttled, Unavailable, Busy, or Rejected with ARM's code.
    """

    async def cluster(self, cluster_id: str) -> Cluster | None: ...

    async def extension(self, cluster_id: str) -> Found | None:
        """The Flux extension, whatever its name."""
        ...

    async def configuration(self, cluster_id: str, name: str) -> Found | None: ...

    async def has_configurations(self, cluster_id: str) -> bool: ...

    async def write(self, cluster_id: str, write: Write) -> None:
        """One call, not waited for: Azure may keep it open for 48 hours. The secrets are values in their places by now."""
        ...


class Probe(Protocol):
    """A dependency that readiness asks after."""

    async def check(self) -> None:
        """Raises when the dependency cannot be used."""
        ...
