"""A stage waits at a webhook gate: its service is asked."""

from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.errors import Conflict, Malformed, NotFound
from shared.domain.gate_calls import call_headers, call_id, make_call, signing_key
from shared.domain.gates import Gate, is_expired
from shared.domain.messages import CallGate
from shared.domain.rollouts import FINISHED, Rollout
from shared.domain.stage_gates import gate_of, with_gate
from shared.log import event_logger
from shared.ports import Audit, GateCaller, Rollouts, Secrets

log = event_logger("sluice.call-gate")


@dataclass(frozen=True)
class Call:
    """The use case behind the queue `gate-calls`.

    A step sends a message until the gate is marked as called, which is done first: from then on this one message asks, and comes back
    until the service has taken the question. A message that comes twice asks twice, with the same id.
    """

    rollouts: Rollouts
    secrets: Secrets
    caller: GateCaller
    audit: Audit
    clock: Clock
    public_url: str  #: this app's own address; "" where no setting tells it

    async def __call__(self, message: CallGate) -> None:
        """Asks, unless the gate is closed or answered.

        Raises NotFound for an unknown gate or secret, Malformed for a secret of another form or an app without address, and what the
        caller raises.
        """
        rollout, gate, _ = await self._find(message)
        if not self._must_be_called(rollout, gate):
            log.info("gate.not-called", extra={"rollout": rollout.id, "gate": gate.name})
            return
        await self._mark_called(message, gate)
        if not self.public_url:
            raise Malformed("app setting SLUICE_URL is missing: a webhook gate's service must know where to answer")
        key = signing_key(await self.secrets.get(gate.secret_ref))
        body = msgspec.json.encode(make_call(rollout, message.stage, gate, key, self.public_url))
        message_id = call_id(rollout.id, message.stage, gate)
        headers = call_headers(message_id, body, key, self.clock())
        await self.caller.post_bytes(gate.url, body, headers=headers)
        log.info("gate.called", extra={"rollout": rollout.id, "gate": gate.name})
        await self._note(rollout, message, message_id)

    async def _find(self, message: CallGate) -> tuple[Rollout, Gate, str]:
        found = await self.rollouts.get(message.rollout_id)
        gate = gate_of(found[0], message.stage, message.gate) if found else None
        if found is None or gate is None:
            raise NotFound(f"rollout {message.rollout_id} has no gate {message.gate} at stage {message.stage}")
        return found[0], gate, found[1]

    def _must_be_called(self, rollout: Rollout, gate: Gate) -> bool:
        """Not when nobody would wait for the answer."""
        is_open = gate.type == "webhook" and gate.state == "waiting" and gate.asked_at is not None and not gate.verdicts
        return is_open and not is_expired(gate, self.clock()) and rollout.state not in FINISHED

    async def _mark_called(self, message: CallGate, called: Gate) -> None:
        """Unless another attempt has, or the gate has expired meanwhile and is asked anew: that is another message's question."""
        while True:
            rollout, gate, etag = await self._find(message)
            if gate.called_at is not None or gate.asked_at != called.asked_at:
                return
            try:
                await self.rollouts.save(with_gate(rollout, message.stage, replace(gate, called_at=self.clock())), etag)
            except Conflict:
                continue
            return

    async def _note(self, rollout: Rollout, message: CallGate, message_id: str) -> None:
        await self.audit.append(
            Entry(
                id=message_id,
                stream=rollout.id,
                at=self.clock(),
                actor="sluice",
                action="gate.called",
                resource=f"{rollout.route} {rollout.stages[message.stage].name} {message.gate}",
                cause=rollout.change_id,
                detail={"revision": rollout.revision},
            )
        )
