"""What people ask: which cluster was asked to run what, what became of it, and who asked."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.audit import Link
from shared.domain.errors import NotFound, Refused
from shared.domain.fleet import Member
from shared.domain.rollouts import target_id
from shared.ports import Audit, FleetPages

MAX_ROWS = 1000
_LONGEST = 1024  #: characters of a name or an ARM id
_KIND = "/fluxconfigurations/"


@dataclass(frozen=True)
class History:
    """The use case behind GET /api/history: the chains of the audit trail that belong to a cluster's fluxConfigurations."""

    fleet: FleetPages
    audit: Audit

    async def __call__(self, cluster: str, *, limit: int) -> dict[str, object]:
        """Newest first. `cluster` is a name, the ARM id of a cluster of the fleet, or the ARM id of a fluxConfiguration, which may be
        gone. Raises Refused 400, and NotFound where the fleet has no such cluster.
        """
        if not cluster or len(cluster) > _LONGEST:
            raise Refused(400, "cluster must be a cluster's name, or an ARM id", explain=True)
        ids = await self._configurations(cluster.lower())
        rows = [_row(each, link) for each in ids async for link in self.audit.read(target_id(each))]
        rows.sort(key=lambda row: str(row["at"]), reverse=True)
        return {"configurations": ids, "history": rows[: min(max(limit, 1), MAX_ROWS)]}

    async def _configurations(self, wanted: str) -> list[str]:
        """Audited ones are found whether the fleet still has them or not, where they are named whole."""
        if _KIND in wanted:
            return [wanted]
        members = [member for page, _ in await self.fleet.pages() for member in page.members.values()]
        ids = sorted(found for member in members if _is(member, wanted) for found in _ids(member))
        if not ids:
            raise NotFound(
                "the fleet has no such cluster with a fluxConfiguration: a new one is found within minutes, "
                "and one that is gone is asked for by its fluxConfiguration's ARM id"
            )
        return ids


def _is(member: Member, wanted: str) -> bool:
    return wanted in (member.cluster.name.lower(), member.cluster.id.lower())


def _ids(member: Member) -> Iterator[str]:
    return (key.lower() for key in member.entries)


def _row(configuration_id: str, link: Link) -> dict[str, object]:
    """A record whose data key was destroyed says when something was, and no more."""
    entry = link.entry
    if entry is None:
        return {"at": link.at.isoformat(), "configuration": configuration_id, "action": "(shredded)"}
    return {
        "at": entry.at.isoformat(),
        "configuration": configuration_id,
        "action": entry.action,
        "revision": entry.detail.get("revision", ""),
        "reason": entry.detail.get("reason", ""),
        "by": entry.actor,
        "cause": entry.cause,
    }
