"""What people ask about the fleet: how many clusters are in which state, and which ones."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from shared.domain.errors import Refused
from shared.domain.fleet import Cluster, Drift, DriftKind, Entry, Member
from shared.domain.record import Record
from shared.ports import FleetPages

MAX_PAGE = 1000
_ANY = "any"
_NONE = "none"
_LONGEST = 2048


class FleetFilter(Record, frozen=True):
    """What a row must be; "" = whatever. All of it is compared without case, but for the revision, which may be a beginning."""

    compliance: str = ""
    connectivity: str = ""
    drift: str = ""  #: a kind, "any" or "none"
    revision: str = ""
    cluster: str = ""


@dataclass(frozen=True)
class ReportFleet:
    """The use case behind GET /api/fleet: the pages are read, and nothing else."""

    store: FleetPages

    async def __call__(self, wanted: FleetFilter, *, limit: int, continuation: str) -> dict[str, object]:
        """Counts of the whole fleet, and a page of the rows that are wanted, by ARM id. Raises Refused 400."""
        _check(wanted, continuation)
        sweep, _ = await self.store.sweep()
        members = [member for page, _ in await self.store.pages() for member in page.members.values()]
        rows = sorted(_rows(members), key=lambda row: row[0])
        found = [(key, member, entry) for key, member, entry in rows if key > continuation and _is_wanted(wanted, member, entry)]
        shown = found[: min(max(limit, 1), MAX_PAGE)]
        return {
            "sweptAt": _text(sweep.finished_at),
            "counts": _counts(members),
            "matching": sum(_is_wanted(wanted, member, entry) for _, member, entry in rows),
            "fleet": [_row(member, entry) for _, member, entry in shown],
            "continuation": shown[-1][0] if len(shown) < len(found) else None,
        }


def _check(wanted: FleetFilter, continuation: str) -> None:
    drifts = (*get_args(DriftKind), _ANY, _NONE)
    if wanted.drift and wanted.drift not in drifts:
        raise Refused(400, f"drift must be one of {', '.join(drifts)}", explain=True)
    if len(continuation) > _LONGEST:
        raise Refused(400, "continuation must be what the page before gave", explain=True)


def _rows(members: list[Member]) -> Iterator[tuple[str, Member, Entry | None]]:
    """A row a fluxConfiguration, and one for each cluster that has none."""
    for member in members:
        if not member.entries:
            yield member.cluster.id, member, None
        for key, entry in member.entries.items():
            yield key, member, entry


def _is_wanted(wanted: FleetFilter, member: Member, entry: Entry | None) -> bool:
    compliance = entry.seen.compliance if entry else ""
    return (
        _like(wanted.compliance, compliance)
        and _like(wanted.connectivity, member.cluster.connectivity)
        and _like(wanted.cluster, member.cluster.name)
        and _has_revision(wanted.revision, entry)
        and _has_drift(wanted.drift, entry)
    )


def _like(wanted: str, found: str) -> bool:
    return not wanted or wanted.lower() == found.lower()


def _has_revision(wanted: str, entry: Entry | None) -> bool:
    """As Flux writes it (`main@sha1:<hex>`), or the beginning of its hash."""
    if not wanted:
        return True
    revision = entry.seen.revision.lower() if entry else ""
    return revision == wanted.lower() or revision.rpartition(":")[2].rpartition("/")[2].startswith(wanted.lower())


def _has_drift(wanted: str, entry: Entry | None) -> bool:
    if not wanted:
        return True
    kind = entry.drift.kind if entry and entry.drift and entry.has_drifted else _NONE
    return kind != _NONE if wanted == _ANY else kind == wanted


def _counts(members: list[Member]) -> dict[str, object]:
    entries = [entry for member in members for entry in member.entries.values()]
    return {
        "clusters": len(members),
        "configurations": len(entries),
        "connectivity": Counter(member.cluster.connectivity or "Unknown" for member in members),
        "compliance": Counter(entry.seen.compliance for entry in entries),
        "drift": Counter(entry.drift.kind for entry in entries if entry.drift and entry.has_drifted),
        "extension": Counter(member.states.get("extension", "none") for member in members),
        "fluxVersions": Counter(member.cluster.extension.version for member in members if member.cluster.extension),
        "fluxUnsupported": sum(member.states.get("flux") == "unsupported" for member in members),
        "policyNonCompliant": sum(bool(member.cluster.policies) for member in members),
    }


def _row(member: Member, entry: Entry | None) -> dict[str, object]:
    return {**_cluster(member.cluster, member.states), **(_configuration(entry) if entry else {})}


def _cluster(cluster: Cluster, states: dict[str, str]) -> dict[str, object]:
    extension = cluster.extension
    return {
        "cluster": cluster.name,
        "clusterId": cluster.id,
        "location": cluster.location,
        "tags": cluster.tags,
        "kind": cluster.kind,
        "connectivity": cluster.connectivity,
        "agentVersion": cluster.agent_version,
        "kubernetesVersion": cluster.kubernetes_version,
        "fluxExtension": {
            "state": extension.state,
            "version": extension.version,
            "releaseTrain": extension.release_train,
            "message": extension.message,
            "supported": states.get("flux") != "unsupported",
        }
        if extension
        else None,
        "policies": cluster.policies,
    }


def _configuration(entry: Entry) -> dict[str, object]:
    seen, asked = entry.seen, entry.asked
    return {
        "configuration": seen.name,
        "resourceId": seen.id,
        "compliance": seen.compliance,
        "message": seen.message,
        "suspended": seen.suspended,
        "source": seen.url,
        "revision": seen.revision,
        "askedRevision": asked.pin.revision if asked else "",
        "route": asked.route if asked else "",
        "drift": _drift(entry.drift) if entry.drift and entry.has_drifted else None,
    }


def _drift(drift: Drift) -> dict[str, object]:
    return {
        "kind": drift.kind,
        "detail": drift.detail,
        "since": _text(drift.since),
        "by": drift.by or None,
        "at": _text(drift.by_at),
        "restores": drift.restores,
        "note": drift.note,
    }


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
