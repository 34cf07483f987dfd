"""The app in a simulated world: its real use cases on in-memory ports, driven by a simulated host."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from cli.simulation.azure import BRANCH, NEW, OLD, URL, SimulatedCluster, SimulatedFleet, SimulatedResourceManager
from cli.simulation.database.others import CountedAudit, MemoryChanges, MemoryChecks, MemoryConfigurations, MemoryPace
from cli.simulation.database.rollouts import MemoryRollouts
from cli.simulation.host import Host, SimulatedQueue
from cli.simulation.model import SWEEP_COMPLIANCE_SECONDS, SWEEP_ROLLOUTS_SECONDS, Model
from cli.simulation.people import People
from cli.simulation.recorder import Recorder
from cli.simulation.virtual_time import VirtualClock
from shared.config.models import Config, Route, Source, Strategy
from shared.domain.changes import Change, change_id
from shared.domain.messages import CONFIG_UPDATES, ROLLOUT_STEPS, ApplyUpdate, PlanChange, StepRollout
from shared.domain.record import Record
from shared.domain.rollouts import IN_FLIGHT, Rollout
from shared.domain.sources import canonical_url, source_id
from shared.services.apply import Apply
from shared.services.effects import Effects
from shared.services.gate_facts import GateFactsOf
from shared.services.observe import Observe
from shared.services.pacing import Pacer
from shared.services.plan import Plan
from shared.services.step import Step

_ROUTE = "simulated"
_REF = f"refs/heads/{BRANCH}"
#: The app settings' defaults (docs/configuration.md).
_LEASE, _REDISPATCH_SECONDS, _LOOK_FOR_AWAY = timedelta(seconds=120), 300.0, timedelta(seconds=300)


class NothingPlanned(Exception):
    """No stage of the strategy selects any of the clusters."""


class World:
    """Everything around one rollout. Made inside the loop in which it lives."""

    def __init__(self, model: Model, clusters: Sequence[SimulatedCluster], clock: VirtualClock, tasks: asyncio.TaskGroup) -> None:
        self.model = model
        self.clock = clock
        self.rollouts, self.changes, self.checks = MemoryRollouts(clock), MemoryChanges(), MemoryChecks()
        self.configurations, self.audit, self.queue = MemoryConfigurations(), CountedAudit(), SimulatedQueue(clock)
        self.pacer = Pacer(MemoryPace(), "", clock)
        self.fleet, self.resource_manager = SimulatedFleet(clusters), SimulatedResourceManager(clusters, clock)
        self.host = Host(self.queue, tasks, model.seed)
        resume_after = None if model.resume_after_seconds is None else timedelta(seconds=model.resume_after_seconds)
        self.people = People(
            self.rollouts,
            self.checks,
            self.queue,
            clock,
            tasks,
            approve_after=timedelta(seconds=model.approve_after_seconds),
            resume_after=resume_after,
        )
        self.recorder = Recorder(clock.seconds)
        self.rollout: Rollout | None = None  #: as it was saved last
        self._over = asyncio.Event()
        self.rollouts.target_listeners.append(self.recorder.on_target)
        self.rollouts.rollout_listeners += [self.recorder.on_rollout, self.people.hear, self._hear]

    async def plan(self, strategy: Strategy) -> Rollout:
        """The push of the new commit is planned. Raises NothingPlanned."""
        change = self._push()
        await self.changes.record(change)
        await self._plan(strategy)(PlanChange(source=change.source, change_id=change.id))
        if self.rollout is None:
            raise NothingPlanned
        return self.rollout

    async def run(self, longest_seconds: float) -> None:
        """Until nothing can happen any more, or for so long."""
        step, apply, observe = self._step(), self._apply(), self._observe()

        async def on_step(message: Record) -> None:
            if isinstance(message, StepRollout):
                await step(message.rollout_id)

        async def on_update(message: Record) -> None:
            if isinstance(message, ApplyUpdate):
                await apply(message, holder=f"{message.target_id}.{message.dispatch}.{message.attempt}.{self.clock.seconds()}")

        self.host.on_queue(ROLLOUT_STEPS, on_step, instances=self.model.instances)
        self.host.on_queue(CONFIG_UPDATES, on_update, instances=self.model.instances)
        self.host.on_timer(SWEEP_COMPLIANCE_SECONDS, observe)
        self.host.on_timer(SWEEP_ROLLOUTS_SECONDS, step.sweep)
        if self.rollout:
            await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=self.rollout.id))
        try:
            async with asyncio.timeout(longest_seconds):
                await self._over.wait()
        except TimeoutError:
            pass
        self.host.stop()
        self.people.stop()

    def _hear(self, rollout: Rollout) -> None:
        if rollout.route != _ROUTE:
            return
        self.rollout = rollout
        in_flight = any(stage.counts.get(state) for stage in rollout.stages for state in IN_FLIGHT)
        is_left = rollout.state == "paused" and self.model.resume_after_seconds is None and not in_flight
        if is_left or not self.rollouts.is_active(rollout.id):
            self._over.set()

    def _push(self) -> Change:
        now = self.clock()
        return Change(
            id=change_id(_ROUTE, "1", URL, _REF),
            source=source_id(URL),
            url=canonical_url(URL),
            ref=_REF,
            kind="updated",
            before=OLD,
            revision=NEW,
            forced=False,
            pushed_at=now,
            received_at=now,
            receiver=_ROUTE,
            delivery="1",
            paths=None,
            author="",
            title="Simulated push",
        )

    def _plan(self, strategy: Strategy) -> Plan:
        route = Route(name=_ROUTE, source=Source(url=URL), action="pin", strategy=strategy.name)
        return Plan(
            config=Config(api_version="sluice/v1", strategies=(strategy,), routes=(route,)),
            changes=self.changes,
            rollouts=self.rollouts,
            fleet=self.fleet,
            audit=self.audit,
            queue=self.queue,
            clock=self.clock,
            redispatch_after_seconds=_REDISPATCH_SECONDS,
        )

    def _step(self) -> Step:
        effects = Effects(self.audit, self.queue, self.clock)
        return Step(self.rollouts, self.pacer, GateFactsOf(self.rollouts, self.checks), effects, self.clock)

    def _apply(self) -> Apply:
        return Apply(
            rollouts=self.rollouts,
            configurations=self.configurations,
            resource_manager=self.resource_manager,
            pacer=self.pacer,
            audit=self.audit,
            queue=self.queue,
            clock=self.clock,
            lease=_LEASE,
        )

    def _observe(self) -> Observe:
        return Observe(self.rollouts, self.fleet, self.queue, self.clock, _LOOK_FOR_AWAY, {})
