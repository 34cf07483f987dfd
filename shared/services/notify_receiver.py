"""A cluster's Flux is told to look now: its Receiver is called."""

from dataclasses import dataclass

import msgspec

from shared.domain.errors import Malformed, NotFound, Rejected
from shared.domain.flux_receivers import FluxReceiver, Notice, call_headers, url_of
from shared.domain.rollouts import Rollout
from shared.ports import ReceiverCaller, Secrets


@dataclass(frozen=True)
class NotifyReceiver:
    """A second call for one revision lets Flux look a second time, and changes nothing."""

    secrets: Secrets
    caller: ReceiverCaller

    async def __call__(self, rollout: Rollout, receiver: FluxReceiver) -> None:
        """Raises Throttled or Unavailable when it may work later, Rejected when it never will."""
        try:
            token = await self.secrets.get(receiver.token_ref)
        except (NotFound, Malformed):
            raise Rejected("the secret with its Receiver's token is not there", code="TokenMissing") from None
        notice = Notice(rollout=rollout.id, url=rollout.url, ref=rollout.ref, revision=rollout.revision)
        body = msgspec.json.encode(notice)
        headers = call_headers(body, token)
        await self.caller.call(url_of(receiver, token), body, headers=headers, private_addresses=receiver.private_addresses)
