"""People act on a rollout: one moment to decide, one document to save."""

from contextlib import suppress
from dataclasses import dataclass

from shared.domain.acts import Act, ActKind, perform
from shared.domain.clock import Clock
from shared.domain.errors import Conflict, NotAllowed, NotFound, SluiceError
from shared.domain.rollouts import Rollout
from shared.log import event_logger
from shared.ports import Changes, Rollouts
from shared.services.effects import Effects

log = event_logger("sluice.act")

#: Acts that write to clusters anew: only the newest rollout of its route and ref may.
_FOR_THE_NEWEST: frozenset[ActKind] = frozenset({"resume", "rollback", "retry"})


@dataclass(frozen=True)
class ActOn:
    """The use case behind POST /api/rollouts/{id}/{act}. Whether somebody may do it is the caller's to know.

    Who did it and why is saved with the rollout, as the event of the act: one write, so there is no act without its record, and no
    record of an act that did not happen. From there the event goes into the audit trail and to people, now, or after a crash with
    the next sweep (see `Effects.tell`).
    """

    rollouts: Rollouts
    changes: Changes
    effects: Effects
    clock: Clock

    async def __call__(self, rollout_id: str, act: Act) -> Rollout:
        """The rollout after the act. Raises NotFound, or NotAllowed with the reason where the state forbids it."""
        acted, etag = await self._save(rollout_id, act)
        log.info("rollout.acted", extra={"rollout": rollout_id, "act": act.kind})
        try:
            return await self._follow(acted, etag)
        except SluiceError as error:
            # It has happened, so it must not be answered with an error. A sweep does what is left: the rollout is on its list.
            log.warning("act.unfollowed", extra={"rollout": rollout_id, "error": type(error).__name__})
            return acted

    async def _save(self, rollout_id: str, act: Act) -> tuple[Rollout, str]:
        """Decided again where somebody else was faster: what was allowed may not be any more."""
        while True:
            found = await self.rollouts.get(rollout_id)
            if found is None:
                raise NotFound(f"there is no rollout {rollout_id}")
            rollout, etag = found
            acted = perform(rollout, act, self.clock())
            if act.kind in _FOR_THE_NEWEST:
                await self._check_newest(rollout)
            # A rollout that was over is on no list: it is put there first, so that no crash leaves it half done.
            await self.rollouts.mark_active(rollout_id)
            with suppress(Conflict):
                return acted, await self.rollouts.save(acted, etag)

    async def _check_newest(self, rollout: Rollout) -> None:
        head, _ = await self.changes.head(rollout.source, rollout.ref)
        if rollout.id not in head.rollouts:
            raise NotAllowed("a newer push has taken its place")

    async def _follow(self, acted: Rollout, etag: str) -> Rollout:
        await self.rollouts.mark_active(acted.id)  # again, in case a step took it off the list meanwhile
        await self.effects.step_again(acted.id)
        told = await self.effects.tell(acted)
        with suppress(Conflict):  # a step was faster: it tells once more, under the same ids
            await self.rollouts.save(told, etag)
        return told
