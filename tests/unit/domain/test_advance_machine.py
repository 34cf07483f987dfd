"""Up to three rollouts of one fleet, with everything that can come between: lost, late and repeated messages, updates that are overtaken
while they are under way, clusters that fail, flap, vanish or are away, reports from the past, clocks that jump, gates, windows, a
pace without room, newer pushes, everything that people may do, and a crash at any time.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from builders import NOW, a_pin, a_rollout, a_stage, a_target, an_observation, sha
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec.structs import replace
from stored import Stored

from shared.domain.acts import Act, ActKind, perform
from shared.domain.advance import SOON, Decision, is_settled, supersede
from shared.domain.configurations import Configuration, claim, release
from shared.domain.crowd import is_due, scope
from shared.domain.errors import NotAllowed
from shared.domain.facts import Facts
from shared.domain.gates import CheckState, Gate, GateFacts, Verdict, answer
from shared.domain.observations import Observation
from shared.domain.picking import may_start
from shared.domain.rollouts import FINAL, FINISHED, GIVEN_UP, IN_FLIGHT, OPEN, Glance, Rejection, Rollout, Rules, Stage, Target
from shared.domain.targets import judge, seems_new
from shared.domain.windows import Calendar, Window, is_open

LEASE = timedelta(seconds=120)
SUBSCRIPTIONS = ("sub-0", "sub-1")
_DAILY = Window(time_zone="UTC", days=(0, 1, 2, 3, 4, 5, 6), start="12:01", end="12:20")
_FREEZE = Window(time_zone="Europe/Berlin", first="2026-11-24T13:00", last="2026-11-24T14:00")
CALENDARS = (Calendar(), Calendar(windows=(_DAILY,), freezes=(_FREEZE,)))
GATES: dict[str, Gate] = {
    "owner": Gate(name="owner", type="approval", approvers=("owner",), expires_after_seconds=600),
    "both": Gate(name="both", type="approval", approvers=("owner",), required=2),
    "ci": Gate(name="ci", type="checks", checks=("build",), expires_after_seconds=3600),
    "ticket": Gate(name="ticket", type="webhook", url="https://tickets.example/x"),
}
#: After what was final, what may come: a bake that fails, a retry, a rollback.
_AFTER_FINAL = {
    "compliant": {"failed", "pending", "queued"},
    "failed": {"failed", "pending", "queued"},
    "rolled-back": set[str](),
    "skipped": set[str](),
    "superseded": set[str](),
}


@dataclass
class Cluster:
    """Takes up the newest pin when it is connected, and is well or not."""

    is_connected: bool = True
    is_healthy: bool = True
    is_suspended: bool = False
    is_present: bool = True
    pinned: list[tuple[int, int, str]] = field(default_factory=lambda: [(0, 0, sha(0))])
    synced: str = sha(0)
    reported_at: datetime = NOW

    def poll(self, now: datetime) -> None:
        if self.is_connected and not self.is_suspended:
            self.synced, self.reported_at = self.pinned[-1][2], now

    def seen(self, now: datetime) -> Observation:
        if not self.is_present:
            return Observation.missing(now)
        health = "Compliant" if self.is_healthy else "Non-Compliant"
        return an_observation(
            compliance="Suspended" if self.is_suspended else health,
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


@dataclass(frozen=True)
class Attempt:
    """An instance that has read all that it needs to write an update, and has not asked for its turn yet."""

    message: Message
    sequence: int
    target: Target


a_stage_shape = st.fixed_dictionaries(
    {
        "total": st.integers(0, 4),
        "max_concurrency": st.integers(1, 3),
        "after_wait_seconds": st.sampled_from([0, 60]),
        "bake_seconds": st.sampled_from([0, 0, 90]),
        "gates": st.lists(st.sampled_from(sorted(GATES)), max_size=2, unique=True).map(lambda names: tuple(GATES[name] for name in names)),
        "rules": st.builds(
            Rules,
            compliance_within_seconds=st.just(600.0),
            grace_seconds=st.just(60.0),
            max_failures=st.integers(0, 2),
            redispatch_after_seconds=st.just(120.0),
            on_failure=st.sampled_from(["pause", "rollback", "continue"]),
        ),
    }
)


class RolloutMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.stored: dict[str, Stored] = {}
        self.clusters: dict[str, Cluster] = {}
        self.records: dict[str, Configuration] = {}
        self.messages: list[Message] = []
        self.attempts: list[Attempt] = []
        self.past: dict[str, Observation] = {}
        self.build: CheckState = "pending"
        self.room = dict.fromkeys(SUBSCRIPTIONS, 100)

    @initialize(stages=st.lists(a_stage_shape, min_size=1, max_size=3), in_windows=st.booleans(), without_past=st.booleans())
    def plan(self, stages: list[dict[str, Any]], in_windows: bool, without_past: bool) -> None:
        self.shape = [a_stage(f"stage-{index}", **shape) for index, shape in enumerate(stages)]
        self.in_windows, self.without_past = in_windows, without_past
        for number in range(sum(stage.total for stage in self.shape)):
            self.clusters[f"target-{number:03}"] = Cluster()
        self._plan(1)

    def _plan(self, number: int) -> None:
        name = f"rollout-{number}"
        values = {"revision": sha(number), "sequence": number, "created_at": self.now, "updated_at": self.now}
        places = [index for index, stage in enumerate(self.shape) for _ in range(stage.total)]
        self.stored[name] = Stored(
            a_rollout(*self.shape, id=name, calendars=CALENDARS, **values),
            [
                a_target(
                    order,
                    rollout_id=name,
                    stage=stage,
                    subscription=SUBSCRIPTIONS[order % 2],
                    calendar=int(self.in_windows and order % 3 == 0),
                    pin=a_pin(number),
                    previous=None if self.without_past and order % 3 == 1 else a_pin(number - 1),
                    before=self.clusters[f"target-{order:03}"].seen(self.now),
                )
                for order, stage in enumerate(places)
            ],
        )

    # What the use cases do, and what may happen meanwhile.

    def _facts(self) -> Facts:
        return Facts(room=self.room, gates=GateFacts(checks={"build": self.build}))

    def _some(self, data: st.DataObject) -> Stored:
        return self.stored[data.draw(st.sampled_from(sorted(self.stored)))]

    @rule(data=st.data(), saved=st.sampled_from([True, True, True, False]), lost=st.sampled_from([0, 0, 0, 1, 90]))
    def step(self, data: st.DataObject, saved: bool, lost: int) -> None:
        self._step(self._some(data), saved=saved, lost=lost)

    @rule(data=st.data())
    def steps(self, data: st.DataObject) -> None:
        self._step_to_the_end(self._some(data))

    def _step_to_the_end(self, stored: Stored) -> None:
        for _ in range(20):
            if not self._step(stored).is_unfinished:
                return
        raise AssertionError("steps that never end")

    def _step(self, stored: Stored, *, saved: bool = True, lost: int = 0) -> Decision:
        """A transaction that fails changes nothing; of the messages that follow it the first `lost` are never sent."""
        before = Stored(stored.rollout, stored.targets.values())
        decision = stored.decide(self.now, self._facts())
        if not saved:
            return decision
        stored.save(decision, self.now)
        self.messages += [Message(stored.rollout.id, target.id, target.dispatch) for target in decision.dispatch[lost:]]
        self._check(before, decision, stored)
        return decision

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), is_repeated=st.booleans())
    def take_up(self, data: st.DataObject, is_repeated: bool) -> None:
        message = data.draw(st.sampled_from(self.messages))
        if not is_repeated:
            self.messages.remove(message)
        self._take_up(message)

    def _take_up(self, message: Message) -> None:
        stored = self.stored[message.rollout]
        rollout, target = stored.rollout, stored.targets[message.target]
        if target.state != "queued" or target.dispatch != message.dispatch:
            return
        if not self._is_wanted(rollout, target):
            self._settle(target, state="pending")
            return
        self.attempts.append(Attempt(message, rollout.sequence, target))

    def _is_wanted(self, rollout: Rollout, target: Target) -> bool:
        if target.goal == "back":
            return rollout.state in ("rolling-back", "rolled-back")
        return rollout.state in ("running", "succeeded") and is_open(CALENDARS[target.calendar], self.now)

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), outcome=st.sampled_from(["accepted"] * 4 + ["killed", "unanswered", "busy", "400", "404"]))
    def write(self, data: st.DataObject, outcome: str) -> None:
        self._write(data.draw(st.sampled_from(self.attempts)), outcome)

    def _write(self, attempt: Attempt, outcome: str = "accepted") -> None:
        self.attempts.remove(attempt)
        target = attempt.target
        found = self.records.get(target.id) or Configuration(id=target.id, cluster_id="cluster", subscription=target.subscription)
        asked = target.asked
        assert asked is not None, "an update that asks for nothing"
        wanted = replace(
            found,
            sequence=attempt.sequence,
            rollout_id=target.rollout_id,
            dispatch=target.dispatch,
            retry=target.retry,
            revision=asked.revision,
            pin=asked,
            holder="me",
            held_until=None,
        )
        verdict, held = claim(found, wanted, lease=LEASE, now=self.now)
        if verdict == "newer":
            self._settle(target, rejection=Rejection(code="Overtaken", message="a newer change has it", overtaken=True))
        elif verdict == "done":
            self._settle(target, state="applied", applied_at=found.applied_at, accepted_at=found.applied_at)
        elif verdict == "held":
            self._later(attempt, found.held_until or self.now)
        else:
            self.records[target.id] = held
            self._answered(attempt, held, outcome)

    def _answered(self, attempt: Attempt, held: Configuration, outcome: str) -> None:
        target = attempt.target
        if outcome in ("accepted", "unanswered"):
            self._pin(attempt)
        if outcome in ("killed", "unanswered"):
            self._later(attempt, held.held_until or self.now)
            return
        self.records[target.id] = release(held, applied_at=self.now if outcome == "accepted" else None)
        if outcome == "accepted":
            self._settle(target, state="applied", applied_at=self.now, accepted_at=self.now)
        elif outcome == "busy":
            self._later(attempt, self.now + timedelta(seconds=30))
        else:
            self._settle(target, rejection=Rejection(code=outcome, message="", missing=outcome == "404"))

    def _pin(self, attempt: Attempt) -> None:
        target, pinned = attempt.target, self.clusters[attempt.target.id].pinned
        written = (attempt.sequence, target.dispatch, target.asked.revision if target.asked else "")
        assert pinned[-1][:2] <= written[:2], "an older update writes over a newer one"
        pinned.append(written)

    def _later(self, attempt: Attempt, until: datetime) -> None:
        self._settle(attempt.target, slot=until)
        self.messages.append(attempt.message)

    def _settle(self, target: Target, **changes: Any) -> None:
        stored = self.stored[target.rollout_id]
        now = stored.targets[target.id]
        if now.state == "queued" and now.dispatch == target.dispatch:
            stored.save_target(replace(now, has_news=now.has_news or "rejection" in changes, **changes))

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.messages.remove(data.draw(st.sampled_from(self.messages)))

    @precondition(lambda self: self.clusters)
    @rule(
        data=st.data(),
        connected=st.booleans(),
        healthy=st.sampled_from([True, True, True, False]),
        suspended=st.sampled_from([False, False, False, True]),
        present=st.sampled_from([True, True, True, False]),
    )
    def trouble(self, data: st.DataObject, connected: bool, healthy: bool, suspended: bool, present: bool) -> None:
        cluster = self.clusters[data.draw(st.sampled_from(sorted(self.clusters)))]
        cluster.is_connected, cluster.is_healthy, cluster.is_suspended, cluster.is_present = connected, healthy, suspended, present

    @rule()
    def clusters_poll(self) -> None:
        for cluster in self.clusters.values():
            cluster.poll(self.now)

    @rule(share=st.integers(1, 3))
    def observe(self, share: int) -> None:
        for stored in self.stored.values():
            for number, target in enumerate(list(stored.targets.values())):
                if number % share == 0 and self._is_watched(stored.rollout, target):
                    self.past[target.id] = self.clusters[target.id].seen(self.now)
                    self._tell(stored, target, self.past[target.id])

    @precondition(lambda self: self.past)
    @rule(data=st.data(), is_new_to_us=st.booleans())
    def stale_report(self, data: st.DataObject, is_new_to_us: bool) -> None:
        """Resource Graph tells an old state, as if it were today's."""
        name = data.draw(st.sampled_from(sorted(self.past)))
        told = replace(self.past[name], observed_at=self.now) if is_new_to_us else self.past[name]
        for stored in self.stored.values():
            if self._is_watched(stored.rollout, stored.targets[name]):
                self._tell(stored, stored.targets[name], told)

    def _is_watched(self, rollout: Rollout, target: Target) -> bool:
        is_baking = rollout.stages[target.stage].is_baking and target.stage == rollout.current
        return target.state in ("applied", "offline") or (target.state == "compliant" and is_baking)

    def _tell(self, stored: Stored, target: Target, seen: Observation) -> None:
        newest, stage = target.observation, stored.rollout.stages[target.stage]
        if newest is not None and newest.observed_at > seen.observed_at:
            return
        is_fresh = newest is not None and target.applied_at is not None and newest.observed_at >= target.applied_at
        if is_fresh and seen.says_same(newest):
            return
        baking = stage.is_baking and target.stage == stored.rollout.current
        news = target.has_news or seems_new(target, seen, stage.rules, self.now, baking=baking)
        stored.save_target(replace(target, observation=seen, has_news=news))

    @rule(seconds=st.sampled_from([-20, 1, 30, 60, 121, 700, 3 * 3600, 24 * 3600, 49 * 3600]))
    def time_passes(self, seconds: int) -> None:
        """Also backwards: the instances' clocks differ."""
        self.now += timedelta(seconds=seconds)

    @rule(data=st.data())
    def wake(self, data: st.DataObject) -> None:
        stored = self._some(data)
        woken = stored.decide(self.now, self._facts()).wake_at
        if woken:
            self.now = woken
        self._step_to_the_end(stored)

    @precondition(lambda self: len(self.stored) < 3)
    @rule()
    def newer_push(self) -> None:
        number = len(self.stored) + 1
        self._plan(number)
        for name, stored in self.stored.items():
            if name != f"rollout-{number}":
                stored.rollout = supersede(stored.rollout, f"rollout-{number}", self.now)

    @rule(
        data=st.data(),
        kind=st.sampled_from(["pause", "resume", "resume", "abort", "rollback", "rollback", "retry", "retry"]),
        is_of_one_stage=st.booleans(),
    )
    def act(self, data: st.DataObject, kind: ActKind, is_of_one_stage: bool) -> None:
        stored = self._some(data)
        stage = data.draw(st.sampled_from(stored.rollout.stages)).name if is_of_one_stage and kind == "rollback" else ""
        try:
            stored.rollout = perform(stored.rollout, Act(kind=kind, by="alice", reason="why", stage=stage), self.now)
        except NotAllowed:
            return
        assert stored.rollout.updated_at == self.now

    @rule(data=st.data(), by=st.sampled_from(["alice", "bob"]), approved=st.sampled_from([True, True, True, False]))
    def answer_gate(self, data: st.DataObject, by: str, approved: bool) -> None:
        stored = self._some(data)
        self._answer(stored, by, approved=approved)

    def _answer(self, stored: Stored, by: str, *, approved: bool) -> None:
        index = stored.rollout.current
        stage = stored.rollout.stages[index]
        answered = []
        for gate in stage.gates:
            try:
                answered.append(answer(gate, Verdict(by=by, approved=approved, reason="", at=self.now)))
            except NotAllowed:
                answered.append(gate)
        stored.rollout = stored.rollout.with_stage(index, replace(stage, gates=tuple(answered)))

    @rule(state=st.sampled_from(["pending", "success", "failure"]))
    def check_ends(self, state: CheckState) -> None:
        self.build = state

    @rule(room=st.tuples(*[st.sampled_from([0, 1, 2, 100])] * len(SUBSCRIPTIONS)))
    def pace(self, room: tuple[int, ...]) -> None:
        self.room = dict(zip(SUBSCRIPTIONS, room, strict=True))

    # What must hold.

    def _check(self, before: Stored, decision: Decision, stored: Stored) -> None:
        self._check_what_is_sent(before.rollout, decision, stored)
        self._check_stages(before.rollout, stored)
        self._check_changes(before, decision)
        self._check_counts(stored)
        self._check_words(stored)
        if not decision.is_unfinished:
            self._check_that_it_rests(stored)
            self._check_that_what_waits_has_a_reason(stored)
            self._check_wake(stored, decision)

    def _check_what_is_sent(self, before: Rollout, decision: Decision, stored: Stored) -> None:
        rollout = stored.rollout
        for index in {target.stage for target in decision.dispatch}:
            assert sum(state in IN_FLIGHT for state in stored.states(index)) <= rollout.stages[index].max_concurrency
        if decision.dispatch:
            assert rollout.state in ("running", "succeeded", "rolling-back", "rolled-back")
            assert before.state not in {"paused", *GIVEN_UP}
        for target in decision.dispatch:
            assert (target.goal == "back") is (rollout.state in ("rolling-back", "rolled-back"))
            assert target.goal == "back" or is_open(CALENDARS[target.calendar], self.now)
            assert target.goal == "back" or rollout.stages[target.stage].state in ("running", "succeeded")
            assert target.asked is not None
        taken = Counter(target.subscription for target in decision.dispatch)
        assert all(count <= self.room[name] for name, count in taken.items())

    def _check_stages(self, before: Rollout, stored: Stored) -> None:
        for index, (old, new) in enumerate(zip(before.stages, stored.rollout.stages, strict=True)):
            if old.state == "pending" != new.state:
                self._check_opening(stored.rollout.stages[:index], new)
                own = [t for t in stored.targets.values() if t.stage == index]
                assert not own or any(is_open(CALENDARS[t.calendar], self.now) for t in own)
            if new.state == "succeeded" != old.state:
                assert not {"queued", "applied", "pending"} & set(stored.states(index))
                assert not new.bake_seconds or (new.done_at and self.now >= new.done_at + timedelta(seconds=new.bake_seconds))

    def _check_opening(self, earlier: tuple[Stage, ...], opened: Stage) -> None:
        assert all(stage.state == "succeeded" for stage in earlier)
        assert not opened.total or all(gate.state == "approved" for gate in opened.gates)
        if earlier:
            closed_at = earlier[-1].closed_at
            assert closed_at
            assert closed_at + timedelta(seconds=earlier[-1].after_wait_seconds) <= self.now

    def _check_changes(self, before: Stored, decision: Decision) -> None:
        seen = scope(before.rollout)
        changed = {target.id: target for target in decision.changed}
        for old in before.targets.values():
            new, glance = changed.get(old.id, old), Glance.at(old)
            if old.state in FINAL and new.state != old.state:
                assert new.state in _AFTER_FINAL[old.state]
                is_retried = old.state == "failed" and new.retry > old.retry
                has_failed = old.state == "compliant" and new.state == "failed" and before.rollout.stages[old.stage].is_baking
                assert is_retried or has_failed or new.goal == "back" != old.goal
            if not seen.covers(old.stage, old.state):
                assert new == old
            elif is_due(glance, before.rollout, self.now):
                assert new != old
            elif before.rollout.state not in GIVEN_UP:
                stage = before.rollout.stages[old.stage]
                baking = stage.is_baking and old.stage == before.rollout.current
                assert judge(old, stage.rules, self.now, baking=baking) == old
                assert new in (old, *decision.dispatch)

    def _check_counts(self, stored: Stored) -> None:
        for index, stage in enumerate(stored.rollout.stages):
            assert stage.counts == stored.counted(index)
            assert sum(stage.counts.values()) == stage.total

    def _check_words(self, stored: Stored) -> None:
        rollout = stored.rollout
        ids = [event.id for event in rollout.events]
        assert len(ids) == len(set(ids))
        assert not rollout.waiting_for or rollout.state in ("running", "succeeded")
        assert bool(rollout.reason) is (rollout.state not in ("running", "succeeded"))
        assert all(t.reason or t.state not in ("failed", "skipped", "superseded", "offline") for t in stored.targets.values())

    def _check_that_it_rests(self, stored: Stored) -> None:
        again = stored.decide(self.now, self._less_room(stored))
        assert (again.rollout, again.changed, again.dispatch) == (stored.rollout, (), ())

    def _less_room(self, stored: Stored) -> Facts:
        """The room that is left at most: what has just been queued took some."""
        queued = Counter(t.subscription for t in stored.targets.values() if t.state == "queued" and t.slot == self.now)
        return replace(self._facts(), room={name: max(0, room - queued[name]) for name, room in self.room.items()})

    def _check_that_what_waits_has_a_reason(self, stored: Stored) -> None:
        rollout = stored.rollout
        left = [target for target in stored.targets.values() if target.state in OPEN]
        if rollout.state in GIVEN_UP:
            assert not left
        elif rollout.state != "paused":
            is_running = rollout.state == "running"
            assert rollout.waiting_for or not is_running or rollout.stages[rollout.current].state == "running"
            for target in left:
                assert target.state != "pending" or self._has_reason(stored, target)
        if rollout.state in FINISHED:
            assert is_settled(rollout) is not bool(left)

    def _has_reason(self, stored: Stored, target: Target) -> bool:
        rollout = stored.rollout
        if not may_start(rollout, Glance.at(target)):
            return rollout.state == "running" and target.stage >= rollout.current
        in_flight = sum(state in IN_FLIGHT for state in stored.states(target.stage))
        is_closed = target.goal == "forward" and not is_open(CALENDARS[target.calendar], self.now)
        has_no_place = in_flight >= rollout.stages[target.stage].max_concurrency
        room = self._less_room(stored).room
        others = [t for t in stored.targets.values() if t.id != target.id and may_start(rollout, Glance.at(t))]
        others_move = any(t.state in IN_FLIGHT for t in stored.targets.values())
        others_want_room = any(t.state == "pending" and room[t.subscription] <= 0 for t in others)
        has_no_room = room[target.subscription] <= 0
        return has_no_place or has_no_room or (is_closed and bool(others_move or others_want_room or rollout.waiting_for))

    def _check_wake(self, stored: Stored, decision: Decision) -> None:
        """Until the wake nothing would happen by itself. Updates whose messages are lost, and what is far away, are the sweep's."""
        assert decision.wake_at is None or decision.wake_at > self.now
        if any(target.state == "queued" for target in stored.targets.values()):
            return
        swept = [t.judge_at for t in stored.targets.values() if t.judge_at and t.judge_at > self.now + SOON]
        last = min([decision.wake_at or self.now + timedelta(days=40), *swept]) - timedelta(microseconds=1)
        for moment in (self.now + (last - self.now) / 2, last):
            later = stored.decide(moment, self._less_room(stored))
            assert (later.changed, later.rollout.state, later.rollout.stages) == ((), stored.rollout.state, stored.rollout.stages)

    def teardown(self) -> None:
        """From wherever it is, a fair environment brings every rollout to its end."""
        if not self.stored:
            return
        self.build, self.room = "success", dict.fromkeys(SUBSCRIPTIONS, 100)
        for cluster in self.clusters.values():
            cluster.is_connected = cluster.is_healthy = cluster.is_present = True
            cluster.is_suspended = False
        for _ in range(120):
            woken = [self._look_after(stored) for stored in self.stored.values()]
            if all(is_settled(stored.rollout) for stored in self.stored.values()):
                break
            self._deliver_all()
            self.clusters_poll()
            self.observe(1)
            self._pass_time([moment for moment in woken if moment])
        for stored in self.stored.values():
            assert is_settled(stored.rollout)
            assert all(state in FINAL for index in range(len(self.shape)) for state in stored.states(index))
            touched = [t for t in stored.targets.values() if t.stage in stored.rollout.back_stages and t.dispatch]
            if stored.rollout.state == "rolled-back":
                assert all(t.state in ("rolled-back", "failed", "skipped", "superseded") for t in touched)

    def _look_after(self, stored: Stored) -> datetime | None:
        """What a person does who wants it to go on; when it wakes by itself."""
        if stored.rollout.state == "paused":
            stored.rollout = perform(stored.rollout, Act(kind="resume", by="alice", reason="go on"), self.now)
        self._step_to_the_end(stored)
        for by in ("carol", "dave"):
            self._answer(stored, by, approved=True)
        self._step_to_the_end(stored)
        return stored.decide(self.now, self._facts()).wake_at

    def _deliver_all(self) -> None:
        messages, self.messages = self.messages, []
        for message in messages:
            self._take_up(message)
        for attempt in list(self.attempts):
            self._write(attempt)

    def _pass_time(self, woken: list[datetime]) -> None:
        """A minute; or, where all wait, for as long as they have said."""
        self.now += timedelta(seconds=60)
        is_moving = any(target.state in OPEN - {"pending"} for stored in self.stored.values() for target in stored.targets.values())
        if woken and not is_moving:
            self.now = max(self.now, min(woken))


RolloutMachine.TestCase.settings = settings(stateful_step_count=40)
TestRolloutMachine = RolloutMachine.TestCase
