"""Plan, step, apply, observe and notify together: fifty clusters, and a queue that loses, repeats and delays."""

import random
from dataclasses import dataclass, field

import pytest
from builders import a_change, a_flux_configuration, an_observation, at, sha
from fakes import Sent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from worlds import World

from shared.domain.errors import Busy, Conflict, Throttled, Unavailable
from shared.domain.messages import PlanChange
from shared.domain.observations import FluxConfiguration
from shared.domain.pace import ARM_WRITES
from shared.domain.rollouts import OPEN, Rollout

CLUSTERS = 50
SECONDS = 10.0  #: between two looks at the queues


@dataclass
class Fleet:
    """A world whose clusters take up what was written, and report it."""

    seed: int
    loses: float = 0.0  #: share of messages
    repeats: float = 0.0
    refuses: float = 0.0  #: share of writes that Azure answers with "not now"
    offline: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.world = World()
        self.chance = random.Random(self.seed)  # noqa: S311 -- repeatable, not secret
        self.world.fleet.found = [a_flux_configuration(number) for number in range(CLUSTERS)]
        self.synced = [sha(0)] * CLUSTERS

    async def push(self, number: int) -> None:
        change = a_change(number, pushed_at=self.world.clock(), received_at=self.world.clock())
        await self.world.changes.mark_unplanned(change)
        await self.world.changes.record(change)
        await self.world.plan()(PlanChange(source=change.source, change_id=change.id))

    async def run(self, seconds: float) -> None:
        """The Functions host, for so long: messages, and the timers every half a minute."""
        ends = self.world.clock.now.timestamp() + seconds
        turn = 0
        while self.world.clock.now.timestamp() < ends and not self.is_over():
            for sent in self.world.queue.visible():
                await self._deliver(sent)
            self._poll()
            if turn % 3 == 0:
                await self.world.observe()()
                await self.world.step().sweep()
                await self.world.plan().sweep()
            turn += 1
            self.world.clock.pass_(SECONDS)

    async def _deliver(self, sent: Sent) -> None:
        if self.chance.random() >= self.repeats:
            self.world.queue.waiting.remove(sent)
        if sent.queue != "notifications" and self.chance.random() < self.loses:
            return
        if sent.queue == "config-updates" and self.chance.random() < self.refuses:
            errors = [Throttled("slow", status=429, retry_after=15), Unavailable("down", status=503), Busy("busy", status=409)]
            self.world.resource_manager.answers = [self.chance.choice(errors)]
        try:
            await self.world.deliver(sent.queue, sent.message)
        except Conflict:
            self.world.queue.waiting.append(sent)
        finally:
            self.world.resource_manager.answers = []

    def _poll(self) -> None:
        """Every cluster that is connected fetches what was last written to it, and reports."""
        for patch in self.world.resource_manager.applied:
            number = int(patch.configuration_id.split("/connectedclusters/cluster-")[1][:3])
            if number not in self.offline:
                self.synced[number] = patch.commit
        self.world.fleet.found = [self._seen(number) for number in range(CLUSTERS) if number not in self.gone]

    def _seen(self, number: int) -> FluxConfiguration:
        now = self.world.clock()
        observation = an_observation(
            compliance="Non-Compliant" if number in self.broken and self.synced[number] != sha(0) else "Compliant",
            revision=f"main@sha1:{self.synced[number]}",
            connectivity="Offline" if number in self.offline else "Connected",
            observed_at=now,
            reported_at=now,
            message="build failed" if number in self.broken else "",
        )
        return a_flux_configuration(number, observation=observation)

    def rollouts(self) -> list[Rollout]:
        return sorted(self.world.rollouts.kept.all(), key=lambda rollout: rollout.sequence)

    def is_over(self) -> bool:
        return all(rollout.state != "running" for rollout in self.rollouts()) and not self.world.queue.visible()

    def written(self, commit: str) -> list[str]:
        return [patch.configuration_id for patch in self.world.resource_manager.applied if patch.commit == commit]

    def counts(self, rollout: Rollout) -> dict[str, int]:
        counts: dict[str, int] = {}
        for target in self.world.rollouts.kept_targets.all():
            if target.rollout_id == rollout.id:
                counts[target.state] = counts.get(target.state, 0) + 1
        return counts


def told(fleet: Fleet) -> list[str]:
    return [announcement.kind for post in fleet.world.provider.sent for announcement in post]


async def test_fifty_clusters_get_one_update_each_and_the_people_are_told() -> None:
    fleet = Fleet(1)
    await fleet.push(1)
    await fleet.run(3600)
    (rollout,) = fleet.rollouts()
    assert rollout.state == "succeeded"
    assert [stage.counts for stage in rollout.stages] == [{"compliant": 10}, {"compliant": 40}]
    assert len(fleet.written(sha(1))) == len(set(fleet.written(sha(1)))) == CLUSTERS
    await fleet.run(600)
    assert told(fleet) == ["rollout.started", "stage.succeeded", "stage.succeeded", "rollout.succeeded"]
    opened, closed = rollout.stages[1].opened_at, rollout.stages[0].closed_at
    assert opened is not None
    assert closed is not None
    assert (opened - closed).total_seconds() >= 60


