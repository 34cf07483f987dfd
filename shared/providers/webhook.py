"""A webhook of someone's own: each event is one signed POST.

Signed as Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), which also says
that a webhook tells one event, and what its answers mean; or as Flux's provider of type generic-hmac
(https://fluxcd.io/flux/components/notification/providers/#generic-webhook-with-hmac).
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from shared.domain import flux_receivers, gate_calls
from shared.domain.announcements import Announcement
from shared.domain.cloud_events import cloud_event, event_id
from shared.domain.deliveries import Parcel
from shared.domain.errors import Rejected, Unavailable
from shared.providers.means import Means
from shared.providers.one_by_one import one_by_one

GENERIC_HMAC = "generic-hmac"
# 410: nobody wants it any more. The others say that this very body will not do. Any other answer may be another one once someone has
# put the receiver right, so it is tried again ("the rest of the status codes should be treated as a failure").
_FINAL = frozenset({"400", "410", "413", "422"})
_NOT_SENT = frozenset({"InvalidAddress"})


class WebhookProvider:
    """Implements ports.Provider. Raises ValueError without a secret: nothing goes out unsigned."""

    def __init__(self, means: Means) -> None:
        if not means.token or means.clock is None:
            raise ValueError("a webhook needs a secret and a clock")
        self._means = means
        self._clock = means.clock

    async def post(self, parcel: Parcel) -> None:
        await one_by_one(parcel.announcements, self._send)

    async def _send(self, announcement: Announcement) -> None:
        """Raises Malformed where a secret of Standard Webhooks is none."""
        body = msgspec.json.encode(cloud_event(announcement, self._means.source))
        headers = self._signed(event_id(announcement), body, self._clock())
        try:
            await self._means.http.post_bytes(self._means.address, body, headers=headers)
        except Rejected as error:
            if error.code == "AnswerTooLong":
                return  # it said 2xx; what it went on to say is of no use to us
            if error.code in _FINAL or error.code in _NOT_SENT:
                raise
            raise Unavailable(str(error), code=error.code) from None

    def _signed(self, message_id: str, body: bytes, now: datetime) -> Mapping[str, str]:
        if self._means.signature == GENERIC_HMAC:
            return flux_receivers.call_headers(body, self._means.token)
        keys = [gate_calls.signing_key(secret) for secret in (self._means.token, self._means.previous_token) if secret]
        signed = [gate_calls.call_headers(message_id, body, key, now) for key in keys]
        return {**signed[0], "webhook-signature": " ".join(each["webhook-signature"] for each in signed)}
