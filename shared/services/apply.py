"""One target is written, or its cluster's Receiver is called: take a turn, do it, record."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.configurations import Configuration, claim, cluster_id, configuration_id, release
from shared.domain.errors import Busy, Conflict, Malformed, Rejected, Throttled, Upstream
from shared.domain.messages import CONFIG_UPDATES, ApplyUpdate
from shared.domain.pace import ARM_WRITES
from shared.domain.pins import Pin
from shared.domain.rollouts import Rejection, Rollout, Target, TargetState
from shared.domain.targets import scheduled
from shared.domain.windows import is_open
from shared.log import event_logger
from shared.ports import Audit, Configurations, Queue, ResourceManager, Rollouts
from shared.services.notify_receiver import NotifyReceiver
from shared.services.pacing import Pacer

log = event_logger("sluice.apply")

#: A message that is taken up later than this missed its slot. Until then ARM's bucket has refilled by no more than it holds, so
#: whatever is late together still finds a place in it.
_SLOT_TOLERANCE = timedelta(seconds=ARM_WRITES.burst / ARM_WRITES.per_second)
#: How long to wait, and how often, for a target that another instance has written and this one cannot see yet.
_NOT_VISIBLE_SECONDS, _NOT_VISIBLE_TIMES = 5.0, 10
_MAX_BACKOFF_SECONDS = 300.0
#: A Receiver that could not be called so often, over eight minutes and a half, is left alone: its cluster looks by itself in the end.
_CALLS = 9
_AWAITED: frozenset[TargetState] = frozenset({"queued", "applied", "offline"})
_OVERTAKEN = Rejection(code="Overtaken", message="a newer change has this fluxConfiguration", overtaken=True)


@dataclass(frozen=True)
class Apply:
    """The use case behind the queue `config-updates`.

    A message may come twice, or late: `dispatch` tells an old one, and the turn on the fluxConfiguration's record lets only one
    PATCH happen. An instance that dies during its PATCH keeps the turn until the lease ends, then the message is tried again.
    """

    rollouts: Rollouts
    configurations: Configurations
    resource_manager: ResourceManager
    notify: NotifyReceiver
    pacer: Pacer
    audit: Audit
    queue: Queue
    clock: Clock
    lease: timedelta

    async def __call__(self, message: ApplyUpdate, *, holder: str) -> None:
        """`holder` names this attempt, and no other."""
        found = await self.rollouts.get(message.rollout_id)
        loaded = await self.rollouts.target(message.rollout_id, message.target_id)
        if found is None or loaded is None or loaded[0].dispatch < message.dispatch:
            await self._not_visible(message)
            return
        if loaded[0].state != "queued" or loaded[0].dispatch != message.dispatch:
            log.info("update.duplicate", extra={"rollout": message.rollout_id, "target": message.target_id})
            return
        rollout, target = found[0], loaded[0]
        if not _is_wanted(rollout, target, self.clock()):
            await self._settle(rollout, target, state="pending")
            return
        if await self._missed_slot(message, rollout, target):
            return
        await self._take_turn(message, rollout, target, holder)

    async def _not_visible(self, message: ApplyUpdate) -> None:
        """A message is sent only after its target was saved: what is not there yet will be, on this replica of the database too."""
        if message.attempt < _NOT_VISIBLE_TIMES:
            until = self.clock() + timedelta(seconds=_NOT_VISIBLE_SECONDS)
            await self.queue.send(CONFIG_UPDATES, replace(message, attempt=message.attempt + 1), not_before=until)

    async def _missed_slot(self, message: ApplyUpdate, rollout: Rollout, target: Target) -> bool:
        """A late message asks for a new slot, so that a backlog keeps the pace too."""
        now = self.clock()
        if target.slot is None or now - target.slot <= _SLOT_TOLERANCE:
            return False
        slot = (await self.pacer.of(rollout.action).reserve(target.subscription, 1))[0]
        if slot - now <= timedelta(seconds=1):
            return False
        await self._later(message, rollout, slot, counts=False)
        return True

    async def _take_turn(self, message: ApplyUpdate, rollout: Rollout, target: Target, holder: str) -> None:
        """The turn is asked for by the order of the change, so a late message of an older rollout never writes over a newer one."""
        cluster = cluster_id(target.configuration_id)
        while True:
            now = self.clock()
            found, etag = await self.configurations.get(cluster, configuration_id(target.configuration_id))
            verdict, wanted = claim(found, _desired(rollout, target, cluster, holder), lease=self.lease, now=now)
            if verdict == "newer":
                return await self._settle(rollout, target, rejection=_OVERTAKEN)
            if verdict == "done":
                return await self._accepted(target, rollout, found.applied_at)
            if verdict == "held":
                return await self._later(message, rollout, (found.held_until or now) + timedelta(seconds=1), counts=False)
            if found.rollout_id not in ("", rollout.id):
                await self._overtake(found.rollout_id, target)
            try:
                etag = await self.configurations.save(wanted, etag)
            except Conflict:
                continue
            return await self._write(message, rollout, target, wanted, etag)

    async def _overtake(self, older: str, target: Target) -> None:
        """Tells the rollout that wrote this fluxConfiguration last that it is in other hands now, so that it waits for it no longer.

        Rollouts of one route give way as a whole; this is for those of two routes whose paths or refs differ.
        """
        while True:
            loaded = await self.rollouts.target(older, target.id)
            if loaded is None or loaded[0].state not in _AWAITED or loaded[0].rejection is not None:
                return
            try:
                await self.rollouts.save_target(replace(loaded[0], rejection=_OVERTAKEN, has_news=True), loaded[1])
            except Conflict:
                continue
            return

    async def _write(self, message: ApplyUpdate, rollout: Rollout, target: Target, held: Configuration, etag: str) -> None:
        """The time of the update is that before the PATCH: a fast cluster may report before ARM has answered us."""
        started = self.clock()
        try:
            await self._ask(rollout, target)
        except Upstream as error:
            if error.unanswered:
                # ARM may still carry it out. The turn is kept, so that nothing newer is written before it and then undone.
                await self._later(message, rollout, (held.held_until or started) + timedelta(seconds=1))
                return
            await self.configurations.save(release(held, applied_at=None), etag)
            await self._not_written(message, rollout, target, error)
            return
        # The turn first: were anything else to fail here, the next attempt finds that ARM has accepted it already.
        await self.configurations.save(release(held, applied_at=started), etag)
        await self._accepted(target, rollout, started)

    async def _ask(self, rollout: Rollout, target: Target) -> None:
        """Raises Upstream."""
        if target.receiver is None:
            await self.resource_manager.pin(target, _pin(target))
        else:
            await self.notify(rollout, target.receiver)

    async def _accepted(self, target: Target, rollout: Rollout, applied_at: datetime | None) -> None:
        await self._note(target, rollout, "update.applied")
        await self._settle(rollout, target, state="applied", applied_at=applied_at)

    async def _not_written(self, message: ApplyUpdate, rollout: Rollout, target: Target, error: Upstream) -> None:
        log.warning("update.not-written", extra={"target": target.id, "error": type(error).__name__, "code": error.code})
        if isinstance(error, Rejected):
            rejection = Rejection(code=error.code, message=str(error), missing=error.status == 404)
            # The sweep looks at the rollout: a wake for each of thousands of refusals would read all of its targets as often.
            await self._settle(rollout, target, rejection=rejection)
            return
        if target.receiver is not None and (message.attempt + 1 >= _CALLS or _is_away(target)):
            await self._uncalled(rollout, target, error)
            return
        delay = _delay(error, message.attempt)
        until = self.clock() + timedelta(seconds=min(delay, _MAX_BACKOFF_SECONDS) if target.receiver else delay)
        if isinstance(error, Throttled):
            pacer = self.pacer.of(rollout.action)
            await pacer.push_back(target.subscription, until)
            until = max(until, (await pacer.reserve(target.subscription, 1))[0])
        await self._later(message, rollout, until)

    async def _uncalled(self, rollout: Rollout, target: Target, error: Upstream) -> None:
        """Flux fetches its source at its interval all the same: what Azure says then, or that it says nothing, decides on the target."""
        await self._note(target, rollout, "update.uncalled")
        rejection = Rejection(code=error.code, message=f"its Receiver could not be called: {error}")
        await self._settle(rollout, target, state="applied", applied_at=self.clock(), rejection=rejection)

    async def _later(self, message: ApplyUpdate, rollout: Rollout, until: datetime, *, counts: bool = True) -> None:
        """Puts the message back. The target's slot moves with it, or it would count as lost."""
        loaded = await self.rollouts.target(message.rollout_id, message.target_id)
        if loaded and loaded[0].state == "queued" and loaded[0].dispatch == message.dispatch:
            await self._settle(rollout, loaded[0], slot=until)
            await self.queue.send(CONFIG_UPDATES, replace(message, attempt=message.attempt + counts), not_before=until)

    async def _settle(
        self,
        rollout: Rollout,
        target: Target,
        *,
        state: TargetState | None = None,
        applied_at: datetime | None = None,
        slot: datetime | None = None,
        rejection: Rejection | None = None,
    ) -> None:
        """Records the outcome on the target as it is now, unless it has moved on. What ends a target is left for the next step."""
        while True:
            loaded = await self.rollouts.target(target.rollout_id, target.id)
            if loaded is None or loaded[0].state != "queued" or loaded[0].dispatch != target.dispatch:
                return
            now, etag = loaded
            changed = replace(
                now,
                state=state or now.state,
                applied_at=applied_at or now.applied_at,
                accepted_at=applied_at or now.accepted_at,
                slot=slot or now.slot,
                rejection=rejection or now.rejection,
                has_news=now.has_news or rejection is not None,
            )
            try:
                await self.rollouts.save_target(scheduled(changed, rollout.stages[target.stage].rules), etag)
            except Conflict:
                continue
            return

    async def _note(self, target: Target, rollout: Rollout, action: str) -> None:
        await self.audit.append(
            Entry(
                id=f"{target.rollout_id}.{target.id}.{target.dispatch}.{action}",
                stream=target.id,
                at=self.clock(),
                actor="sluice",
                action=action,
                resource=target.configuration_id,
                cause=rollout.id,
                detail={"revision": _pin(target).revision, "ref": _pin(target).ref},
                subscription=target.subscription,
            )
        )


