"""A rollout is looked at: see what can change, decide, save it all at once, do what follows."""

import contextlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from msgspec.structs import replace

from shared.domain.advance import Decision, advance, is_settled, to_open
from shared.domain.clock import Clock
from shared.domain.crowd import is_due, scope
from shared.domain.errors import Conflict, NotFound, SluiceError
from shared.domain.facts import Facts
from shared.domain.picking import may_start
from shared.domain.rollouts import Glance, Rollout, Target
from shared.domain.targets import scheduled
from shared.domain.turns import Turn, take
from shared.log import event_logger
from shared.ports import Rollouts
from shared.services.concurrency import map_bounded
from shared.services.effects import Effects, must_tell
from shared.services.gate_facts import GateFactsOf
from shared.services.pacing import Pacer, Unpaced
from shared.services.rollout_metrics import measure_active, measure_step

log = event_logger("sluice.step")

#: A listed rollout that does not exist after so long was never made: its planning died, and was done again under the same id or not at all.
_ORPHANED_AFTER = timedelta(hours=1)
#: Targets that one message may change before the rest goes into another: a function that is short is one that can be scaled and lost.
_MOST_CHANGES = 90


@dataclass(frozen=True)
class Step:
    """The use case behind the queue `rollout-steps`, and of the sweep that finds what no message will."""

    rollouts: Rollouts
    pacer: Pacer
    gate_facts: GateFactsOf
    effects: Effects
    clock: Clock

    async def __call__(self, rollout_id: str) -> None:
        """Moves one rollout as far as it goes now. An unknown one is ignored: its planning sends another message when it is done."""
        if not await self._take_turn(rollout_id):
            return
        try:
            is_unfinished = await self._run(rollout_id)
        except SluiceError:
            with contextlib.suppress(SluiceError):  # the turn ends by itself in the end
                await self._end_turn(rollout_id)
            raise
        if await self._end_turn(rollout_id) or is_unfinished:
            await self.effects.step_again(rollout_id)

    async def _run(self, rollout_id: str) -> bool:
        """Whether there is more to do than one message does."""
        changed = 0
        while changed < _MOST_CHANGES:
            try:
                decision = await self._once(rollout_id)
            except Conflict:
                log.info("rollout.contended", extra={"rollout": rollout_id})
                continue
            if decision is None:
                return False
            changed += len(decision.changed)
        return True

    async def _take_turn(self, rollout_id: str) -> bool:
        """Whether this message may step. Where another one does, it is asked to look once more; where that one dies, its turn ends by
        itself and the sweep comes.
        """
        while True:
            found = await self.rollouts.turn(rollout_id)
            if found is None:
                return True
            is_free, turn = take(found[0], self.clock())
            if turn == found[0]:
                return is_free
            try:
                await self.rollouts.save_turn(rollout_id, turn, found[1])
            except (Conflict, NotFound):
                continue
            return is_free

    async def _end_turn(self, rollout_id: str) -> bool:
        """Whether someone came meanwhile."""
        while True:
            found = await self.rollouts.turn(rollout_id)
            if found is None:
                return False
            turn, etag = found
            try:
                await self.rollouts.save_turn(rollout_id, Turn(since=turn.since), etag)
            except (Conflict, NotFound):
                continue
            return turn.is_asked_for

    async def sweep(self) -> None:
        """Steps every rollout that can still change: what a crash lost is found here."""
        rollouts: list[Rollout] = []
        for rollout_id, since in await self.rollouts.active():
            found = await self.rollouts.get(rollout_id)
            if found is None:
                if self.clock() - since > _ORPHANED_AFTER:
                    await self.rollouts.unmark_active(rollout_id)
                continue
            rollouts.append(found[0])
            await self.effects.step_again(rollout_id)
        measure_active(rollouts)

    async def _once(self, rollout_id: str) -> Decision | None:
        """One step; None when there is nothing more to do now. Raises Conflict when someone else was faster."""
        found = await self.rollouts.get(rollout_id)
        if found is None:
            return None
        rollout, etag = found
        await self._note_what_was_left(rollout)
        now = self.clock()
        decision, etags = await self._decide(rollout, now)
        decision, etag = await self._save(rollout, decision, etag, etags, now)
        measure_step(rollout, decision, now)
        await self._follow(rollout, decision, etag, now)
        return decision if decision.is_unfinished else None

    async def _note_what_was_left(self, rollout: Rollout) -> None:
        """What follows from the ends of the step before, where its instance died."""
        if rollout.unnoted:
            await self.effects.note_ends(rollout, [target for target, _ in await self.rollouts.open(rollout.id, rollout.unnoted)])

    async def _decide(self, rollout: Rollout, now: datetime) -> tuple[Decision, dict[str, str]]:
        glances = await self.rollouts.glances(rollout.id, scope(rollout))
        facts = Facts(room=await self._room(rollout, glances, now), gates=await self.gate_facts(rollout))
        opened = await self.rollouts.open(rollout.id, to_open(rollout, glances, facts, now))
        etags = {target.id: etag for target, etag in opened}
        return advance(rollout, glances, [target for target, _ in opened], facts, now), etags

    async def _room(self, rollout: Rollout, glances: Sequence[Glance], now: datetime) -> dict[str, int]:
        """Of the subscriptions in which something may start now, at once or because it is judged in this very step."""
        waiting = sorted({g.subscription for g in glances if (g.state == "pending" and may_start(rollout, g)) or is_due(g, rollout, now)})
        return dict(zip(waiting, await map_bounded(self.pacer.of(rollout.action).room, waiting), strict=True))

    async def _save(self, before: Rollout, decision: Decision, etag: str, etags: dict[str, str], now: datetime) -> tuple[Decision, str]:
        """All or nothing, so that counts always fit. Slots that a lost race leaves unused are given back."""
        pacer = self.pacer.of(before.action)
        slots = await self._reserve(decision.dispatch, pacer)
        decision = _complete(before, decision, slots, now)
        if decision.rollout == before and not decision.changed:
            return decision, etag
        try:
            return decision, await self.rollouts.commit(decision.rollout, etag, [(t, etags[t.id]) for t in decision.changed])
        except Conflict:
            for subscription, count in Counter(target.subscription for target in decision.dispatch).items():
                await pacer.give_back(subscription, count)
            raise

    async def _reserve(self, dispatch: Sequence[Target], pacer: Pacer | Unpaced) -> dict[str, datetime]:
        by_subscription: dict[str, list[Target]] = defaultdict(list)
        for target in dispatch:
            by_subscription[target.subscription].append(target)

        async def reserve(targets: list[Target]) -> list[tuple[str, datetime]]:
            reserved = await pacer.reserve(targets[0].subscription, len(targets))
            return [(target.id, slot) for target, slot in zip(targets, reserved, strict=True)]

        return dict(chain.from_iterable(await map_bounded(reserve, by_subscription.values())))

    async def _follow(self, before: Rollout, decision: Decision, etag: str, now: datetime) -> None:
        after = decision.rollout
        await self.effects.send_updates(decision.dispatch)
        await self.effects.call_gates(after, decision.calls)
        if after.wake_at != before.wake_at and after.wake_at:
            await self.effects.step_again(after.id, not_before=after.wake_at)
        await self.effects.note_ends(after, [target for target in decision.changed if target.id in decision.ended])
        done = replace(after, unnoted=())
        if must_tell(before, after, now):
            done = await self.effects.tell(done)
        done = await self.effects.show(await self.effects.report(done))
        if done != after:
            await self.rollouts.save(done, etag)
        if is_settled(done) and done.announced == len(done.events) and not decision.is_unfinished:
            await self.rollouts.unmark_active(done.id)


def _complete(before: Rollout, decision: Decision, slots: dict[str, datetime], now: datetime) -> Decision:
    """The decision with its slots, with what the next instance must do should this one die, and with its next wake."""
    rollout, wake_at = decision.rollout, decision.wake_at
    slotted = {t.id: scheduled(replace(t, slot=slots[t.id]), rollout.stages[t.stage].rules) for t in decision.dispatch}
    changed = tuple(slotted.get(target.id, target) for target in decision.changed)
    if rollout.unnoted != decision.ended:
        rollout = replace(rollout, unnoted=decision.ended)
    if wake_at is not None and not (before.wake_at and now < before.wake_at <= wake_at):
        rollout = replace(rollout, wake_at=wake_at)
    return replace(decision, rollout=rollout, changed=changed, dispatch=tuple(slotted.values()))
