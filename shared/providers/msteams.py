"""Microsoft Teams: an Adaptive Card 1.5 posted to a Workflows webhook. adaptive_card.py says why its elements are what they are."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.deliveries import Parcel
from shared.providers.adaptive_card import Part, Style, bar, buttons, container, facts, moment, plain_words, reasons, run, text
from shared.providers.http import OutboundHttp
from shared.providers.wording import Message, Room, fit, is_safe_link, line, more, paragraph, tone

MESSAGE_LIMIT = 20_000  # bytes of JSON; Teams says 28 KB, failures were measured from about 21 KB
TITLE, SUMMARY, OTHER_SUMMARY, STEP, LABEL, VALUE, NAME, REASON, LINK = 200, 800, 300, 400, 40, 200, 100, 200, 60  # UTF-16 units
FACTS, LINKS = 8, 3
ALIKE, OTHER_CLUSTERS = 8, 6  # clusters named for one reason, and in a section

#: Beside the colour a mark and words, for those who do not see it.
_TONES: dict[Style, tuple[str, str]] = {
    "attention": ("\u2716", "Needs attention"),
    "warning": ("\u25b2", "Waiting for people"),
    "good": ("\u2714", "Done"),
    "accent": ("\u25cf", "News"),
}
_ASKING = frozenset({"gate.waiting", "rollout.paused"})


class TeamsProvider:
    """Implements ports.Provider. `address` is the workflow's URL, a secret. `token` and `channel` have no meaning here.

    A 202 says that the workflow has taken the message, not that Teams has shown it.
    """

    def __init__(self, http: OutboundHttp, address: str, token: str = "", channel: str = "") -> None:
        self._http = http
        self._address = address

    async def post(self, parcel: Parcel) -> None:
        await self._http.post_json(self._address, render(parcel.announcements))


def render(announcements: Sequence[Announcement]) -> Message:
    """One message of at most 20 KB: the first failure is the heading, or else what came first; the others are sections."""
    ordered = sorted(announcements, key=lambda announcement: announcement.severity != "error")
    return fit(ordered, _message, lambda message: len(msgspec.json.encode(message)) <= MESSAGE_LIMIT)


def _message(announcements: Sequence[Announcement], room: Room) -> Message:
    first, others = announcements[0], announcements[1 : 1 + room.others]
    left_out = len(announcements) - 1 - len(others)
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "fallbackText": plain_words(_title(first)),
        "msteams": {"width": "Full"},
        "body": [
            *_whole(first, room),
            *(_section(other, room, [url for _, url in _links(first)]) for other in others),
            *([text(run(more(left_out), isSubtle=True))] if left_out else []),
        ],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}],
    }


def _whole(announcement: Announcement, room: Room) -> list[Message]:
    return [
        _heading(announcement),
        *_summary(announcement, SUMMARY),
        *_progress(announcement),
        *_next_step(announcement),
        *facts(_facts(announcement)),
        *(_picture(announcement) if room.clusters else []),
        *_clusters(announcement, room),
        *buttons(_links(announcement)),
    ]


def _heading(announcement: Announcement) -> Message:
    style = _style(announcement)
    mark, words = _TONES[style]
    items = [
        text(run(f"{mark} {words} \u00b7 Sluice", size="Small", weight="Bolder")),
        text(run(_title(announcement), size="Large", weight="Bolder"), spacing="None"),
        *_moment(announcement),
    ]
    return container(items, style=style, bleed=True)


def _section(announcement: Announcement, room: Room, linked: Sequence[str]) -> Message:
    """One announcement of several: what the heading links to need not be linked again."""
    mark, _ = _TONES[_style(announcement)]
    items = [
        text(run(f"{mark} "), run(_title(announcement), weight="Bolder")),
        *_moment(announcement),
        *_summary(announcement, OTHER_SUMMARY),
        *_clusters(announcement, room._replace(clusters=min(room.clusters, OTHER_CLUSTERS))),
        *buttons([(title, url) for title, url in _links(announcement) if url not in linked]),
    ]
    return container(items, separator=True, spacing="Medium")


def _style(announcement: Announcement) -> Style:
    told = tone(announcement)
    if told == "emphasis":
        return "warning" if announcement.kind in _ASKING else "accent"
    return told


def _picture(announcement: Announcement) -> list[Message]:
    """Within the card, since nothing that Teams could fetch it from is open to everyone: Image takes a data URI since version 1.2
    (microsoft/AdaptiveCards issue 628), and Teams shows it in cards that the flow bot posts (MicrosoftDocs/msteams-docs issue 9161).
    Where it does not, as in cards posted as a user, the facts say the same.
    """
    picture = announcement.picture
    if picture is None:
        return []
    address = f"data:image/png;base64,{b64encode(picture.png).decode()}"
    return [{"type": "Image", "url": address, "altText": line(picture.text, VALUE), "size": "Stretch"}]


def _title(announcement: Announcement) -> str:
    return line(announcement.title, TITLE) or line(announcement.kind, TITLE)


def _moment(announcement: Announcement) -> list[Message]:
    if announcement.at is None:
        return []
    return [moment(announcement.at, "Since" if _style(announcement) in {"attention", "warning"} else "At")]


def _summary(announcement: Announcement, limit: int) -> list[Message]:
    summary = paragraph(announcement.summary, limit)
    return [text(run(summary[0].upper() + summary[1:]))] if summary else []


def _progress(announcement: Announcement) -> list[Message]:
    """How far the clusters of a stage or rollout are, where that is told for programs."""
    total, compliant, back, failed = (_count(announcement, name) for name in ("total", "compliant", "rolledBack", "failed"))
    if not total or compliant + back + failed > total:
        return []
    return [bar([Part("good", compliant), Part("accent", back), Part("attention", failed)], total, f"{compliant + back:,} of {total:,}")]


def _count(announcement: Announcement, name: str) -> int:
    told = announcement.fields.get(name, 0)
    return max(0, told) if isinstance(told, int) else 0


def _next_step(announcement: Announcement) -> list[Message]:
    step = paragraph(announcement.next_step, STEP)
    return [container([text(run("What to do: ", weight="Bolder"), run(step))], style="emphasis")] if step else []


def _facts(announcement: Announcement) -> list[tuple[str, str]]:
    """What is to be done is said once."""
    told = [(line(label, LABEL), line(value, VALUE)) for label, value in announcement.facts if value != announcement.next_step]
    return told[:FACTS]


def _clusters(announcement: Announcement, room: Room) -> list[Message]:
    shown = list(_named(announcement.clusters, room.clusters))
    left_out = len(announcement.clusters) - len(shown) + announcement.more_clusters
    rows = [(line(cluster.name, NAME), line(cluster.reason, REASON)) for cluster in shown]
    note = more(left_out) if shown else f"{left_out:,} clusters"
    return [*reasons(rows), *([text(run(note, isSubtle=True))] if left_out else [])]


def _named(clusters: Sequence[ClusterLine], most: int) -> Iterator[ClusterLine]:
    """Few for a reason that many have, so that there is room for other reasons."""
    alike: Counter[str] = Counter()
    for cluster in clusters:
        if alike[cluster.reason] < ALIKE and alike.total() < most:
            alike[cluster.reason] += 1
            yield cluster


def _links(announcement: Announcement) -> list[tuple[str, str]]:
    return [(line(title, LINK) or "Open", url) for title, url in announcement.links if is_safe_link(url)][:LINKS]
