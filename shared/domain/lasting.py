"""What is wrong in the fleet, and since when: for those who want to be reminded while it lasts. Pure."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from shared.domain.fleet import Entry, Member, Page, Transition
from shared.domain.transitions import of_entry, of_member, reason_of, what_drifted


def lasting(pages: Iterable[Page]) -> Iterator[Transition]:
    """Each as it was told when it began. What is not seen just now is not known to last."""
    for page in pages:
        for member in page.members.values():
            if member.missing_since is None:
                yield from _of_member(member)


def _of_member(member: Member) -> Iterator[Transition]:
    for topic, since in member.since.items():
        kind = f"{topic}.{member.states[topic]}"
        yield replace(of_member(member.cluster, kind, reason_of(kind, member.cluster)), at=since)
    for entry in member.entries.values():
        if entry.missing_since is None:
            yield from _of_entry(member, entry)


def _of_entry(member: Member, entry: Entry) -> Iterator[Transition]:
    if entry.since is not None:
        yield replace(of_entry(entry, member.cluster, "configuration.non-compliant", entry.seen.message), at=entry.since)
    if entry.drift is not None and entry.drift.found_at is not None:
        yield replace(of_entry(entry, member.cluster, "drift.found", what_drifted(entry.drift)), at=entry.drift.found_at)
