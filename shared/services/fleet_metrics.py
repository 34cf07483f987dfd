"""What is measured of the fleet, from the pages that its sweep has in memory."""

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from shared.domain.fleet import DriftKind, Page
from shared.metrics import CLUSTERS, CONFIGURATIONS, DRIFTED, gauge

_UNKNOWN = "unknown"
_CONNECTIVITY = ("connected", "offline", "expired", _UNKNOWN)
_COMPLIANCE = ("compliant", "non-compliant", _UNKNOWN)


def measure_fleet(pages: Sequence[Page]) -> None:
    """What no sweep sees any more is not counted. Every value is told, also that nothing has it: a gauge keeps what it was told last."""
    members = [member for page in pages for member in page.members.values() if not member.missing_since]
    entries = [entry for member in members for entry in member.entries.values()]
    connectivity = Counter(member.states.get("cluster", _UNKNOWN) for member in members)
    for value in _CONNECTIVITY:
        gauge(CLUSTERS, connectivity[value], connectivity=value)
    compliance = Counter(entry.state or _UNKNOWN for entry in entries if not entry.missing_since)
    for value in _COMPLIANCE:
        gauge(CONFIGURATIONS, compliance[value], compliance=value)
    drifts = Counter(entry.drift.kind for entry in entries if entry.drift and entry.has_drifted)
    for kind in get_args(DriftKind):
        gauge(DRIFTED, drifts[kind], kind=kind)
