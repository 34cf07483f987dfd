"""Somebody answers at a gate: a person, or the service behind a webhook gate."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.errors import Conflict, Malformed, NotAllowed, NotFound, Refused, Unavailable
from shared.domain.gate_calls import call_id, is_alive, is_token_for, signing_key
from shared.domain.gates import Gate, Verdict, answer
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.domain.record import digest
from shared.domain.rollouts import FINISHED, Rollout
from shared.domain.stage_gates import gate_of, with_gate
from shared.log import event_logger
from shared.ports import Audit, Queue, Rollouts, Secrets

log = event_logger("sluice.answer-gate")

MAX_BODY_BYTES = 16 * 1024


@dataclass(frozen=True)
class AnswerGate:
    """Adds a verdict to a gate. Who may give one is the caller's to know: `gates.may_answer` for people, the token for services."""

    rollouts: Rollouts
    audit: Audit
    queue: Queue
    clock: Clock

    async def __call__(self, rollout_id: str, stage: int, gate: str, verdict: Verdict, *, cause: str) -> Gate:
        """The gate with the verdict; what follows from it is the next step's work. `cause` is what the audit entry names as such.

        The same verdict again is no error. Raises NotFound, or NotAllowed with the reason where the state forbids it.
        """
        while True:
            rollout, known, etag = await find_gate(self.rollouts, rollout_id, stage, gate)
            answered = answer(known, verdict)
            if answered == known:
                break
            if rollout.state in FINISHED:
                raise NotAllowed(f"the rollout is {rollout.state} already")
            # Before the save: after it nobody would know that the record is still missing. Where the save is lost, the record says what
            # was asked for; whoever then says the opposite makes another.
            await self._note(rollout, stage, answered, verdict, cause)
            try:
                await self.rollouts.save(replace(with_gate(rollout, stage, answered), updated_at=self.clock()), etag)
            except Conflict:
                continue
            break
        await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=rollout_id))
        log.info("gate.answered", extra={"rollout": rollout_id, "gate": answered.name, "approved": verdict.approved})
        return answered

    async def _note(self, rollout: Rollout, stage: int, gate: Gate, verdict: Verdict, cause: str) -> None:
        await self.audit.append(
            Entry(
                # Ids stand readable in the database, names do not.
                id=digest("gate-answer", rollout.id, str(stage), gate.name, verdict.by, str(verdict.approved)),
                stream=rollout.id,
                at=verdict.at,
                actor=verdict.by,
                action="gate.answered",
                resource=f"{rollout.route} {rollout.stages[stage].name} {gate.name}",
                cause=cause,
                detail={"approved": str(verdict.approved).lower(), "reason": verdict.reason, "revision": rollout.revision},
            )
        )


class CallbackBody(msgspec.Struct, frozen=True):
    """What a service says to the callback URL."""

    approved: bool
    reason: Annotated[str, Meta(max_length=500)] = ""


@dataclass(frozen=True)
class Callback:
    """The use case behind POST /api/gates/{rollout}/{stage}/{gate}: the service behind a webhook gate answers."""

    rollouts: Rollouts
    secrets: Secrets
    answer_gate: AnswerGate
    clock: Clock

    async def __call__(self, rollout_id: str, stage: int, gate: str, token: str, body: bytes) -> Gate:
        """The token is checked before anything is read of the body: its form before the database is asked, its MAC after.

        Raises Refused (401, 413, 400), NotFound, NotAllowed, and Unavailable where the token cannot be checked now.
        """
        if not is_alive(token, self.clock()):
            raise Refused(401, "token-invalid")
        _, known, _ = await find_gate(self.rollouts, rollout_id, stage, gate)
        if known.type != "webhook" or not is_token_for(token, await self._key_of(known), rollout_id, stage, gate, self.clock()):
            raise Refused(401, "token-wrong")
        given = _read(body)
        verdict = Verdict(by=f"webhook {gate}", approved=given.approved, reason=given.reason, at=self.clock())
        return await self.answer_gate(rollout_id, stage, gate, verdict, cause=call_id(rollout_id, stage, known))

    async def _key_of(self, gate: Gate) -> bytes:
        """A secret that is missing is our own trouble, and not the service's: it shall try again."""
        try:
            return signing_key(await self.secrets.get(gate.secret_ref))
        except (NotFound, Malformed) as error:
            raise Unavailable("the gate's secret cannot be used") from error


async def find_gate(rollouts: Rollouts, rollout_id: str, stage: int, gate: str) -> tuple[Rollout, Gate, str]:
    """A rollout, one of its gates, and the rollout's ETag. Raises NotFound."""
    found = await rollouts.get(rollout_id)
    known = gate_of(found[0], stage, gate) if found else None
    if found is None or known is None:
        raise NotFound("there is no such gate")
    return found[0], known, found[1]


def _read(body: bytes) -> CallbackBody:
    if len(body) > MAX_BODY_BYTES:
        raise Refused(413, f"body-too-large: at most {MAX_BODY_BYTES} bytes", explain=True)
    try:
        return msgspec.json.decode(body, type=CallbackBody)
    except msgspec.ValidationError as error:
        # It names types and paths of our own schema, never the sender's text.
        raise Refused(400, f"body-invalid: {error}", explain=True) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(400, "body-invalid: not valid JSON", explain=True) from None
