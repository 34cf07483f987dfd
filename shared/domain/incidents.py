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
#: Neither: failures that the strategy tolerates are told by target.failed, and a rollout whose stage is done is not over; and each
#: cluster of each rollout is compliant in the end.
_NEWS = frozenset({"stage.succeeded", "target.compliant"})
#: One kind tells both the trouble and its end; the severity says which.
_BOTH = "policy.state"
#: What is told of one rollout is one incident. Else one thing has one for each topic: that Azure has lost a cluster, for example, and
#: that its extension has failed, end apart.
_TOPICS = {"stage": "rollout", "target": "rollout", "gate": "rollout"}
_TOPICS_OF_KINDS = {"cluster.onboarded": "onboarding", "flux.alert": "flux.alert"}

#: Trouble whose end nobody tells.
_ENDLESS = frozenset({"flux.alert", "message.buried"})

Effect = Literal["opens", "resolves", ""]


def effect(announcement: Announcement) -> Effect:
    """What an announcement does to the incident of its subject. "" where it is no more than news."""
    if announcement.kind in _NEWS:
        return ""
    if _resolves(announcement):
        return "resolves" if announcement.subject else ""
    return "opens" if announcement.severity == "error" else ""


def may_resolve(kind: str) -> bool:
    """Whether an event of this kind can: all that can be said before there is one."""
    return kind not in _NEWS and (kind == _BOTH or kind.rpartition(".")[2] in RESOLVING)


def has_end(kind: str) -> bool:
    """Whether an event will tell the end: then its beginning must not be held back, or it might come after."""
    return kind not in _ENDLESS


def incident_key(announcement: Announcement, source: str) -> str:
    """The same for all that is told of one thing by one app (`source`): 32 hexadecimal characters. What has no subject stands alone."""
    if not announcement.subject:
        return digest("incident", source, announcement.id)
    family = announcement.kind.partition(".")[0]
    topic = _TOPICS_OF_KINDS.get(announcement.kind) or _TOPICS.get(family, family)
    return digest("incident", source, topic, announcement.subject)


def _resolves(announcement: Announcement) -> bool:
    if announcement.kind == _BOTH:
        return announcement.severity == "info"
    if announcement.kind == "target.recovered":
        return announcement.fields.get("failed") == 0  # the last one of its stage
    return may_resolve(announcement.kind)
