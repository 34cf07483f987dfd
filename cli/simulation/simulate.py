"""One simulation, from a model and a strategy to its report."""

import asyncio
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from cli.simulation import theory, virtual_time
from cli.simulation.azure import SimulatedCluster
from cli.simulation.model import GRAPH_PAGE_ROWS, GRAPH_PAGE_SECONDS, SWEEP_COMPLIANCE_SECONDS, ClusterTraits, Model, make_fleet
from cli.simulation.recorder import since
from cli.simulation.report import CHART_BEYOND, EventReport, Report, StageReport
from cli.simulation.virtual_time import VirtualClock
from cli.simulation.world import World, simulated_route
from shared.config.models import Config, Route
from shared.config.requires import Requires
from shared.domain.rollouts import Rollout, Stage, Target
from shared.domain.windows import Calendar

#: When a simulation begins, unless one says otherwise: a Monday morning.
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
#: No simulation goes on for longer (virtual time): a rollout that waits for a window that never opens, say.
LONGEST_SECONDS = 60 * 86_400.0
_PROGRESS_EVERY_SECONDS = 5.0


class NothingPlanned(Exception):
    """No stage of the strategy selects any of the clusters."""


#: Told now and then: virtual seconds since the rollout began, targets that are done, targets in all.
Progress = Callable[[float, int, int], None]


def simulate(
    model: Model,
    config: Config,
    strategy: str,
    *,
    requires: Requires | None = None,
    start: datetime = START,
    progress: Progress | None = None,
) -> Report:
    """`strategy` is one of the configuration's; `requires` is what the route asks for before it. Raises NothingPlanned when no stage
    selects a cluster.
    """
    route = simulated_route(strategy, requires)
    return virtual_time.run(_simulate(model, config, route, VirtualClock(start), progress))


async def _simulate(model: Model, config: Config, route: Route, clock: VirtualClock, progress: Progress | None) -> Report:
    fleet = make_fleet(model)
    width = len(str(model.clusters - 1))
    clusters = [SimulatedCluster(traits, f"cluster-{traits.number:0{width}}", clock) for traits in fleet]
    async with asyncio.TaskGroup() as tasks:
        world = World(model, clusters, clock, tasks)
        world.start()
        planned = await world.push(config, route)
        shown = tasks.create_task(_show(world, progress)) if planned and progress else None
        if planned:
            await world.until_over(LONGEST_SECONDS)
        ended = clock.seconds()
        world.stop()
        if shown:
            shown.cancel()
    if planned is None:
        raise NothingPlanned(f"no stage of strategy {route.strategy} selects any of the simulated clusters")
    targets = await world.rollouts.targets(planned.id)
    by_id = {cluster.found.id: cluster.traits for cluster in clusters}
    begin = clock.seconds_at(planned.created_at)
    return _report(route.strategy or "", world, begin, ended, _least(planned, targets, by_id, begin, model))


async def _show(world: World, progress: Progress) -> None:
    begin = world.clock.seconds()
    while True:
        counts = _counts(world.rollout) if world.rollout else {}
        total = sum(counts.values())
        progress(
            world.clock.seconds() - begin, total - counts.get("pending", 0) - counts.get("queued", 0) - counts.get("applied", 0), total
        )
        await asyncio.sleep(_PROGRESS_EVERY_SECONDS)


def _least(
    rollout: Rollout, targets: Sequence[Target], fleet: dict[str, ClusterTraits], begin: float, model: Model
) -> list[theory.StageTimes] | None:
    """The theoretical times, on the simulation's clock. None where windows decide."""
    if any(calendar != Calendar() for calendar in rollout.calendars):
        return None
    plans = [
        theory.StagePlan(
            clusters=[_own_times(fleet[t.configuration_id]) for t in sorted(targets, key=lambda t: t.order) if t.stage == index],
            places=stage.max_concurrency,
            grace_seconds=stage.rules.grace_seconds,
            within_seconds=stage.rules.compliance_within_seconds,
            bake_seconds=stage.bake_seconds,
            wait_seconds=stage.after_wait_seconds,
            gate_seconds=model.approve_after_seconds if stage.gates else 0.0,
        )
        for index, stage in enumerate(rollout.stages)
    ]
    answer = math.ceil(model.clusters / GRAPH_PAGE_ROWS) * GRAPH_PAGE_SECONDS
    return theory.least_times(plans, theory.Sweeps(SWEEP_COMPLIANCE_SECONDS, answer), begin)


def _own_times(traits: ClusterTraits) -> theory.Cluster:
    return theory.Cluster(
        subscription=traits.subscription,
        arm_seconds=traits.arm_seconds,
        poll_period=traits.poll_period,
        poll_phase=traits.poll_phase,
        work_seconds=traits.work_seconds,
        lag_seconds=traits.lag_seconds,
        fails=traits.fails,
        back_at=traits.back_at,
    )


def _report(strategy: str, world: World, begin: float, ended: float, least: list[theory.StageTimes] | None) -> Report:
    rollout = world.rollout
    if rollout is None:
        raise AssertionError("a planned rollout was saved")
    clock_begin = world.clock.at(begin)
    succeeded = rollout.state == "succeeded"
    makespan = since(clock_begin, rollout.stages[-1].closed_at) if succeeded else None
    comparable = least if succeeded and not world.recorder.pauses else None
    theoretical = round(comparable[-1].closed - begin, 3) if comparable else None
    stages = [_stage(index, stage, world, begin, comparable) for index, stage in enumerate(rollout.stages)]
    counts = _counts(rollout)
    return Report(
        api_version="sluice.simulation/v1",
        strategy=strategy,
        model=world.model,
        state=rollout.state,
        reason=rollout.reason,
        makespan_seconds=makespan,
        least_seconds=theoretical,
        ratio=round(makespan / theoretical, 4) if makespan and theoretical else None,
        settled_seconds=round(ended - begin, 3),
        targets=rollout.total,
        unstaged=rollout.unstaged,
        updates=len(world.resource_manager.updates),
        throttled=world.resource_manager.throttled,
        counts=counts,
        stages=tuple(stages),
        pauses=world.recorder.pauses_since(begin),
        events=tuple(EventReport(at=since(clock_begin, e.at) or 0.0, kind=e.kind, summary=e.summary) for e in rollout.events),
        messages=dict(sorted(world.queue.sent.items())),
        audit_entries=world.audit.entries,
        failed_invocations=world.failed_invocations,
        series=world.recorder.series(begin, until=begin + (makespan or 0.0) * CHART_BEYOND),
    )


def _stage(index: int, stage: Stage, world: World, begin: float, least: list[theory.StageTimes] | None) -> StageReport:
    clock_begin = world.clock.at(begin)
    updates = [round(at - begin, 3) for at, of_stage in world.resource_manager.updates if of_stage == index]
    return StageReport(
        name=stage.name,
        total=stage.total,
        state=stage.state,
        opened_at=since(clock_begin, stage.opened_at),
        first_update_at=min(updates, default=None),
        last_update_at=max(updates, default=None),
        done_at=since(clock_begin, stage.done_at),
        closed_at=since(clock_begin, stage.closed_at),
        least_opened_at=round(least[index].opened - begin, 3) if least else None,
        least_closed_at=round(least[index].closed - begin, 3) if least else None,
        counts=stage.counts,
        most_offline=world.recorder.most_offline.get(index, 0),
    )


def _counts(rollout: Rollout) -> dict[str, int]:
    states = sorted({state for stage in rollout.stages for state in stage.counts})
    return {state: sum(stage.counts.get(state, 0) for stage in rollout.stages) for state in states}
