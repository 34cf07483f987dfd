"""What a look at the whole fleet changes: pure, a page at a time. Looking again at the same fleet changes nothing."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.drift import DriftPolicy, recent, restored, watch
from shared.domain.fleet import BAD, Aside, Asked, Cluster, Drift, Entry, Member, Order, Page, Seen, Sighting, Standing, Transition
from shared.domain.flux_support import is_supported
from shared.domain.observations import COMPLIANT, NON_COMPLIANT
from shared.domain.record import Record, digest
from shared.domain.standings import gone, loosened, stand
from shared.domain.transitions import entry_news, news_of

#: Resource Graph is eventually consistent: what it does not show for so long is gone.
_GONE_AFTER = timedelta(minutes=10)
#: How long a fluxConfiguration that Sluice has asked something of, and that someone deleted, is remembered.
_FORGOTTEN_AFTER = timedelta(days=30)
#: Azure's connectivityStatus as a state worth telling; Connecting is none (learn.microsoft.com, Arc connectivity modes).
_CONNECTIONS = {"Connected": "connected", "Offline": "offline", "AgentNotInstalled": "offline", "Expired": "expired"}
_COMPLIANCE = {COMPLIANT: "compliant", NON_COMPLIANT: "non-compliant"}
_HEALTH = {"Succeeded": "healthy", "Failed": "degraded", "Canceled": "degraded"}

#: A cluster with its fluxConfigurations by ARM id, as one look showed them.
Group = tuple[Cluster, dict[str, Seen]]


class Writer(Record, frozen=True):
    """Who wrote a fluxConfiguration last, and when."""

    by: str
    at: datetime | None = None


class Look(Record, frozen=True):
    """What one look knows beside what it saw."""

    number: int  #: of the sweep; 0 for a look at a single one
    now: datetime
    policy: DriftPolicy
    newest_flux: tuple[int, int] = (0, 0)
    asked: dict[str, Asked] = {}  #: what was asked since the sweep before, by ARM id
    busy: frozenset[str] = frozenset()  #: being written by Sluice at this moment: not judged
    writers: dict[str, Writer] = {}  #: of those that have drifted anew, as far as known
    is_first: bool = False
    single: str = ""  #: id of the look, where ARM was asked of a single one
    sees_extensions: bool = True  #: where none is seen at all the identity may not read them, so none is missed


class SingleLook(Record, frozen=True):
    """What Azure Resource Manager says of one fluxConfiguration, after someone else wrote or deleted it."""

    id: str  #: no other look has it
    cause: str
    key: str  #: ARM id
    cluster: Cluster
    seen: Seen | None  #: None = it is not there
    now: datetime
    wrote_at: datetime
    writer: Writer
    asked: Asked
    policy: DriftPolicy


def gather(sightings: Iterable[Sighting]) -> dict[str, Group]:
    """The clusters by ARM id."""
    groups: dict[str, Group] = {}
    for sighting in sightings:
        _, configurations = groups.setdefault(sighting.cluster.id, (sighting.cluster, {}))
        if sighting.configuration:
            configurations[sighting.configuration.id] = sighting.configuration
    return groups


def renew(page: Page, groups: Mapping[str, Group], look: Look) -> Page:
    """The page after the look, with what there is to tell and to put back; the very page where nothing has changed."""
    members: dict[str, Member] = {}
    news: list[Transition] = []
    orders: list[Order] = []
    standing = Standing(sweep=look.number, since=look.now)
    for cluster_id in sorted({*page.members, *groups}):
        before, group = page.members.get(cluster_id), groups.get(cluster_id)
        after = _missing(before, look.now) if before and group is None else _present(before, group, look) if group else None
        if after:
            after, ordered = _with_orders(after, look)
            members[cluster_id] = stand(before, after, standing)
            orders += ordered
        news += news_of(before, after, is_first=look.is_first)
    if members == page.members:
        return page
    left, told = gone(page, members, standing), tuple(replace(each, at=look.now) for each in news)
    return Page(id=page.id, sweep=look.number, members=members, news=told, orders=tuple(orders), gone=left, asides=page.asides)


def renew_one(page: Page, single: SingleLook) -> Page:
    """The page after a look at one fluxConfiguration, with an aside where there is something to tell or to put back.

    The very page where nothing has changed, as when the same event comes again. A cluster that no sweep has shown yet is not told
    as found; one that was never seen cannot be missed.
    """
    known = page.members.get(single.cluster.id)
    member = known or Member(cluster=single.cluster)
    before = member.entries.get(single.key)
    entry = _seen(before, single.seen, single.now) if single.seen else _unseen(before, single.now) if before else None
    if entry is None:
        return page
    look = Look(
        number=0,
        now=single.now,
        policy=single.policy,
        asked={single.key: single.asked},
        writers={single.key: single.writer},
        sees_extensions=member.cluster.extension is not None or _kind(entry.drift) == "extension",
        single=single.id,
    )
    judged = replace(_judged(entry, single.key, member.cluster, look), looked_at=single.now)
    after, orders = _with_orders(replace(member, entries={**member.entries, single.key: judged}), look)
    renewed = after.entries[single.key]
    if not orders and before and _was_seen_so(before, renewed, single.wrote_at):
        return page
    news = [replace(each, at=single.now) for each in entry_news(after.cluster, before, renewed)]
    aside = Aside(id=single.id, cause=single.cause, news=tuple(news), orders=tuple(orders))
    asides = (*page.asides, aside) if news or orders else page.asides
    after = replace(after, entries={**after.entries, single.key: loosened(before, renewed)})
    return replace(page, members={**page.members, single.cluster.id: after}, asides=asides)


def _was_seen_so(before: Entry, after: Entry, wrote_at: datetime) -> bool:
    """Whether a single look since that write has shown the same."""
    return before.looked_at is not None and before.looked_at >= wrote_at and replace(after, looked_at=before.looked_at) == before


def new_drifts(before: Page, after: Page) -> list[str]:
    """The ARM ids of fluxConfigurations that depart now, and did not, or not in this way."""
    known = {key: entry.drift for member in before.members.values() for key, entry in member.entries.items()}
    return [
        key
        for member in after.members.values()
        for key, entry in member.entries.items()
        if entry.drift and _kind(entry.drift) != _kind(known.get(key))
    ]


def _kind(drift: Drift | None) -> str:
    return drift.kind if drift else ""


def _missing(before: Member, now: datetime) -> Member | None:
    """A cluster that was not seen. Nothing else about it changes until it is gone."""
    since = before.missing_since or now
    return None if now >= since + _GONE_AFTER else replace(before, missing_since=since)


def _present(before: Member | None, group: Group, look: Look) -> Member:
    cluster, configurations = group
    known = before.entries if before else {}
    entries = {}
    for key in sorted({*known, *configurations}):
        if key in known and _stands(known[key], key, look):
            entries[key] = known[key]
            continue
        entry = _seen(known.get(key), configurations[key], look.now) if key in configurations else _unseen(known[key], look.now)
        if entry:
            entries[key] = _judged(entry, key, cluster, look)
    states = {**(before.states if before else {}), **_states(cluster, look, has_flux=bool(entries))}
    since = {topic: _since(before, topic, state, look.now) for topic, state in states.items() if f"{topic}.{state}" in BAD}
    return Member(cluster=cluster, entries=entries, states=states, since=since, restores=before.restores if before else ())


def _since(before: Member | None, topic: str, state: str, now: datetime) -> datetime:
    """A cluster that is offline, and then expires, is away all the time."""
    lasts = before is not None and (before.states.get(topic) == state or topic == "cluster")
    return before.since.get(topic, now) if before and lasts else now


def _stands(before: Entry, key: str, look: Look) -> bool:
    """Whether ARM was asked about this one so lately that Resource Graph may still show what was before; not once we have written."""
    asked = look.asked.get(key, before.asked)
    if before.looked_at is None or (asked and asked.applied_at > before.looked_at):
        return False
    return look.now < before.looked_at + look.policy.settle


def _seen(before: Entry | None, seen: Seen, now: datetime) -> Entry:
    state = _COMPLIANCE.get(seen.compliance, before.state if before else "")
    known = before.since if before and before.state == state else None
    since = (known or now) if f"configuration.{state}" in BAD else None
    if before is None:
        return Entry(seen=seen, state=state, since=since)
    return replace(before, seen=seen, state=state, since=since, missing_since=None)


def _unseen(before: Entry, now: datetime) -> Entry | None:
    """None once it is gone. One that something was asked of is missed for longer."""
    since = before.missing_since or now
    patience = _FORGOTTEN_AFTER if before.asked else _GONE_AFTER
    return None if now >= since + patience else replace(before, missing_since=since)


def _judged(entry: Entry, key: str, cluster: Cluster, look: Look) -> Entry:
    """The entry with what was asked of it, and how it departs from that."""
    entry = replace(entry, asked=look.asked.get(key, entry.asked))
    if key in look.busy:
        return entry
    drift = watch(entry, cluster, look.policy, look.now, sees_extensions=look.sees_extensions, is_exact=bool(look.single))
    if drift and key in look.writers:
        drift = replace(drift, by=look.writers[key].by, by_at=look.writers[key].at)
    return replace(entry, drift=drift)


def _states(cluster: Cluster, look: Look, *, has_flux: bool) -> dict[str, str]:
    """The states that are worth telling, by topic. A topic that is between two states is left out: the last one stands."""
    states = {}
    if connection := _CONNECTIONS.get(cluster.connectivity):
        states["cluster"] = connection
    if cluster.extension is None and has_flux and look.sees_extensions:
        states["extension"] = "missing"
    if cluster.extension:
        if health := _HEALTH.get(cluster.extension.state):
            states["extension"] = health
        states["flux"] = "supported" if is_supported(cluster.extension.version, look.newest_flux) else "unsupported"
    states["policy"] = "non-compliant" if cluster.policies else "compliant"
    return states


def _with_orders(member: Member, look: Look) -> tuple[Member, list[Order]]:
    """The member with what is put back now counted, within its cluster's budget."""
    restores, orders, entries = recent(member.restores, look.now), [], dict(member.entries)
    for key, entry in member.entries.items():
        if entry.drift is None or key in look.busy or entry.asked is None or member.missing_since:
            continue
        rule = look.policy.rule(member.cluster, entry, look.now)
        drift, is_ordered = restored(entry.drift, restores, rule, look.now)
        entries[key] = replace(entry, drift=drift)
        if is_ordered:
            restores = (*restores, look.now)
            orders.append(_order(entry, entry.asked, drift, member.cluster, look))
    return replace(member, restores=restores, entries=entries), orders


def _order(entry: Entry, asked: Asked, drift: Drift, cluster: Cluster, look: Look) -> Order:
    return Order(
        key=digest("restore", entry.seen.id, look.single or str(look.number)),
        configuration_id=entry.seen.id,
        subscription=cluster.subscription,
        rollout_id=asked.rollout_id,
        dispatch=asked.dispatch,
        retry=asked.retry,
        resume=drift.kind == "suspended",
    )
