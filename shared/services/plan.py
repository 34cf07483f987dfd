"""A recorded change becomes rollouts: one for each route that it fits."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from shared.config.models import Config, Route
from shared.config.strategies import Strategy
from shared.domain.advance import supersede
from shared.domain.audit import Entry
from shared.domain.changes import Change
from shared.domain.clock import Clock
from shared.domain.crowd import Scope
from shared.domain.errors import Conflict, NotFound
from shared.domain.ledger import Head, judge, move
from shared.domain.messages import CHANGES, ROLLOUT_STEPS, PlanChange, StepRollout
from shared.domain.observations import COMPLIANT
from shared.domain.pins import Pin
from shared.domain.record import digest
from shared.domain.rollouts import Rollout, Target, rollout_id
from shared.domain.sources import search_term
from shared.domain.stage_gates import held_up
from shared.log import event_logger
from shared.ports import Audit, Changes, Configurations, Fleet, Queue, Rollouts
from shared.services.known_good import KnownGood
from shared.services.matching import UNSTAGED, Verdict, explain, routes_for, targets_of

log = event_logger("sluice.plan")

#: A change that is not planned after so long has lost its message.
_LOST_AFTER = timedelta(minutes=2)
#: A mark without a change after so long: the instance died between the two, and the sender got no answer.
_NEVER_RECORDED_AFTER = timedelta(hours=1)
_ANY_STAGE = 2**31  #: more than there ever are

#: Gives a change the paths that its payload could not tell, where its host tells them.
FillPaths = Callable[[Change], Awaitable[Change]]


@dataclass(frozen=True)
class Plan:
    """The use case behind the queue `changes`. Every step may run again: ids come from the change, so nothing is made twice."""

    config: Config
    changes: Changes
    rollouts: Rollouts
    configurations: Configurations
    fleet: Fleet
    audit: Audit
    queue: Queue
    clock: Clock
    redispatch_after_seconds: float
    fill_paths: FillPaths

    async def __call__(self, message: PlanChange) -> None:
        """Raises NotFound when the change is not recorded (the message then returns, and is buried in the end)."""
        change = await self.changes.get(message.source, message.change_id)
        if change is None:
            raise NotFound(f"change {message.change_id} is not recorded")
        head = await self._move_head(change)
        if head is not None:
            # Of pushes that were not seen nobody knows what they touched, nor who made them.
            fits = replace(change, paths=None, automated=False) if head.skipped else await self.fill_paths(change)
            fits = replace(fits, pushed_at=head.pushed_at or fits.pushed_at)
            started = [await self._start(change, head, route, verdicts) for route, verdicts in await self._routes(fits)]
            await self._give_way(change, [rollout for rollout in started if rollout])
        await self.changes.unmark_unplanned(change.id)

    async def sweep(self) -> None:
        """Sends the message of every change again that was recorded and not planned: its first one was lost."""
        for unplanned in await self.changes.unplanned():
            age = self.clock() - unplanned.since
            if age > _LOST_AFTER:
                await self.queue.send(CHANGES, PlanChange(source=unplanned.source, change_id=unplanned.change_id))
            if age > _NEVER_RECORDED_AFTER and await self.changes.get(unplanned.source, unplanned.change_id) is None:
                await self.changes.unmark_unplanned(unplanned.change_id)

    async def _routes(self, change: Change) -> list[tuple[Route, list[Verdict]]]:
        """The routes that the change fits, with what each does with the fluxConfigurations. One query serves them all."""
        routes = routes_for(self.config, change)
        if all(route.action == "observe" for route in routes):
            return [(route, []) for route in routes]
        found = [item async for item in self.fleet.configurations(search_term(change.url))]
        by_route: dict[str, list[Verdict]] = defaultdict(list)
        for verdict in explain(self.config, change, found):
            by_route[verdict.route].append(verdict)
        return [(route, by_route[route.name]) for route in routes]

    async def _move_head(self, change: Change) -> Head | None:
        """The head with this change on it, or None when the change moves nothing."""
        while True:
            head, etag = await self.changes.head(change.source, change.ref)
            verdict = judge(head, change)
            if verdict == "again":
                return head if change.kind != "deleted" else None
            if verdict == "stale":
                await self._note(change, "change.stale")
                # It may have been the newest once, and have died before its rollouts gave way.
                await self._give_way(change, [rollout_id(change.id, route.name) for route in self.config.routes])
                return None
            try:
                moved = move(head, change, self.clock())
                await self.changes.save_head(moved, etag)
            except Conflict:
                continue
            await self._note(change, "change.deleted" if change.kind == "deleted" else "change.accepted")
            return moved if change.kind != "deleted" else None

    async def _start(self, change: Change, head: Head, route: Route, verdicts: list[Verdict]) -> str | None:
        """The id of the rollout of this route, made if it is not there yet; None where the route only observes or nothing follows."""
        action = route.action
        if action == "observe":
            await self._note(change, "change.observed", route=route.name)
            return None
        new_id = rollout_id(change.id, route.name)
        if await self.rollouts.get(new_id) is None:
            strategy = self.config.strategy(route.strategy)
            known_good, with_traits = await self._known_good(change, verdicts), self.config.asks_of_clusters
            targets, calendars = targets_of(strategy, verdicts, new_id, known_good, with_traits=with_traits)
            if not targets:
                await self._note(change, "change.unfollowed", route=route.name)
                return None
            await self.rollouts.mark_active(new_id)
            placed = await self._create_targets(targets, strategy)
            unstaged = sum(verdict.reason == UNSTAGED for verdict in verdicts)
            planned = self._rollout(change, head, route, strategy, placed, unstaged)
            await self.rollouts.create(replace(planned, calendars=calendars, action=action))
            await self.rollouts.mark_active(new_id)  # again, in case a sweep took the first mark for an orphan
            await self._note(change, "rollout.planned", route=route.name)
        await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=new_id))
        return new_id

    async def _known_good(self, change: Change, verdicts: list[Verdict]) -> dict[str, Pin]:
        """For those that are moved and have nothing good to go back to now. They are few, unless a rollout is under way."""
        moved = [verdict.found for verdict in verdicts if verdict.pin is not None and verdict.receiver is None]
        at_fault = [found.id for found in moved if found.observation.compliance != COMPLIANT]
        return await KnownGood(self.configurations, self.rollouts)(change.source, at_fault)

    async def _create_targets(self, targets: list[Target], strategy: Strategy) -> list[Target]:
        """The targets as stored. An attempt that died half-way may have left some: they are brought in line with what is found now, and
        those that discovery no longer finds count all the same.
        """
        if await self.rollouts.create_targets(targets):
            return targets
        wanted, last = {target.id: target for target in targets}, len(strategy.stages) - 1
        glances = await self.rollouts.glances(targets[0].rollout_id, Scope(stage=_ANY_STAGE, states=frozenset({"pending"})))
        stored = await self.rollouts.open(targets[0].rollout_id, [glance.id for glance in glances])
        placed = [(wanted.get(t.id) or replace(t, stage=min(t.stage, last), calendar=0), t, etag) for t, etag in stored]
        await self.rollouts.save_targets([(new, etag) for new, old, etag in placed if new != old])
        return [new for new, _, _ in placed]

    def _rollout(self, change: Change, head: Head, route: Route, strategy: Strategy, targets: list[Target], unstaged: int) -> Rollout:
        now = self.clock()
        totals = [sum(target.stage == index for target in targets) for index in range(len(strategy.stages))]
        stages = tuple(strategy.planned(index, total, self.redispatch_after_seconds) for index, total in enumerate(totals))
        if route.requires:
            stages = held_up(stages, route.requires.as_gate())
        return Rollout(
            id=rollout_id(change.id, route.name),
            route=route.name,
            source=change.source,
            url=change.url,
            ref=change.ref,
            revision=change.revision,
            change_id=change.id,
            sequence=head.sequence,
            author=change.author,
            title=change.title,
            forced=change.forced,
            stages=stages,
            created_at=now,
            updated_at=now,
            pushed_at=change.received_at,
            unstaged=unstaged,
            report=route.report.asked if route.report else None,
            is_shown=bool(self.config.conversing),
        )

    async def _give_way(self, change: Change, started: list[str]) -> None:
        """Of the ref's rollouts on one route, only that of the newest change goes on.

        The head lists those that go on, so a change that is planned at the same time finds these, whichever comes first.
        """
        while True:
            head, etag = await self.changes.head(change.source, change.ref)
            ids = (*head.rollouts, *(new for new in started if new not in head.rollouts))
            listed = [found[0] for found in [await self.rollouts.get(each) for each in ids] if found]
            newest = {rollout.route: rollout for rollout in sorted(listed, key=lambda r: r.sequence)}
            for old in listed:
                if old.id != newest[old.route].id:
                    await self._supersede(old.id, by=newest[old.route].id)
            going_on = tuple(rollout.id for rollout in newest.values())
            if going_on == head.rollouts:
                return
            try:
                await self.changes.save_head(replace(head, rollouts=going_on), etag)
            except Conflict:
                continue
            return

    async def _supersede(self, old: str, by: str) -> None:
        while True:
            found = await self.rollouts.get(old)
            if found is None:
                return
            rollout, etag = found
            try:
                await self.rollouts.save(supersede(rollout, by, self.clock()), etag)
            except Conflict:
                continue
            await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=old))
            return

    async def _note(self, change: Change, action: str, route: str = "") -> None:
        log.info(action, extra={"change": change.id})
        await self.audit.append(
            Entry(
                id=f"{change.id}.{action}.{digest('route', route)}",  # ids stand readable in the database, names do not
                stream=change.source,
                at=self.clock(),
                actor="sluice",
                action=action,
                resource=f"{change.url} {change.ref}",
                cause=change.id,
                detail={"revision": change.revision, "route": route, "forced": str(change.forced).lower()},
            )
        )
