"""PagerDuty: an alert a subject, by the Events API v2.

https://github.com/PagerDuty/developer-docs/tree/main/docs/events-API-v2: `routing_key`, `event_action` (trigger, resolve), `dedup_key` of
at most 255 characters, `payload.summary` of at most 1,024, 512 KB in all; 400 is final, 429 is tried again after minutes, 5xx too.
A resolve for which there is no open alert is dropped there.
"""

from shared.domain.announcements import Announcement
from shared.domain.cloud_events import timestamp
from shared.domain.deliveries import Parcel
from shared.domain.errors import Throttled
from shared.domain.incidents import Effect, effect, incident_key
from shared.providers.means import Means
from shared.providers.on_call import details
from shared.providers.one_by_one import one_by_one
from shared.providers.wording import Message, is_safe_link, line

ADDRESS = "https://events.pagerduty.com"
_PATH = "/v2/enqueue"
BODY_LIMIT = 512 * 1024  # bytes
SUMMARY, COMPONENT, SOURCE, LINK_TEXT, LINKS = 1024, 200, 200, 60, 5  # UTF-16 units; the API counts characters
_SLOW_DOWN_SECONDS = 120.0  # "preferably with a backoff of a few minutes"; no Retry-After comes


class PagerDutyProvider:
    """Implements ports.Provider. `token` is the integration's routing key; `address` another region's origin. News is not sent."""

    def __init__(self, means: Means) -> None:
        if not means.token:
            raise ValueError("PagerDuty needs a routing key")
        self._http = means.http
        self._address = (means.address or ADDRESS).rstrip("/").removesuffix(_PATH) + _PATH
        self._key = means.token
        self._source = means.source

    async def post(self, parcel: Parcel) -> None:
        await one_by_one(parcel.announcements, self._send)

    async def _send(self, announcement: Announcement) -> None:
        what = effect(announcement)
        if not what:
            return
        try:
            await self._http.post_json(self._address, {"routing_key": self._key, **render(announcement, what, self._source)})
        except Throttled as error:
            error.retry_after = error.retry_after or _SLOW_DOWN_SECONDS
            raise


def render(announcement: Announcement, what: Effect, source: str) -> Message:
    """The event without its routing key."""
    key = incident_key(announcement, source)
    if what == "resolves":
        return {"event_action": "resolve", "dedup_key": key}
    return {
        "event_action": "trigger",
        "dedup_key": key,
        "payload": _payload(announcement, source),
        "links": [{"href": url, "text": line(text, LINK_TEXT) or "Open"} for text, url in announcement.links if is_safe_link(url)][:LINKS],
        "client": "Sluice",
    }


def _payload(announcement: Announcement, source: str) -> Message:
    payload: Message = {
        "summary": line(announcement.title, SUMMARY) or line(announcement.kind, SUMMARY) or "Sluice",
        "source": _affected(announcement, source),
        "severity": announcement.severity,  # both are spelt as PagerDuty spells them
        "class": line(announcement.kind, COMPONENT),
        "custom_details": details(announcement),
    }
    if route := line(str(announcement.fields.get("route", "")), COMPONENT):
        payload["component"] = route
    if announcement.at is not None:
        payload["timestamp"] = timestamp(announcement.at)
    return payload


def _affected(announcement: Announcement, source: str) -> str:
    """The one cluster that it is about, or else the app that saw it."""
    only = announcement.clusters[0].name if len(announcement.clusters) == 1 and not announcement.more_clusters else ""
    return line(only, SOURCE) or line(source, SOURCE) or "Sluice"
