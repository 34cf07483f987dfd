"""What opens an incident at an on-call service, and what resolves it. Pure: of the announcement alone."""

from typing import Literal

from shared.domain.announcements import Announcement
from shared.domain.record import digest

#: What comes after the last full stop of a kind that tells of an end to trouble. It wins over the severity: a rollout that is rolled
#: back is an error that is over.
RESOLVING = frozenset(
    {
        "approved",
        "compliant",
        "connected",
        "healthy",
        "onboarded",
        "recovered",
        "remediated",
        "resolved",
        "resumed",
        "retried",
        "rolled-back",
        "succeeded",
        "superseded",
        "supported",
    }
)
#: Failures that the strategy tolerates call nobody, and a rollout whose stage is done is not over.
_NEWS = "stage.succeeded"
#: One kind tells both the trouble and its end; the severity says which.
_BOTH = "policy.state"

Effect = Literal["opens", "resolves", ""]


def effect(announcement: Announcement) -> Effect:
    """What an announcement does to the incident of its subject. "" where it is no more than news."""
    if announcement.kind == _NEWS:
        return ""
    if _resolves(announcement):
        return "resolves" if announcement.subject else ""
    return "opens" if announcement.severity == "error" else ""


def incident_key(announcement: Announcement, source: str) -> str:
    """The same for all that is told of one thing by one app (`source`): 32 hexadecimal characters. What has no subject stands alone."""
    return digest("incident", source, announcement.subject or announcement.id)


def _resolves(announcement: Announcement) -> bool:
    if announcement.kind == _BOTH:
        return announcement.severity == "info"
    return announcement.kind.rpartition(".")[2] in RESOLVING