@given(st.integers(0, 2**32))
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
async def test_lost_and_repeated_messages_change_nothing(seed: int) -> None:
    fleet = Fleet(seed, loses=0.2, repeats=0.3, refuses=0.1)
    await fleet.push(1)
    await fleet.run(6 * 3600)
    (rollout,) = fleet.rollouts()
    assert rollout.state == "succeeded"
    assert fleet.counts(rollout) == {"compliant": CLUSTERS}
    assert len(fleet.written(sha(1))) == len(set(fleet.written(sha(1)))) == CLUSTERS
    assert fleet.world.audit.actions().count("update.applied") >= CLUSTERS


@given(st.integers(0, 2**32), st.integers(0, 40))
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
async def test_a_newer_push_takes_the_place_of_a_rollout_wherever_it_is(seed: int, after: int) -> None:
    fleet = Fleet(seed, loses=0.1, repeats=0.2)
    await fleet.push(1)
    await fleet.run(after * SECONDS)
    await fleet.push(2)
    await fleet.run(6 * 3600)
    old, new = fleet.rollouts()
    assert (new.state, fleet.counts(new)) == ("succeeded", {"compliant": CLUSTERS})
    assert old.state in ("superseded", "succeeded")
    assert not set(fleet.counts(old)) & OPEN
    for rollout in (old, new):
        assert sum(sum(stage.counts.values()) for stage in rollout.stages) == CLUSTERS
    assert len(fleet.written(sha(2))) == len(set(fleet.written(sha(2)))) == CLUSTERS
    assert set(fleet.synced) == {sha(2)}


async def test_broken_clusters_stop_it_before_the_rest_is_touched() -> None:
    fleet = Fleet(1, broken={0, 5, 10})
    await fleet.push(1)
    await fleet.run(2 * 3600)
    (rollout,) = fleet.rollouts()
    assert (rollout.state, rollout.current) == ("paused", 0)
    assert len(fleet.written(sha(1))) <= 10
    await fleet.run(600)
    failure = next(announcement for post in fleet.world.provider.sent for announcement in post if announcement.kind == "stage.failed")
    assert {cluster.name for cluster in failure.clusters} == {"cluster-000", "cluster-005", "cluster-010"}
    assert {cluster.reason for cluster in failure.clusters} == {"build failed"}


async def test_clusters_that_are_away_do_not_hold_it_up_and_catch_up_when_they_are_back() -> None:
    fleet = Fleet(1, offline={0, 7, 8})
    await fleet.push(1)
    await fleet.run(3600)
    (rollout,) = fleet.rollouts()
    assert (rollout.state, fleet.counts(rollout)) == ("succeeded", {"compliant": 47, "offline": 3})
    assert rollout.id in fleet.world.rollouts.listed
    fleet.offline = set()
    for _ in range(60):
        await fleet.world.observe()()
        await fleet.world.step()(rollout.id)
        fleet._poll()
        fleet.world.clock.pass_(30)
    assert fleet.counts(rollout) == {"compliant": 50}
    assert len(fleet.written(sha(1))) == CLUSTERS
    assert fleet.world.rollouts.listed == {}


async def test_clusters_that_were_away_for_days_are_written_again() -> None:
    fleet = Fleet(1, offline={7})
    await fleet.push(1)
    await fleet.run(3600)
    (rollout,) = fleet.rollouts()
    fleet.world.clock.pass_(49 * 3600)
    fleet.world.resource_manager.applied.clear()  # Azure has forgotten
    fleet.offline = set()
    for _ in range(10):
        fleet._poll()
        await fleet.world.observe()()
        await fleet.world.step()(rollout.id)
        for sent in fleet.world.queue.visible():
            await fleet._deliver(sent)
        fleet.world.clock.pass_(300)
    assert fleet.counts(rollout) == {"compliant": 50}
    assert len(fleet.written(sha(1))) == 1


async def test_a_configuration_that_is_deleted_on_the_way_is_skipped() -> None:
    fleet = Fleet(1, gone={3})
    fleet.world.fleet.found = [a_flux_configuration(number) for number in range(CLUSTERS)]
    await fleet.push(1)
    await fleet.run(2 * 3600)
    (rollout,) = fleet.rollouts()
    assert (rollout.state, fleet.counts(rollout)) == ("succeeded", {"compliant": 49, "skipped": 1})


@pytest.mark.parametrize("room", [1, 3])
async def test_no_more_are_in_flight_than_the_strategy_allows(room: int) -> None:
    fleet = Fleet(1)
    (strategy,) = fleet.world.config.strategies
    stages = tuple(replace(stage, max_concurrency=room) for stage in strategy.stages)
    fleet.world.config = replace(fleet.world.config, strategies=(replace(strategy, stages=stages),))
    most = 0

    def count() -> None:
        nonlocal most
        most = max(most, sum(target.state in ("queued", "applied") for target in fleet.world.rollouts.kept_targets.all()))

    fleet.world.resource_manager.meanwhile = count
    await fleet.push(1)
    await fleet.run(6 * 3600)
    assert fleet.rollouts()[0].state == "succeeded"
    assert most == room


async def test_updates_are_paced() -> None:
    fleet = Fleet(1)
    await fleet.world.pacer.reserve("sub-1", ARM_WRITES.burst + 100)
    await fleet.push(1)
    await fleet.world.step()(fleet.rollouts()[0].id)
    slots = [sent.not_before for sent in fleet.world.queue.sent if sent.queue == "config-updates"]
    assert len(slots) == 5
    assert all(slot is not None and slot >= at(10) for slot in slots)
