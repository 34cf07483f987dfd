"""A person answers at an approval gate."""

from dataclasses import dataclass

from shared.domain.clock import Clock
from shared.domain.errors import NotAllowed, NotFound, Refused
from shared.domain.gates import Gate, Verdict, answer, may_answer
from shared.domain.people import Person
from shared.domain.rollouts import FINISHED, Rollout
from shared.domain.stage_gates import gate_of
from shared.ports import Rollouts
from shared.services.answer_gate import AnswerGate
from shared.services.report import stage_index


@dataclass(frozen=True)
class PersonAnswers:
    """The use case behind POST /api/rollouts/{id}/gates/{stage}/{gate}/approve and .../reject, and behind the same buttons in Slack."""

    rollouts: Rollouts
    answer_gate: AnswerGate
    clock: Clock

    async def __call__(
        self, rollout_id: str, stage: str, gate: str, person: Person, *, approved: bool, reason: str, via: str = ""
    ) -> Rollout:
        """The rollout with the answer; what follows from it is the next step's work. `via` says where it was given, if not at the API.

        All who hold a key count as one: whoever claims two names is not two people. The claimed name stands with the reason.
        Raises NotFound, Refused 403 where the person is none of those asked, and NotAllowed where the state forbids it.
        """
        _, index, _ = await self._check(rollout_id, stage, gate, person)
        said = f"{reason} (claimed: {person.claimed})" if person.claimed else f"{reason} (via {via})" if via else reason
        verdict = Verdict(by=person.name, approved=approved, reason=said, at=self.clock())
        await self.answer_gate(rollout_id, index, gate, verdict, cause=rollout_id)
        return await self._rollout(rollout_id)

    async def may(self, rollout_id: str, stage: str, gate: str, person: Person, *, approved: bool) -> Rollout:
        """The rollout, where the person could answer so just now. Changes nothing, and raises as the answer itself would."""
        rollout, _, known = await self._check(rollout_id, stage, gate, person)
        answer(known, Verdict(by=person.name, approved=approved, reason="", at=self.clock()))
        if rollout.state in FINISHED:
            raise NotAllowed(f"the rollout is {rollout.state} already")
        return rollout

    async def _check(self, rollout_id: str, stage: str, gate: str, person: Person) -> tuple[Rollout, int, Gate]:
        """The rollout, the stage's index and the gate."""
        rollout = await self._rollout(rollout_id)
        index = stage_index(rollout, stage)
        known = gate_of(rollout, index, gate)
        if known is None:
            names = ", ".join(each.name for each in rollout.stages[index].gates) or "none"
            raise NotFound(f"there is no such gate; the gates of stage {stage} are {names}")
        if known.type != "approval":
            raise NotAllowed(f"nobody is asked at gate {gate}: it is of type {known.type}")
        if not may_answer(known, person.roles_among(known.approvers)):
            raise Refused(403, f"the role {' or '.join(known.approvers)} is missing", explain=True)
        return rollout, index, known

    async def _rollout(self, rollout_id: str) -> Rollout:
        found = await self.rollouts.get(rollout_id)
        if found is None:
            raise NotFound(f"there is no rollout {rollout_id}")
        return found[0]
