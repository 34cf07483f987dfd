"""What the use case does with a rollout: see its targets at a glance, open those that matter, decide, save all of it or nothing."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from shared.domain.advance import Decision, advance, to_open
from shared.domain.crowd import scope
from shared.domain.facts import Facts
from shared.domain.rollouts import Glance, Rollout, Target
from shared.domain.targets import scheduled

#: No rollout of a test needs more steps than this at one moment.
_MOST_STEPS = 400


class Stored:
    """A rollout and its targets, as the database has them."""

    def __init__(self, rollout: Rollout, targets: Iterable[Target]) -> None:
        self.rollout = rollout
        self.targets = {target.id: target for target in targets}

    def glances(self) -> list[Glance]:
        covered = scope(self.rollout)
        return [Glance.at(target) for target in self.targets.values() if covered.covers(target.stage, target.state)]

    def decide(self, now: datetime, facts: Facts | None = None) -> Decision:
        facts, glances = facts or Facts(), self.glances()
        opened = [self.targets[key] for key in to_open(self.rollout, glances, facts, now)]
        return advance(self.rollout, glances, opened, facts, now)

    def save(self, decision: Decision, now: datetime) -> None:
        """With slots at once: the pace has room for as many as were decided."""
        self.rollout = decision.rollout
        for target in decision.changed:
            self.save_target(replace(target, slot=now) if target in decision.dispatch else target)

    def save_target(self, target: Target) -> None:
        self.targets[target.id] = scheduled(target, self.rollout.stages[target.stage].rules)

    def step(self, now: datetime, facts: Facts | None = None) -> Decision:
        decision = self.decide(now, facts)
        self.save(decision, now)
        return decision

    def run(self, now: datetime, facts: Facts | None = None) -> list[Decision]:
        """Steps for as long as there is more to do at once."""
        decisions = [self.step(now, facts)]
        while decisions[-1].is_unfinished:
            assert len(decisions) < _MOST_STEPS, "steps that never end"
            decisions.append(self.step(now, facts))
        return decisions

    def states(self, stage: int = 0) -> list[str]:
        return [target.state for target in self.targets.values() if target.stage == stage]

    def counted(self, stage: int) -> dict[str, int]:
        """What the stage's counts must be."""
        states = self.states(stage)
        return {state: states.count(state) for state in sorted(set(states))}