def _is_wanted(rollout: Rollout, target: Target, now: datetime) -> bool:
    """Whether the rollout still sends this: paused, superseded or turned round since, or after the window's end, it does not."""
    if target.goal == "back":
        return rollout.state in ("rolling-back", "rolled-back")
    return rollout.state in ("running", "succeeded") and is_open(rollout.calendars[target.calendar], now)


def _is_away(target: Target) -> bool:
    """As Azure said last: such a cluster is called once, and then waited for like every other one that is away."""
    seen = target.observation or target.before
    return seen is not None and seen.is_away


def _pin(target: Target) -> Pin:
    """Raises Malformed where there is nothing to ask for: `advance` queues no such target."""
    if target.asked is None:
        raise Malformed(f"target {target.id} of rollout {target.rollout_id} asks for nothing")
    return target.asked


def _desired(rollout: Rollout, target: Target, cluster: str, holder: str) -> Configuration:
    pin = _pin(target)
    return Configuration(
        id=configuration_id(target.configuration_id),
        cluster_id=cluster,
        subscription=target.subscription,
        resource_id=target.configuration_id,
        sequence=rollout.sequence,
        rollout_id=rollout.id,
        dispatch=target.dispatch,
        retry=target.retry,
        revision=pin.revision,
        ref=pin.ref,
        pin=pin,
        calls=target.receiver is not None,
        route=rollout.route,
        source=rollout.source,
        holder=holder,
    )


def _delay(error: Upstream, attempt: int) -> float:
    """Seconds: what the service asked for, else doubling. A busy resource is free again when its operation ends, in a minute or so."""
    if error.retry_after is not None:
        return error.retry_after
    return min((30.0 if isinstance(error, Busy) else 2.0) * 2.0 ** min(attempt, 10), _MAX_BACKOFF_SECONDS)
