"""The simulated host, queues and database keep the rules of the real ones."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from builders import a_rollout, a_stage, a_target

from cli.simulation import virtual_time
from cli.simulation.azure import NEW, OLD, SimulatedCluster, SimulatedResourceManager
from cli.simulation.database.others import MemoryChecks
from cli.simulation.database.rollouts import MemoryRollouts
from cli.simulation.host import Host, SimulatedQueue
from cli.simulation.model import ARM_BURST, Model, make_fleet
from cli.simulation.people import People
from cli.simulation.virtual_time import NothingHappens, VirtualClock
from shared.domain.errors import Conflict, Throttled, Unavailable
from shared.domain.gates import Gate, GateType
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.domain.pins import Pin
from shared.domain.record import Record
from shared.domain.rollouts import Rollout, Target

_START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_STEP = StepRollout(rollout_id="r")


def test_an_hour_of_waiting_takes_no_time() -> None:
    async def wait() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert virtual_time.run(wait()) == pytest.approx(3600)


def test_waiting_for_what_never_comes_is_an_error() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingHappens):
        virtual_time.run(wait())


def handled(errors: list[Exception], *, delay: float = 0.0, seconds: float = 400.0) -> tuple[list[float], Host]:
    """When the handler of one message ran, if it raises `errors` one after the other; and the host."""

    async def play() -> tuple[list[float], Host]:
        clock, times = VirtualClock(_START), list[float]()

        async def handle(message: Record) -> None:
            assert message == _STEP
            times.append(clock.seconds())
            if errors:
                raise errors.pop(0)

        async with asyncio.TaskGroup() as tasks:
            queue = SimulatedQueue(clock)
            host = Host(queue, tasks, seed=1)
            host.on_queue(ROLLOUT_STEPS, handle, instances=1)
            await queue.send(ROLLOUT_STEPS, _STEP, not_before=clock() + timedelta(seconds=delay))
            await asyncio.sleep(seconds)
            host.stop()
        return times, host

    return virtual_time.run(play())


def test_a_message_is_not_seen_before_its_time_rounded_up_and_within_two_seconds_of_it() -> None:
    times, _ = handled([], delay=10.2)
    assert len(times) == 1
    assert 11 <= times[0] <= 13.1


def test_a_message_whose_work_failed_comes_again_after_half_a_minute_and_is_buried_the_fifth_time() -> None:
    times, host = handled([Conflict("late") for _ in range(9)])
    assert len(times) == 5
    assert all(after - before >= 30 for before, after in pairwise(times))
    assert (host.failed, host.buried) == (5, 1)


def test_a_message_comes_again_for_ever_while_a_service_is_down() -> None:
    times, host = handled([Unavailable("down", retry_after=10.0) for _ in range(8)])
    assert len(times) == 9
    assert host.buried == 0


def test_a_timer_fires_at_whole_multiples_and_never_overlaps_itself() -> None:
    async def play() -> list[float]:
        times = list[float]()

        async def work() -> None:
            times.append(asyncio.get_running_loop().time())
            await asyncio.sleep(40)

        async with asyncio.TaskGroup() as tasks:
            host = Host(SimulatedQueue(VirtualClock(_START)), tasks, seed=1)
            await asyncio.sleep(5)
            host.on_timer(30.0, work)
            await asyncio.sleep(200)
            host.stop()
        return times

    assert virtual_time.run(play()) == pytest.approx([30, 90, 150])


def test_arm_refuses_what_is_too_fast_and_says_when_to_come_back() -> None:
    async def play() -> tuple[int, int, float | None]:
        clock = VirtualClock(_START)
        clusters = [SimulatedCluster(traits, f"c{traits.number}", clock) for traits in make_fleet(Model(clusters=ARM_BURST + 1))]
        manager = SimulatedResourceManager(clusters, clock)
        targets = [a_target(n, configuration_id=c.found.id, subscription="s") for n, c in enumerate(clusters)]
        answers = await asyncio.gather(*(manager.pin(t, Pin(revision=NEW)) for t in targets), return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Throttled)]
        return len(manager.updates), manager.throttled, refused[0].retry_after

    assert virtual_time.run(play()) == (ARM_BURST, 1, 1)


def test_a_cluster_shows_the_old_commit_then_that_it_is_at_work_then_the_new_one() -> None:
    async def play() -> list[tuple[str, str]]:
        clock = VirtualClock(_START)
        traits = make_fleet(Model(clusters=1))[0]
        cluster, seen = SimulatedCluster(traits, "c", clock), list[tuple[str, str]]()
        cluster.write(NEW)
        for moment in (0.0, traits.polls_after(0) + traits.lag_seconds, traits.shown_at(0)):
            await asyncio.sleep(moment - clock.seconds() + 1e-6 if moment else 0)
            observed = cluster.look().observation
            seen.append((observed.compliance, observed.revision.removeprefix("main@sha1:")))
        return seen

    assert virtual_time.run(play()) == [("Compliant", OLD), ("Pending", OLD), ("Compliant", NEW)]


def test_the_database_refuses_what_was_changed_since_it_was_read() -> None:
    async def play() -> None:
        rollouts = MemoryRollouts(VirtualClock(_START))
        assert await rollouts.create_targets([a_target(0), a_target(1)])
        assert await rollouts.create(a_rollout(a_stage(total=2)))
        found = await rollouts.get("rollout-1")
        assert found is not None
        rollout, etag = found
        opened = await rollouts.open("rollout-1", ["target-000", "target-001"])
        await rollouts.save_target(*opened[0])
        with pytest.raises(Conflict):
            await rollouts.commit(rollout, etag, opened)
        assert [target.id for target in await rollouts.save_targets(opened)] == ["target-000"]
        with pytest.raises(Conflict):
            await rollouts.save_target(*opened[1])
        newer = await rollouts.commit(rollout, etag, [])
        with pytest.raises(Conflict):
            await rollouts.save(rollout, etag)
        await rollouts.save(rollout, newer)

    virtual_time.run(play())


@pytest.mark.parametrize("kind", ["approval", "webhook", "checks", "promotion"])
def test_people_and_systems_say_yes_at_a_gate_after_a_while(kind: GateType) -> None:
    gate = Gate(name="go", type=kind, asked_at=_START, required=2, approvers=("ops",), checks=("build",), route="staging")

    async def play() -> tuple[Rollout, dict[str, str], list[Rollout]]:
        clock, checks = VirtualClock(_START), MemoryChecks()
        rollouts, queue = MemoryRollouts(clock), SimulatedQueue(clock)
        rollout = a_rollout(a_stage(gates=(gate,)))
        async with asyncio.TaskGroup() as tasks:
            people = People(rollouts, checks, queue, clock, tasks, approve_after=timedelta(minutes=10), resume_after=None)
            rollouts.rollout_listeners.append(people.hear)
            await rollouts.create(rollout)
            await rollouts.save(rollout, "1")
            await asyncio.sleep(599)
            too_early = queue.sent[ROLLOUT_STEPS]
            await asyncio.sleep(3600)
            people.stop()
        assert (too_early, queue.sent[ROLLOUT_STEPS]) == (0, 1)
        found = await rollouts.get(rollout.id)
        assert found is not None
        listed, _ = await rollouts.recent(10, None)
        return found[0], dict(await checks.of(rollout.source, rollout.revision)), listed

    rollout, checks, listed = virtual_time.run(play())
    approved = [verdict.approved for verdict in rollout.stages[0].gates[0].verdicts]
    assert approved == ([True, True] if kind in ("approval", "webhook") else [])
    assert checks == ({"build": "success"} if kind == "checks" else {})
    assert [(r.route, r.state) for r in listed[1:]] == ([("staging", "succeeded")] if kind == "promotion" else [])


def test_whoever_listens_hears_of_each_change_of_state_once() -> None:
    async def play() -> list[tuple[str, str]]:
        rollouts, heard = MemoryRollouts(VirtualClock(_START)), list[tuple[str, str]]()

        def hear(before: str, target: Target) -> None:
            heard.append((before, target.state))

        rollouts.target_listeners.append(hear)
        await rollouts.create_targets([a_target(0)])
        etag = await rollouts.save_target(a_target(0, reason="again"), "1")
        await rollouts.save_target(a_target(0, state="queued"), etag)
        return heard

    assert virtual_time.run(play()) == [("", "pending"), ("pending", "queued")]
