"""A webhook arrives: verify, parse, record each change once, queue it; keep what it tells of checks and clusters."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from shared.config.fields import limit
from shared.config.models import Config, Receiver
from shared.domain.clock import Clock
from shared.domain.errors import NotFound, Refused, SluiceError
from shared.log import event_logger
from shared.metrics import REFUSED, count
from shared.ports import Audit, Changes, Queue, Registry, Secrets
from shared.receivers.inbound import Inbound, Received
from shared.services.check import RecordCheck
from shared.services.digests import Digests
from shared.services.rates import Rates
from shared.services.record_change import RecordChange
from shared.services.refusals import Refusals
from shared.services.report_flux import ReportFlux

log = event_logger("sluice.receive")

#: GitHub gives up after 10 seconds and does not try again, so an answer that would come later is a clear 503 in time.
DEADLINE_SECONDS = 8.0
#: Stands for every name that is not configured: such a name is the sender's text, and is neither logged nor counted by.
_UNKNOWN = "unknown"
_UNKNOWN_RATE = "600/m"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `body` is JSON, or empty where the sender is told nothing."""

    status: int
    body: Mapping[str, object] | None = None
    retry_after: int = 0  #: seconds; 0 where nothing is said


@dataclass(frozen=True)
class Receive:
    """The use case behind POST /api/receivers/{name} and, for senders that can do no better, /api/receivers/{name}/{token}."""

    config: Config
    secrets: Secrets
    changes: Changes
    audit: Audit
    queue: Queue
    registry: Registry
    clock: Clock
    record_check: RecordCheck
    report_flux: ReportFlux
    rates: Rates
    refusals: Refusals

    async def __call__(self, name: str, headers: Mapping[str, str], body: bytes, token: str = "") -> Answer:
        """202 with the ids of new changes, the names of checks that ended, or for a report that was news; 200 for what needs no work;
        else the refusal's status.
        """
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await self._accept(name, headers, body, token)
        except Refused as refused:
            return self._refuse(self.config.receiver(name), refused)
        except (TimeoutError, SluiceError) as error:
            receiver = name if self.config.receiver(name) else _UNKNOWN
            count(REFUSED, receiver=receiver, reason="unavailable")
            log.exception("receiver.unavailable", extra={"receiver": receiver, "error": type(error).__name__})
            return Answer(503, {"error": "not recorded: a dependency is unavailable; deliver again"})

    def _refuse(self, receiver: Receiver | None, refused: Refused) -> Answer:
        name, rate = (receiver.name, receiver.rate_limit) if receiver else (_UNKNOWN, _UNKNOWN_RATE)
        if wait := self.refusals.note(name, limit(rate), refused):
            return Answer(429, retry_after=wait)
        return Answer(refused.status, {"error": refused.reason} if refused.explain else None, refused.retry_after)

    async def _accept(self, name: str, headers: Mapping[str, str], body: bytes, token: str) -> Answer:
        receiver = self.config.receiver(name)
        if receiver is None:
            raise Refused(404, "receiver-unknown")
        if token and not receiver.sender.takes_token:
            raise Refused(404, "token-unexpected: this sender can do better")
        if len(body) > receiver.max_body_bytes:
            raise Refused(413, f"body-too-large: at most {receiver.max_body_bytes} bytes", explain=True)
        inbound = self._inbound(receiver, headers, body, token)
        received = receiver.sender.receive(inbound, await self._secrets_of(receiver))
        if not receiver.accepts(received.event):
            return Answer(200, {"ignored": received.event})
        if not received.changes and not received.checks and not received.reports:
            return Answer(200, _told(received))
        # What clusters tell is not paced: it makes no work for the fleet, and comes from all of them at once.
        slot = self.clock() if received.reports else await self.rates.slot(receiver)
        received = replace(received, changes=await Digests(self.config, self.registry, self.secrets).fill(receiver, received.changes))
        record_change = RecordChange(self.changes, self.audit, self.queue)
        new = [
            *[await record_change(change, due=slot) for change in received.changes],
            *[await self.record_check(check) for check in received.checks],
            *[await self.report_flux(report) for report in received.reports],
        ]
        return Answer(202 if any(new) else 200, _told(received))

    def _inbound(self, receiver: Receiver, headers: Mapping[str, str], body: bytes, token: str) -> Inbound:
        return Inbound(
            receiver=receiver.name,
            headers={key.lower(): value for key, value in headers.items()},
            body=body,
            received_at=self.clock(),
            token=token,
            header=(receiver.header or "").lower(),
            url=receiver.url,
            identity=receiver.identity or "",
            automation_authors=receiver.automation_authors,
        )

    async def _secrets_of(self, receiver: Receiver) -> list[str]:
        """A previous secret that is deleted already is no longer valid; a missing current one is an error."""
        secrets = [await self.secrets.get(receiver.secret_ref)]
        if receiver.previous_secret_ref:
            with contextlib.suppress(NotFound):
                secrets.append(await self.secrets.get(receiver.previous_secret_ref))
        return secrets


def _told(received: Received) -> Mapping[str, object]:
    if received.changes:
        return {"changes": [change.id for change in received.changes]}
    if received.checks:
        return {"checks": [check.name for check in received.checks]}
    return {"ok": received.event}
