"""Since which sweep each part of the fleet is what it is. What Azure Monitor is told of it is what makes the difference."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.fleet import Entry, Gone, Member, Page, Standing

#: How long it is remembered that something is gone: Azure Monitor may be away for so long without missing it.
_REMEMBERED = timedelta(days=7)


def stand(before: Member | None, after: Member, now: Standing) -> Member:
    """The member with what it was before standing as it did, and what has changed standing since now."""
    known = before.entries if before else {}
    entries = {key: _entry(known.get(key), entry, now) for key, entry in after.entries.items()}
    kept = before.standing if before and _of_cluster(before) == _of_cluster(after) else None
    return replace(after, entries=entries, standing=kept or now, away_since=_away_since(before, after, now))


def _away_since(before: Member | None, after: Member, now: Standing) -> datetime | None:
    """Of a cluster that was away in a version that did not keep it: since it stands so."""
    if not after.is_away:
        return None
    if before is None or not before.is_away:
        return now.since
    return before.away_since or (before.standing or now).since


def loosened(before: Entry | None, after: Entry) -> Entry:
    """The entry after a look outside the sweeps: the next sweep says since when it stands where it does not stand as before."""
    return after if before and _of_entry(before) == _of_entry(after) else replace(after, standing=None)


def gone(page: Page, members: Mapping[str, Member], now: Standing) -> dict[str, Gone]:
    """What is no longer among the members, now or since some days."""
    remembered = {key: left for key, left in page.gone.items() if now.since - left.standing.since < _REMEMBERED}
    present = {key for key, _ in _parts(members, now)}
    return {key: left for key, left in {**remembered, **dict(_parts(page.members, now))}.items() if key not in present}


def _entry(before: Entry | None, after: Entry, now: Standing) -> Entry:
    kept = before.standing if before and _of_entry(before) == _of_entry(after) else None
    return replace(after, standing=kept or now)


def _of_entry(entry: Entry) -> tuple[object, ...]:
    drift = entry.drift.kind if entry.drift and entry.has_drifted else ""
    return entry.state, entry.seen.revision, entry.seen.suspended, drift, entry.missing_since is None


def _of_cluster(member: Member) -> tuple[object, ...]:
    version = member.cluster.extension.version if member.cluster.extension else ""
    return member.states, version, member.cluster.policies, member.missing_since is None


def _parts(members: Mapping[str, Member], now: Standing) -> Iterator[tuple[str, Gone]]:
    """Each cluster and fluxConfiguration, as it is told once it is gone."""
    for cluster_id, member in members.items():
        whole = Gone(cluster=member.cluster.name, cluster_id=cluster_id, standing=now)
        yield cluster_id, whole
        for key, entry in member.entries.items():
            yield key, replace(whole, configuration=entry.seen.name)
