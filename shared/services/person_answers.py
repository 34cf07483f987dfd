"""A person answers at an approval gate."""

from dataclasses import dataclass

from shared.domain.clock import Clock
from shared.domain.errors import NotAllowed, NotFound, Refused
from shared.domain.gates import Verdict, may_answer
from shared.domain.people import Person
from shared.domain.rollouts import Rollout
from shared.domain.stage_gates import gate_of
from shared.ports import Rollouts
from shared.services.answer_gate import AnswerGate
from shared.services.report import stage_index


@dataclass(frozen=True)
class PersonAnswers:
    """The use case behind POST /api/rollouts/{id}/gates/{stage}/{gate}/approve and .../reject."""

    rollouts: Rollouts
    answer_gate: AnswerGate
    clock: Clock

    async def __call__(self, rollout_id: str, stage: str, gate: str, person: Person, *, approved: bool, reason: str) -> Rollout:
        """The rollout with the answer; what follows from it is the next step's work.

        All who hold a key count as one: whoever claims two names is not two people. The claimed name stands with the reason.
        Raises NotFound, Refused 403 where the person is none of those asked, and NotAllowed where the state forbids it.
        """
        index = await self._check(rollout_id, stage, gate, person)
        said = f"{reason} (claimed: {person.claimed})" if person.claimed else reason
        verdict = Verdict(by=person.name, approved=approved, reason=said, at=self.clock())
        await self.answer_gate(rollout_id, index, gate, verdict, cause=rollout_id)
        return await self._rollout(rollout_id)

    async def _check(self, rollout_id: str, stage: str, gate: str, person: Person) -> int:
        """The stage's index."""
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
        return index

    async def _rollout(self, rollout_id: str) -> Rollout:
        found = await self.rollouts.get(rollout_id)
        if found is None:
            raise NotFound(f"there is no rollout {rollout_id}")
        return found[0]
