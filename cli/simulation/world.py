"""The app in a simulated world: its real use cases on in-memory ports, driven by a simulated host."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from itertools import count

from msgspec.structs import replace

from cli.simulation.azure import (
    BRANCH,
    NEW,
    OLD,
    URL,
    NoReceivers,
    SimulatedCluster,
    SimulatedFleet,
    SimulatedGateService,
    SimulatedResourceManager,
)
from cli.simulation.database.others import CountedAudit, MemoryChanges, MemoryChecks, MemoryConfigurations, MemoryPace
from cli.simulation.database.rollouts import MemoryRollouts
from cli.simulation.host import Host, SimulatedQueue
from cli.simulation.model import SWEEP_COMPLIANCE_SECONDS, SWEEP_ROLLOUTS_SECONDS, Model
from cli.simulation.people import People
from cli.simulation.recorder import Recorder
from cli.simulation.virtual_time import VirtualClock
from shared.config.models import Config, Route, Source
from shared.config.requires import Requires
from shared.domain.changes import Change, change_id
from shared.domain.messages import CONFIG_UPDATES, GATE_CALLS, ROLLOUT_STEPS, ApplyUpdate, CallGate, PlanChange, StepRollout
from shared.domain.record import Record
from shared.domain.rollouts import IN_FLIGHT, Rollout
from shared.domain.sources import canonical_url, source_id
from shared.services.apply import Apply
from shared.services.call_gate import Call
from shared.services.effects import Effects
from shared.services.gate_facts import GateFactsOf
from shared.services.notify_receiver import NotifyReceiver
from shared.services.observe import Observe
from shared.services.pacing import Pacer
from shared.services.plan import Plan
from shared.services.step import Step

_ROUTE = "simulated"
_REF = f"refs/heads/{BRANCH}"
#: The app settings' defaults (docs/configuration.md).
_LEASE, _REDISPATCH_SECONDS, _LOOK_FOR_AWAY = timedelta(seconds=120), 300.0, timedelta(seconds=300)


def simulated_route(strategy: str, requires: Requires | None) -> Route:
    """What moves the simulated clusters: with that strategy, and what is required before it."""
    return Route(name=_ROUTE, source=Source(url=URL), action="pin", strategy=strategy, requires=requires)


class World:
    """Everything around one rollout. Made inside the loop in which it lives."""

    def __init__(self, model: Model, clusters: Sequence[SimulatedCluster], clock: VirtualClock, tasks: asyncio.TaskGroup) -> None:
        self.model = model
        self.clock = clock
        self.rollouts, self._changes, self._checks = MemoryRollouts(clock), MemoryChanges(), MemoryChecks()
        self._configurations, self.audit, self.queue = MemoryConfigurations(), CountedAudit(), SimulatedQueue(clock)
        self._pacer = Pacer(MemoryPace(), "", clock)
        self._fleet, self.resource_manager = SimulatedFleet(clusters), SimulatedResourceManager(clusters, clock)
        self._host = Host(self.queue, tasks, model.seed)
        resume_after = None if model.resume_after_seconds is None else timedelta(seconds=model.resume_after_seconds)
        self._people = People(
            self.rollouts,
            self._checks,
            self.queue,
            clock,
            tasks,
            approve_after=timedelta(seconds=model.approve_after_seconds),
            resume_after=resume_after,
        )
        self.recorder = Recorder(clock.seconds)
        self.rollout: Rollout | None = None  #: as it was saved last
        self._over = asyncio.Event()
        self._attempts = count()  #: a holder for each attempt to write
        self.rollouts.target_listeners.append(self.recorder.on_target)
        self.rollouts.rollout_listeners += [self.recorder.on_rollout, self._people.hear, self._hear]

    def start(self) -> None:
        """From now on the host looks for messages, and the sweeps run."""
        step, apply, call = self._step(), self._apply(), self._call_gate()

        async def on_step(message: Record) -> None:
            if isinstance(message, StepRollout):
                await step(message.rollout_id)

        async def on_update(message: Record) -> None:
            if isinstance(message, ApplyUpdate):
                await apply(message, holder=str(next(self._attempts)))

        async def on_call(message: Record) -> None:
            if isinstance(message, CallGate):
                await call(message)

        self._host.on_queue(GATE_CALLS, on_call, instances=1)
        self._host.on_queue(ROLLOUT_STEPS, on_step, instances=self.model.instances)
        self._host.on_queue(CONFIG_UPDATES, on_update, instances=self.model.instances)
        self._host.on_timer(SWEEP_COMPLIANCE_SECONDS, self._observe())
        self._host.on_timer(SWEEP_ROLLOUTS_SECONDS, step.sweep)

    async def push(self, config: Config, route: Route) -> Rollout | None:
        """The push of the new commit is planned; None where no stage selects any cluster."""
        change = self._change()
        await self._changes.record(change)
        await self._plan(config, route)(PlanChange(source=change.source, change_id=change.id))
        return self.rollout

    async def until_over(self, longest_seconds: float) -> None:
        """Returns when nothing can happen any more, or after so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_seconds):
                await self._over.wait()

    def stop(self) -> None:
        self._host.stop()
        self._people.stop()

    @property
    def failed_invocations(self) -> int:
        return self._host.failed

    def _hear(self, rollout: Rollout) -> None:
        if rollout.route != _ROUTE:
            return
        self.rollout = rollout
        in_flight = any(stage.counts.get(state) for stage in rollout.stages for state in IN_FLIGHT)
        is_left = rollout.state == "paused" and self.model.resume_after_seconds is None and not in_flight
        if is_left or not self.rollouts.is_active(rollout.id):
            self._over.set()

    def _change(self) -> Change:
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

    def _plan(self, config: Config, route: Route) -> Plan:
        return Plan(
            config=replace(config, routes=(route,)),
            changes=self._changes,
            rollouts=self.rollouts,
            configurations=self._configurations,
            fleet=self._fleet,
            audit=self.audit,
            queue=self.queue,
            clock=self.clock,
            redispatch_after_seconds=_REDISPATCH_SECONDS,
            fill_paths=_as_told,
        )

    def _step(self) -> Step:
        effects = Effects(self.audit, self.queue, self.clock)
        return Step(self.rollouts, self._pacer, GateFactsOf(self.rollouts, self._checks), effects, self.clock)

    def _apply(self) -> Apply:
        return Apply(
            rollouts=self.rollouts,
            configurations=self._configurations,
            resource_manager=self.resource_manager,
            notify=NotifyReceiver(SimulatedGateService(), NoReceivers()),
            pacer=self._pacer,
            audit=self.audit,
            queue=self.queue,
            clock=self.clock,
            lease=_LEASE,
        )

    def _call_gate(self) -> Call:
        service = SimulatedGateService()
        return Call(self.rollouts, service, service, self.audit, self.clock, "https://sluice.example")

    def _observe(self) -> Observe:
        return Observe(self.rollouts, self._fleet, self.queue, self.clock, _LOOK_FOR_AWAY, {})


async def _as_told(change: Change) -> Change:
    """The simulated route has no paths, so nobody is asked for what the push touched."""
    return change
