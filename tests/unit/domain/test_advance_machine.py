"""Two rollouts of one fleet, with everything that can come between: lost, late and repeated messages, clusters that fail or are away,
reports from the past, clocks that jump, a newer push, and a crash between the saves.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from builders import NOW, RULES, a_rollout, a_stage, a_target, an_observation, sha
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec.structs import replace

from shared.domain.advance import Decision, accounts_for_all, advance, is_settled, needs, supersede
from shared.domain.configurations import Configuration, claim, release
from shared.domain.rollouts import FINAL, IN_FLIGHT, OPEN, Rejection, Rollout, Target

LEASE = timedelta(seconds=120)


@dataclass
class Cluster:
    """Takes up the newest pin when it is connected, and is well or not."""

    is_connected: bool = True
    is_healthy: bool = True
    pinned: list[str] = field(default_factory=lambda: [sha(0)])
    synced: str = sha(0)
    reported_at: datetime = NOW

    def poll(self, now: datetime) -> None:
        if self.is_connected:
            self.synced, self.reported_at = self.pinned[-1], now

    def seen(self, now: datetime) -> Any:
        return an_observation(
            compliance="Compliant" if self.is_healthy else "Non-Compliant",
            revision=f"main@sha1:{self.synced}",
            connectivity="Connected" if self.is_connected else "Offline",
            observed_at=now,
            reported_at=self.reported_at,
        )


@dataclass(frozen=True)
class Message:
    rollout: str
    target: str
    dispatch: int


class RolloutMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.rollouts: dict[str, Rollout] = {}
        self.targets: dict[tuple[str, str], Target] = {}
        self.clusters: dict[str, Cluster] = {}
        self.records: dict[str, Configuration] = {}
        self.messages: list[Message] = []
        self.past: dict[str, Any] = {}

    @initialize(
        stages=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3), st.sampled_from([0, 60])), min_size=1, max_size=3),
        max_failures=st.integers(0, 2),
    )
    def plan(self, stages: list[tuple[int, int, int]], max_failures: int) -> None:
        self.shape = stages
        self.judged_by = replace(RULES, max_failures=max_failures)
        for number in range(sum(total for total, _, _ in stages)):
            self.clusters[f"target-{number:03}"] = Cluster()
        self._plan(1)

    def _plan(self, number: int) -> None:
        name = f"rollout-{number}"
        stages = [
            a_stage(f"stage-{index}", total, max_concurrency=room, after_wait_seconds=wait)
            for index, (total, room, wait) in enumerate(self.shape)
        ]
        self.rollouts[name] = a_rollout(
            *stages, id=name, revision=sha(number), sequence=number, rules=self.judged_by, created_at=self.now, updated_at=self.now
        )
        places = [index for index, (total, _, _) in enumerate(self.shape) for _ in range(total)]
        for order, stage in enumerate(places):
            target = a_target(order, rollout_id=name, stage=stage, before=self.clusters[f"target-{order:03}"].seen(self.now))
            self.targets[name, target.id] = target

    # What the use case does, with a crash wherever it may happen.

    def _needed(self, rollout: Rollout) -> list[Target]:
        own = [target for (name, _), target in self.targets.items() if name == rollout.id]
        loaded = [target for target in own if needs(rollout, target.stage, target.state)]
        if not accounts_for_all(rollout, loaded):
            known = {target.id for target in loaded}
            loaded += [target for target in own if target.state in FINAL and target.id not in known]
        return loaded

    def _step(self, name: str, *, saved_targets: int | None = None, lost: bool = False) -> bool:
        """Whether to step again at once. `saved_targets`: it dies after so many; `lost`: before any message is sent."""
        rollout = self.rollouts[name]
        loaded = self._needed(rollout)
        decision = advance(rollout, loaded, self.now)
        self._check_concurrency(rollout, loaded, decision)
        self._check_order_of_stages(rollout, decision)
        self._check_that_nothing_new_starts_when_it_must_not(rollout, decision)
        dispatched = {target.id for target in decision.dispatch}
        for target in decision.targets[:saved_targets]:
            self.targets[name, target.id] = replace(target, slot=self.now) if target.id in dispatched else target
            if target.id in dispatched and not lost:
                self.messages.append(Message(name, target.id, target.dispatch))
        if saved_targets is not None:
            return True
        self.rollouts[name] = decision.rollout
        self._check_counts(name)
        self._check_events(name)
        again = decision.wake_at is not None and decision.wake_at <= self.now
        if not again:
            self._check_idempotence(name)
        return again

    def _step_to_the_end(self, name: str) -> None:
        for _ in range(20):
            if not self._step(name):
                return
        raise AssertionError("a step that never ends")

    @rule(data=st.data(), crash_after=st.none() | st.integers(0, 3), lost=st.booleans())
    def step(self, data: st.DataObject, crash_after: int | None, lost: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.rollouts)))
        self._step(name, saved_targets=crash_after, lost=lost)

    @precondition(lambda self: self.messages)
    @rule(
        data=st.data(),
        is_repeated=st.booleans(),
        outcome=st.sampled_from(["accepted", "accepted", "accepted", "killed", "busy", "400", "404"]),
    )
    def apply(self, data: st.DataObject, is_repeated: bool, outcome: str) -> None:
        message = data.draw(st.sampled_from(self.messages))
        if not is_repeated:
            self.messages.remove(message)
        self._apply(message, outcome)

    def _apply(self, message: Message, outcome: str = "accepted") -> None:
        rollout, target = self.rollouts[message.rollout], self.targets[message.rollout, message.target]
        if target.state != "queued" or target.dispatch != message.dispatch:
            return
        if rollout.state not in ("running", "succeeded"):
            self._save(target, state="superseded" if rollout.state == "superseded" else "pending")
            return
        found = self.records.get(target.id) or Configuration(id=target.id, cluster_id="cluster", subscription="sub-1")
        wanted = replace(found, sequence=rollout.sequence, rollout_id=rollout.id, revision=rollout.revision, holder="me", held_until=None)
        verdict, held = claim(found, wanted, lease=LEASE, now=self.now)
        if verdict == "newer":
            self._save(target, state="superseded")
        elif verdict == "done":
            self._save(target, state="applied", applied_at=found.applied_at)
        elif verdict == "held":
            self.messages.append(message)
            self._save(target, slot=found.held_until)
        else:
            self._write(message, target, held, outcome)

    def _write(self, message: Message, target: Target, held: Configuration, outcome: str) -> None:
        self.records[target.id] = held
        if outcome == "killed":
            self.messages.append(message)
            return
        if outcome == "accepted":
            self.clusters[target.id].pinned.append(held.revision)
            self._save(target, state="applied", applied_at=self.now)
        elif outcome == "busy":
            self.messages.append(message)
            self._save(target, slot=self.now + timedelta(seconds=30))
        else:
            self._save(target, rejection=Rejection(code=outcome, message="", missing=outcome == "404"))
        self.records[target.id] = release(held, applied_at=self.now if outcome == "accepted" else None)

    def _save(self, target: Target, **changes: Any) -> None:
        self.targets[target.rollout_id, target.id] = replace(target, **changes)

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.messages.remove(data.draw(st.sampled_from(self.messages)))

    @precondition(lambda self: self.clusters)
    @rule(data=st.data(), connected=st.booleans(), healthy=st.sampled_from([True, True, True, False]))
    def trouble(self, data: st.DataObject, connected: bool, healthy: bool) -> None:
        cluster = self.clusters[data.draw(st.sampled_from(sorted(self.clusters)))]
        cluster.is_connected, cluster.is_healthy = connected, healthy

    @rule()
    def clusters_poll(self) -> None:
        for cluster in self.clusters.values():
            cluster.poll(self.now)

    @rule(share=st.integers(1, 3))
    def observe(self, share: int) -> None:
        for number, target in enumerate(list(self.targets.values())):
            if target.state in ("applied", "offline") and number % share == 0:
                self.past[target.id] = self.clusters[target.id].seen(self.now)
                self._save(target, observation=self.past[target.id])

    @precondition(lambda self: self.past)
    @rule(data=st.data(), is_new_to_us=st.booleans())
    def stale_report(self, data: st.DataObject, is_new_to_us: bool) -> None:
        """Resource Graph tells an old state, as if it were today's."""
        name = data.draw(st.sampled_from(sorted(self.past)))
        told = replace(self.past[name], observed_at=self.now) if is_new_to_us else self.past[name]
        for target in list(self.targets.values()):
            if target.id == name and target.state in ("applied", "offline"):
                self._save(target, observation=told)

    @rule(seconds=st.sampled_from([1, 30, 60, 121, 700, 49 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: len(self.rollouts) == 1)
    @rule()
    def newer_push(self) -> None:
        self._plan(2)
        self.rollouts["rollout-1"] = supersede(self.rollouts["rollout-1"], "rollout-2", self.now)

    # What must hold.

    def _check_concurrency(self, rollout: Rollout, loaded: list[Target], decision: Decision) -> None:
        after = {target.id: target for target in (*loaded, *decision.targets)}
        fresh = [target for target in decision.dispatch if target.stage == rollout.current and rollout.state == "running"]
        if fresh:
            in_flight = sum(t.state in IN_FLIGHT for t in after.values() if t.stage == rollout.current)
            assert in_flight <= rollout.stages[rollout.current].max_concurrency

    def _check_order_of_stages(self, rollout: Rollout, decision: Decision) -> None:
        for before, after in zip(rollout.stages, decision.rollout.stages, strict=True):
            if before.state == "pending" and after.state != "pending":
                place = rollout.stages.index(before)
                earlier = rollout.stages[:place]
                assert all(stage.state == "succeeded" for stage in earlier)
                assert all(stage.closed_at and stage.closed_at <= self.now for stage in earlier)
                if earlier:
                    assert (earlier[-1].closed_at or self.now) + timedelta(seconds=earlier[-1].after_wait_seconds) <= self.now
                    own = [t for t in self.targets.values() if t.rollout_id == rollout.id and t.stage < place]
                    assert not [t for t in own if t.state == "pending" and t.dispatch == 0]

    def _check_that_nothing_new_starts_when_it_must_not(self, rollout: Rollout, decision: Decision) -> None:
        if rollout.state in ("paused", "superseded") or decision.rollout.state == "paused":
            assert not [target for target in decision.dispatch if target.stage >= rollout.current]
        if rollout.state in ("paused", "superseded"):
            assert not decision.dispatch
        assert all(target.dispatch > 0 for target in decision.dispatch)
        assert not [target for target in decision.dispatch if target.stage > rollout.current]

    def _check_counts(self, name: str) -> None:
        rollout = self.rollouts[name]
        for index, stage in enumerate(rollout.stages):
            real: dict[str, int] = {}
            for target in self.targets.values():
                if target.rollout_id == name and target.stage == index:
                    real[target.state] = real.get(target.state, 0) + 1
            assert stage.counts == real
            assert sum(stage.counts.values()) == stage.total

    def _check_events(self, name: str) -> None:
        ids = [event.id for event in self.rollouts[name].events]
        assert len(ids) == len(set(ids))

    def _check_idempotence(self, name: str) -> None:
        rollout = self.rollouts[name]
        again = advance(rollout, self._needed(rollout), self.now)
        assert (again.rollout, again.targets, again.dispatch) == (rollout, (), ())

    def teardown(self) -> None:
        """From wherever it is, a fair environment brings every rollout to its end."""
        if not self.rollouts:
            return
        for cluster in self.clusters.values():
            cluster.is_healthy = True
        for _ in range(60):
            for name in self.rollouts:
                self._step_to_the_end(name)
            waiting, self.messages = self.messages, []
            for message in waiting:
                self._apply(message)
            self.clusters_poll()
            self.observe(1)
            self.now += timedelta(seconds=60)
        for name, rollout in self.rollouts.items():
            assert rollout.state in ("succeeded", "paused", "superseded")
            left = {t.state for t in self.targets.values() if t.rollout_id == name and t.state in OPEN}
            assert left <= ({"offline"} if rollout.state == "succeeded" else {"offline", "pending"} if rollout.state == "paused" else set())
            assert is_settled(rollout) is (rollout.state != "paused" and not left)


RolloutMachine.TestCase.settings = settings(stateful_step_count=40)
TestRolloutMachine = RolloutMachine.TestCase
