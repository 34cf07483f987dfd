"""Opsgenie, and the alerts of Jira Service Management, which took it over: an alert a subject, by the Alert API v2.

https://docs.opsgenie.com/docs/alert-api (Europe: https://api.eu.opsgenie.com): message of at most 130 characters, alias 512, description
15,000, tags 20 of 50, details 8,000 in all, entity 512, source 100. Both requests are answered 202 and done later; closing what is not
open does nothing. The REST API ends on 5 April 2027
(https://support.atlassian.com/opsgenie/docs/what-happens-when-opsgenie-is-turned-off); the same requests go to
https://api.atlassian.com/jsm/ops/integration, with a key of an API integration there
(https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events).
"""

from shared.domain.announcements import Announcement
from shared.domain.deliveries import Parcel
from shared.domain.incidents import effect, incident_key
from shared.providers.means import Means
from shared.providers.on_call import details
from shared.providers.one_by_one import one_by_one
from shared.providers.wording import Message, is_safe_link, line, safe, shorten

ADDRESS = "https://api.opsgenie.com"
_PATH = "/v2/alerts"
MESSAGE, DESCRIPTION, ENTITY, TAG, NOTE, DETAILS = 130, 15_000, 512, 50, 1_000, 8_000  # characters
_SUMMARY, _DETAIL_NAME, _DETAIL = 10_000, 40, 300


class OpsgenieProvider:
    """Implements ports.Provider. `token` is the key of an API integration; `address` where the API is. News is not sent."""

    def __init__(self, means: Means) -> None:
        if not means.token:
            raise ValueError("Opsgenie needs a key")
        self._http = means.http
        self._address = (means.address or ADDRESS).rstrip("/").removesuffix(_PATH) + _PATH
        self._headers = {"Authorization": f"GenieKey {means.token}"}
        self._source = means.source

    async def post(self, parcel: Parcel) -> None:
        await one_by_one(parcel.announcements, self._send)

    async def _send(self, announcement: Announcement) -> None:
        what, alias = effect(announcement), incident_key(announcement, self._source)
        if what == "opens":
            await self._http.post_json(self._address, {"alias": alias, **render(announcement)}, headers=self._headers)
        elif what == "resolves":
            body = {"source": "Sluice", "note": line(announcement.title, NOTE)}
            await self._http.post_json(f"{self._address}/{alias}/close?identifierType=alias", body, headers=self._headers)


def render(announcement: Announcement) -> Message:
    """The alert without its alias. Its priority is left to the integration."""
    links = [f"{line(text, TAG) or 'Open'}: {url}" for text, url in announcement.links if is_safe_link(url)]
    parts = [safe(announcement.summary, _SUMMARY), safe(announcement.next_step, _SUMMARY // 5), *links]
    return {
        "message": line(announcement.title, MESSAGE) or line(announcement.kind, MESSAGE) or "Sluice",
        "description": shorten("\n\n".join(part for part in parts if part), DESCRIPTION),
        "details": _details(announcement),
        "tags": [line(announcement.kind, TAG)],
        "entity": line(str(announcement.fields.get("route", "")), ENTITY),
        "source": "Sluice",
    }


def _details(announcement: Announcement) -> dict[str, str]:
    """Texts only, of 8,000 characters in all: what no longer fits is left out."""
    fitting: dict[str, str] = {}
    room = DETAILS
    for name, value in details(announcement).items():
        text = safe("; ".join(value) if isinstance(value, list) else str(value), _DETAIL)
        short = line(name, _DETAIL_NAME)
        room -= len(short) + len(text)
        if room < 0:
            break
        fitting[short] = text
    return fitting
