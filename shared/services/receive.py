"""A webhook arrives: verify, parse, record each change once, queue it; keep what it tells of checks."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from shared.config.models import Config, Receiver
from shared.domain.clock import Clock
from shared.domain.errors import NotFound, Refused, SluiceError
from shared.log import event_logger
from shared.ports import Audit, Changes, Queue, Registry, Secrets
from shared.receivers.inbound import Inbound, Received
from shared.services.check import RecordCheck
from shared.services.digests import Digests
from shared.services.record_change import RecordChange

log = event_logger("sluice.receive")

#: GitHub gives up after 10 seconds and does not try again, so an answer that would come later is a clear 503 in time.
DEADLINE_SECONDS = 8.0


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `body` is JSON, or empty where the sender is told nothing."""

    status: int
    body: Mapping[str, object] | None = None


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

    async def __call__(self, name: str, headers: Mapping[str, str], body: bytes, token: str = "") -> Answer:
        """202 with the ids of new changes or the names of checks that ended; 200 for what needs no work; else the refusal's status."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await self._accept(name, headers, body, token)
        except Refused as refused:
            # A name that is not configured is the sender's text, and is not logged.
            receiver = name if self.config.receiver(name) else "unknown"
            log.warning("receiver.refused", extra={"receiver": receiver, "status": refused.status, "reason": refused.reason})
            return Answer(refused.status, {"error": refused.reason} if refused.explain else None)
        except (TimeoutError, SluiceError) as error:
            log.exception("receiver.unavailable", extra={"error": type(error).__name__})
            return Answer(503, {"error": "not recorded: a dependency is unavailable; deliver again"})

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
        received = replace(received, changes=await Digests(self.config, self.registry, self.secrets).fill(receiver, received.changes))
        record_change = RecordChange(self.changes, self.audit, self.queue)
        new = [await record_change(change) for change in received.changes] + [await self.record_check(check) for check in received.checks]
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
