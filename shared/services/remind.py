"""Rollouts that wait for people are told again, to those who want to be reminded."""

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from shared.domain.announcements import Announcement
from shared.domain.record import digest
from shared.domain.rollouts import Rollout, RolloutEvent
from shared.ports import Rollouts
from shared.services.announce import announce
from shared.services.tell import Tell

#: What a rollout is paused by.
_PAUSED_BY = frozenset({"rollout.paused", "stage.failed", "gate.expired"})


@dataclass(frozen=True)
class Remind:
    """Part of the sweep. Costs nothing where no alert has `repeat`."""

    rollouts: Rollouts
    tell: Tell

    async def __call__(self) -> None:
        if not any(rule.repeat for rule in self.tell.config.rules()):
            return
        waiting = [found[0] for rollout_id, _ in await self.rollouts.active() if (found := await self.rollouts.get(rollout_id))]
        await self.tell.again([each for rollout in waiting for each in lasting_of(rollout, self.tell.public_url)])


def lasting_of(rollout: Rollout, public_url: str) -> Iterator[Announcement]:
    """What people have been asked for, as of when they were."""
    event = _asked(rollout)
    if event is not None:
        told = announce(rollout, event, [], public_url)
        yield replace(told, id=digest("lasting", told.id))


def _asked(rollout: Rollout) -> RolloutEvent | None:
    if rollout.state == "paused":
        return next((event for event in reversed(rollout.events) if event.kind in _PAUSED_BY), None)
    last = rollout.events[-1] if rollout.events else None
    return last if last is not None and rollout.state == "running" and last.kind == "gate.waiting" else None
