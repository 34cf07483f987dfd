"""What on-call services have in common: they show a table of details beside an alert."""

from shared.domain.announcements import Announcement
from shared.providers.wording import Message, line, safe

_SUMMARY, _VALUE, _LABEL, _NAME, _REASON = 2000, 500, 60, 200, 300  # UTF-16 units
_ROWS, _CLUSTERS = 20, 25


def details(announcement: Announcement) -> Message:
    """Texts and numbers by name, and the clusters as a list; what is empty is left out."""
    shown: Message = {
        "summary": safe(announcement.summary, _SUMMARY),
        "next step": safe(announcement.next_step, _VALUE),
        **{line(label, _LABEL): safe(value, _VALUE) for label, value in announcement.facts[:_ROWS]},
        "clusters": [_cluster(line(one.name, _NAME), line(one.reason, _REASON)) for one in announcement.clusters[:_CLUSTERS]],
        "more clusters": announcement.more_clusters + len(announcement.clusters[_CLUSTERS:]),
        **{line(name, _LABEL): line(str(value), _VALUE) for name, value in list(announcement.fields.items())[:_ROWS]},
    }
    return {name: value for name, value in shown.items() if name and value}


def _cluster(name: str, reason: str) -> str:
    return ": ".join(part for part in (name, reason) if part)
