"""The gates of a rollout's stages: found by place and name, and put back when something was said at one."""

from collections.abc import Sequence

from msgspec.structs import replace

from shared.domain.gates import Gate
from shared.domain.rollouts import Rollout, Stage


def gate_of(rollout: Rollout, stage: int, name: str) -> Gate | None:
    """The gate of the stage with index `stage`; None where there is no such stage or gate."""
    if not 0 <= stage < len(rollout.stages):
        return None
    return next((gate for gate in rollout.stages[stage].gates if gate.name == name), None)


def with_gate(rollout: Rollout, stage: int, gate: Gate) -> Rollout:
    """The rollout with `gate` in the place of the one of its name."""
    changed = rollout.stages[stage]
    gates = tuple(gate if known.name == gate.name else known for known in changed.gates)
    return rollout.with_stage(stage, replace(changed, gates=gates))


def held_up(stages: Sequence[Stage], gate: Gate) -> tuple[Stage, ...]:
    """The stages with `gate` before those of the first that has clusters: nothing moves until it is approved."""
    first = next((index for index, stage in enumerate(stages) if stage.total), None)
    return tuple(replace(stage, gates=(gate, *stage.gates)) if index == first else stage for index, stage in enumerate(stages))
