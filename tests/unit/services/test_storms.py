"""A thousand clusters, and how many messages people get: real deliveries, counted."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from builders import NOW, a_change, a_flux_configuration, an_observation, resource_id, sha
from fleet_fakes import FleetWorld
from sightings import a_cluster, seen

from shared.config.loader import load_text
from shared.domain.announcements import Announcement
from shared.domain.fleet import Sighting
from shared.domain.flux_reports import FluxReport
from shared.domain.messages import PlanChange

CLUSTERS = 1000
BROKEN = frozenset(range(3, CLUSTERS, 33)[:30])
CONFIG = """
apiVersion: sluice/v1
receivers:
  - {name: platform, type: github, secretRef: kv://sluice/github}
strategies:
  - name: rings
    stages:
      - {name: canary, selector: {tags: {ring: canary}}, maxConcurrency: 50%, afterStageWait: 2m}
      - {name: prod, selector: {tags: {ring: prod}}, maxConcurrency: 25%}
    success: {complianceWithin: 30m, grace: 2m, maxFailures: 5%}
routes:
  - {name: platform, source: {url: https://github.com/contoso/platform, ref: refs/heads/main}, action: pin, strategy: rings}
providers:
  - {name: ops, type: msteams, addressRef: kv://sluice/teams}
alerts:
  - {name: all, provider: ops, severity: info}
"""


class Thousand:
    """A rollout over a thousand clusters of which 30 do not take the commit, with every sweep at its own pace."""

    def __init__(self, config: str = CONFIG) -> None:
        self.world = FleetWorld(config=load_text(config))
        self.synced = {number: sha(0) for number in range(CLUSTERS)}
        self.posted_at: list[datetime] = []

    async def push(self) -> None:
        self._see()
        await self.world.sweep()
        change = a_change(1)
        await self.world.changes.record(change)
        await self.world.plan()(PlanChange(source=change.source, change_id=change.id))

    async def run(self, span: timedelta) -> None:
        for turn in range(int(span.total_seconds() / 10)):
            await self.deliver()
            if turn % 3 == 0:
                self._see()
                await self.world.observe()()
                await self.world.step().sweep()
            if turn % 30 == 0:
                await self.world.sweep()
            self.world.clock.pass_(10)

    async def deliver(self) -> None:
        for sent in self.world.queue.visible():
            self.world.queue.waiting.remove(sent)
            await self.world.deliver(sent.queue, sent.message)

    def _see(self) -> None:
        for patch in self.world.resource_manager.applied:
            found = re.search(r"cluster-(\d+)/", patch.configuration_id)
            assert found
            self.synced[int(found[1])] = patch.commit
        now = self.world.clock()
        self.world.fleet.found, shown = [], []
        for number, commit in self.synced.items():
            compliance = "Non-Compliant" if number in BROKEN and commit != sha(0) else "Compliant"
            revision = f"main@sha1:{commit}"
            observation = an_observation(
                compliance=compliance, revision=revision, observed_at=now, reported_at=now, message="HelmRelease not ready"
            )
            self.world.fleet.found.append(a_flux_configuration(number, observation=observation))
            shown.append(
                Sighting(cluster=a_cluster(number), configuration=seen(number, compliance=compliance, revision=revision, commit=commit))
            )
        self.world.inventory.shown = shown

    def messages(self) -> list[tuple[Announcement, ...]]:
        return self.world.provider.sent


def counted(messages: Iterable[tuple[Announcement, ...]], kind: str) -> int:
    """Clusters that are told of, by event type."""
    return sum(1 + len(told.others) for message in messages for told in message if told.kind == kind)


async def test_a_rollout_over_a_thousand_clusters_with_thirty_failures_is_at_most_eight_messages() -> None:
    fleet = Thousand()
    await fleet.push()
    await fleet.run(timedelta(hours=1))
    (rollout,) = fleet.world.rollouts.kept.all()
    assert rollout.state == "succeeded"
    assert sum((Counter(stage.counts) for stage in rollout.stages), Counter[str]()) == {"compliant": 970, "failed": 30}
    messages = fleet.messages()
    kinds = Counter(told.kind for message in messages for told in message)
    assert len(messages) <= 8, kinds
    assert counted(messages, "target.failed") == 30
    assert counted(messages, "configuration.non-compliant") == 30
    assert kinds["rollout.started"] == kinds["rollout.succeeded"] == 1
    failed = [told for message in messages for told in message if told.kind == "target.failed"]
    for told in failed:
        assert told.title == f"{1 + len(told.others)} cluster{'s' if told.others else ''} failed: platform"
        assert told.subject == rollout.id
        assert told.at is not None
        assert "sluice retry" in told.next_step
        assert dict(told.links) == {"Failed clusters": f"https://sluice.example/api/dashboard?rollout={rollout.id}&state=failed"}
        assert {line.reason for line in told.clusters} == {"HelmRelease not ready"}


async def test_without_an_alert_for_them_targets_cost_no_message() -> None:
    fleet = Thousand(CONFIG.replace("severity: info}", 'events: ["rollout.*"]}'))
    await fleet.push()
    await fleet.run(timedelta(minutes=20))
    assert not [sent for sent in fleet.world.queue.sent if "ended" in sent.text]
    assert {told.kind for message in fleet.messages() for told in message} <= {"rollout.started", "rollout.succeeded"}


@pytest.fixture
def world() -> FleetWorld:
    return FleetWorld(config=load_text(CONFIG))


async def post_all(world: FleetWorld, span: timedelta) -> None:
    ends = world.clock() + span
    while world.clock() < ends:
        for sent in world.queue.visible():
            world.queue.waiting.remove(sent)
            await world.deliver(sent.queue, sent.message)
        world.clock.pass_(30)


async def test_a_thousand_clusters_that_fail_within_a_minute_are_a_handful_of_messages_with_counts(world: FleetWorld) -> None:
    """They go offline, their extension fails and their fluxConfiguration is not compliant, seen by two sweeps; then all is well."""

    def show(bad: Iterable[int]) -> None:
        lost = set(bad)
        world.inventory.shown = [
            Sighting(
                cluster=a_cluster(number, connectivity="Offline" if number in lost else "Connected"),
                configuration=seen(number, compliance="Non-Compliant" if number in lost else "Compliant", message="down"),
            )
            for number in range(CLUSTERS)
        ]

    show([])
    await world.sweep()
    show(range(600))
    await world.sweep()
    world.clock.pass_(60)
    show(range(CLUSTERS))
    await world.sweep()
    await post_all(world, timedelta(minutes=10))
    (message,) = world.provider.sent
    assert [told.title for told in message] == ["Offline: 1,000 clusters", "Non-Compliant: 1,000 fluxConfigurations"]
    assert all((len(told.clusters), told.more_clusters) == (25, 975) for told in message)
    assert [dict(told.links) for told in message] == [{"Fleet": "https://sluice.example/api/dashboard?view=fleet"}] * 2
    show([])
    await world.sweep()
    await post_all(world, timedelta(minutes=30))
    assert [told.title for told in world.provider.sent[-1]] == [
        "Connected again: 1,000 clusters",
        "Compliant again: 1,000 fluxConfigurations",
    ]
    assert len(world.provider.sent) == 2


async def test_a_thousand_reports_of_flux_within_a_minute_are_a_handful_of_messages(world: FleetWorld) -> None:
    for number in range(CLUSTERS):
        cluster = resource_id(number).partition("/providers/microsoft.kubernetesconfiguration")[0]
        report = FluxReport(
            cluster_id=cluster,
            namespace="apps",
            kind="HelmRelease",
            name="till",
            revision="",
            severity="error",
            reason="InstallFailed",
            message=f"timed out after {number} s",
            at=NOW,
        )
        await world.report_flux()(report)
        world.clock.pass_(0.05)
    await post_all(world, timedelta(minutes=10))
    assert len(world.provider.sent) == 1
    ((told,),) = world.provider.sent
    assert told.title == "Flux: HelmRelease apps/till fails on 1,000 clusters: InstallFailed"
    assert told.fields["object"] == "HelmRelease apps/till"
    assert "cluster" not in told.fields
