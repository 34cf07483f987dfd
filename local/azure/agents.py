"""The clusters' agents: they poll for what is asked of them, fetch, apply and report. One heap drives all of them."""

import asyncio
import heapq
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

from local.azure import flux
from local.azure.artifacts import Artifacts
from local.azure.clock import SimulatedClock, utc_text
from local.azure.cloud import Cloud
from local.azure.faults import Faults
from local.azure.flux_alerts import FluxAlerts
from local.azure.git_source import HEADS_KEPT_SECONDS, GitRepositories, Resolved, SourceError
from local.azure.resources import Cluster, FluxConfiguration, Observation, ProxyResource

WORK_SECONDS = (1.0, 4.0)  # simulated
RETRY_SECONDS = 30.0  # simulated; how soon a failed source or kustomization is tried again
DEFAULT_SYNC_SECONDS = 600.0
STEPS_BETWEEN_BREATHS = 100

Step = Callable[[], Awaitable[None]]


class Agents:
    """An idle cluster costs nothing: its polls are computed, and one is put on the heap only when it will find work."""

    def __init__(
        self,
        cloud: Cloud,
        repositories: GitRepositories,
        artifacts: Artifacts,
        faults: Faults,
        alerts: FluxAlerts,
        clock: SimulatedClock,
        seed: int,
    ) -> None:
        self._cloud = cloud
        self._repositories = repositories
        self._artifacts = artifacts
        self._faults = faults
        self._alerts = alerts
        self._clock = clock
        self._chance = random.Random(seed)  # noqa: S311 -- a repeatable simulation, not a secret
        self._heap: list[tuple[float, int, Step]] = []
        self._numbers = itertools.count()
        # By identity, not by resource id: a resource made anew under an old id is another one.
        self._polls: dict[int, float] = {}
        self._work: dict[int, int] = {}
        self._alarm = asyncio.Event()

    def wake(self, resource: ProxyResource) -> None:
        """Something was written: the agent sees it at its next poll."""
        self._plan_poll(resource, _next_poll(resource.cluster, self._clock.now()))

    def wake_cluster(self, cluster: Cluster) -> None:
        for child in cluster.children.values():
            self.wake(child)

    def look_now(self, configuration: FluxConfiguration) -> None:
        """Flux was told that its source has moved, and does not wait for its interval. The heads of repositories are kept for a moment:
        it looks when those of now are seen.
        """
        self._push(self._clock.now() + HEADS_KEPT_SECONDS * self._clock.speed, lambda: self._look(configuration))

    async def _look(self, configuration: FluxConfiguration) -> None:
        if self._cloud.exists(configuration) and configuration.cluster.is_online:
            await self._reconcile(configuration)

    def clock_changed(self) -> None:
        self._alarm.set()

    async def run(self) -> None:
        """Runs until cancelled; an error in a step is a fault of the simulator and ends it."""
        for steps in itertools.count(1):
            while not self._is_due():
                await self._sleep()
            _due, _number, step = heapq.heappop(self._heap)
            await step()
            if steps % STEPS_BETWEEN_BREATHS == 0:
                await asyncio.sleep(0)

    def _is_due(self) -> bool:
        return bool(self._heap) and self._heap[0][0] <= self._clock.now()

    async def _sleep(self) -> None:
        self._alarm.clear()
        seconds = self._clock.wall_seconds_until(self._heap[0][0]) if self._heap else None
        try:
            async with asyncio.timeout(seconds):
                await self._alarm.wait()
        except TimeoutError:
            return

    def _push(self, due: float, step: Step) -> None:
        heapq.heappush(self._heap, (due, next(self._numbers), step))
        if self._heap[0][0] == due:
            self._alarm.set()

    def _plan_poll(self, resource: ProxyResource, due: float) -> None:
        key = id(resource)
        if self._polls.get(key, float("inf")) <= due:
            return
        self._polls[key] = due
        self._push(due, lambda: self._poll(resource, due))

    async def _poll(self, resource: ProxyResource, due: float) -> None:
        key = id(resource)
        if self._polls.get(key) != due:
            return  # an earlier poll took its place
        del self._polls[key]
        if not self._cloud.exists(resource) or not resource.cluster.is_online:
            return
        if resource.deleting:
            resource.finish_operation()
            self._cloud.remove_child(resource)
            return
        if resource.picked_up < resource.generation:
            self._pick_up(resource)
        if isinstance(resource, FluxConfiguration):
            await self._reconcile(resource)

    def _pick_up(self, resource: ProxyResource) -> None:
        resource.picked_up = resource.generation
        if not resource.properties.get("waitForReconciliation"):
            resource.finish_operation()
        self._cloud.touch(resource)

    async def _reconcile(self, configuration: FluxConfiguration) -> None:
        if configuration.properties.get("suspend"):
            suspended = replace(configuration.observation, compliance_state="Suspended", status_updated_at=utc_text())
            self._report(configuration, suspended)
            return
        if configuration.reconciled == configuration.generation:
            if await self._is_up_to_date(configuration):
                self._plan_next(configuration)
                return
        else:
            configuration.observation = flux.pending(configuration.observation)
            self._cloud.touch(configuration)
        number = next(self._numbers)
        self._work[id(configuration)] = number
        done_at = self._clock.now() + self._chance.uniform(*WORK_SECONDS)
        self._push(done_at, lambda: self._finish(configuration, number))

    async def _is_up_to_date(self, configuration: FluxConfiguration) -> bool:
        seen = configuration.observation
        if seen.compliance_state != "Compliant":
            return False
        try:
            return (await self._resolve(configuration)).commit == seen.commit
        except SourceError:
            return False

    async def _finish(self, configuration: FluxConfiguration, number: int) -> None:
        if self._work.get(id(configuration)) != number:
            return  # asked again in the meantime: that work is the one that counts
        del self._work[id(configuration)]
        if not self._cloud.exists(configuration) or not configuration.cluster.is_online:
            return
        try:
            resolved = await self._resolve(configuration)
        except SourceError as error:
            self._report(configuration, flux.source_failed(configuration.observation, str(error)))
        else:
            self._report(configuration, await flux.apply_commit(configuration, resolved, self._repositories, self._faults))
        self._alerts.tell(configuration)

    async def _resolve(self, configuration: FluxConfiguration) -> Resolved:
        url = str(configuration.source.get("url"))
        if configuration.source_kind == "GitRepository":
            return await self._repositories.resolve(url, configuration.reference)
        if configuration.source_kind == "OCIRepository":
            return self._artifacts.resolve(url, configuration.reference)
        raise SourceError(f"failed to get {configuration.source_kind} '{url}': the simulator has none")

    def _report(self, configuration: FluxConfiguration, observation: Observation) -> None:
        configuration.observation = observation
        configuration.reconciled = configuration.picked_up
        if configuration.picked_up == configuration.generation:
            failed = _waits(configuration) and observation.compliance_state == "Non-Compliant"
            configuration.finish_operation("Failed" if failed else "Succeeded")
        self._cloud.touch(configuration)
        self._plan_next(configuration)

    def _plan_next(self, configuration: FluxConfiguration) -> None:
        """A failure is tried again, a moving reference followed at its interval; a pinned success rests."""
        state = configuration.observation.compliance_state
        if state == "Non-Compliant":
            self._plan_poll(configuration, self._clock.now() + RETRY_SECONDS)
        elif state == "Compliant" and not configuration.is_pinned:
            self._plan_poll(configuration, self._clock.now() + _sync_seconds(configuration))

    def follow(self, configuration: FluxConfiguration) -> None:
        """Starts watching a configuration that was made already in its final state."""
        self._plan_next(configuration)


def _next_poll(cluster: Cluster, now: float) -> float:
    return now + cluster.poll_period - (now - cluster.poll_phase) % cluster.poll_period


def _waits(configuration: FluxConfiguration) -> bool:
    return bool(configuration.properties.get("waitForReconciliation"))


def _sync_seconds(configuration: FluxConfiguration) -> float:
    return float(configuration.source.get("syncIntervalInSeconds") or DEFAULT_SYNC_SECONDS)
