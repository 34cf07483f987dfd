"""What people do to a rollout, and when they may not."""

from typing import Any

import pytest
from builders import NOW, RULES, a_gate, a_rollout, a_stage, a_target, an_observation, at, sha
from msgspec.structs import replace
from stored import Stored

from shared.domain.acts import Act, ActKind, act_kind, perform, possible
from shared.domain.errors import NotAllowed, NotFound
from shared.domain.gates import Verdict
from shared.domain.rollouts import Rollout, RolloutState, Target

SYNCED = f"main@sha1:{sha(1)}"
STATES: tuple[RolloutState, ...] = ("running", "paused", "rolling-back", "succeeded", "rolled-back", "superseded", "aborted")
ALLOWED: dict[ActKind, set[RolloutState]] = {
    "pause": {"running"},
    "resume": {"paused"},
    "abort": {"running", "paused", "rolling-back"},
    "rollback": {"running", "paused", "succeeded"},
    "retry": {"running", "paused", "succeeded", "rolled-back"},
}


def act(kind: ActKind, stage: str = "") -> Act:
    return Act(kind=kind, by="alice", reason="why not", stage=stage)


def did(rollout: Rollout, kind: ActKind, seconds: float = 5, stage: str = "") -> Rollout:
    return perform(rollout, act(kind, stage), at(seconds))


def with_failures(**fields: Any) -> Rollout:
    """Its first stage is done, its second open, its third not; one cluster of each of the first two has failed."""
    stages = (
        a_stage("a", 2, state="succeeded", counts={"compliant": 1, "failed": 1}),
        a_stage("b", 2, state=fields.pop("stage_state", "running"), counts={"failed": 1, "pending": 1}, **fields.pop("stage", {})),
        a_stage("c", 2),
    )
    return a_rollout(*stages, **{"current": 1} | fields)


@pytest.mark.parametrize("kind", sorted(ALLOWED))
@pytest.mark.parametrize("state", STATES)
def test_each_act_is_refused_where_the_state_forbids_it(kind: ActKind, state: RolloutState) -> None:
    rollout = with_failures(state=state)
    if state in ALLOWED[kind]:
        assert did(rollout, kind) != rollout
        return
    with pytest.raises(NotAllowed, match=f"^a rollout that is {state} cannot be "):
        did(rollout, kind)


@pytest.mark.parametrize("state", STATES)
def test_what_may_be_done_is_what_would_not_be_refused(state: RolloutState) -> None:
    assert set(possible(with_failures(state=state), at(5))) == {kind for kind, states in ALLOWED.items() if state in states}


def test_nothing_is_rolled_back_or_tried_again_where_nothing_was_done() -> None:
    assert possible(a_rollout(a_stage("a", 2, counts={"pending": 2})), at(5)) == ("pause", "abort")


def test_a_refusal_says_why_the_rollout_is_as_it_is() -> None:
    with pytest.raises(NotAllowed, match=r"^a rollout that is paused cannot be paused \(paused by bob: lunch\)$"):
        did(with_failures(state="paused", reason="paused by bob: lunch"), "pause")


def test_a_pause_and_its_end_are_told_with_who_and_why() -> None:
    paused = did(with_failures(waiting_for="x"), "pause")
    assert (paused.state, paused.reason, paused.waiting_for, paused.updated_at) == ("paused", "paused by alice: why not", "", at(5))
    resumed = did(paused, "resume", 6)
    assert (resumed.state, resumed.reason, resumed.stages) == ("running", "", paused.stages)
    again = did(did(resumed, "pause", 7), "resume", 8)
    assert [(e.kind, e.at) for e in again.events] == [
        ("rollout.paused", at(5)),
        ("rollout.resumed", at(6)),
        ("rollout.paused", at(7)),
        ("rollout.resumed", at(8)),
    ]
    assert len({event.id for event in again.events}) == 4


@pytest.mark.parametrize("kind", sorted(ALLOWED))
def test_the_event_of_an_act_is_its_person_s_and_those_before_stay_whose_they_were(kind: ActKind) -> None:
    before = with_failures(state="paused" if kind == "resume" else "running").with_event("rollout.started", NOW, "6 clusters")
    events = did(before, kind).events
    assert [(event.by, event.reason) for event in events] == [("", ""), ("alice", "why not")]


def test_acts_have_names() -> None:
    assert act_kind("pause") == "pause"
    with pytest.raises(NotFound, match="acts are pause, resume, abort, rollback, retry"):
        act_kind("delete")


def test_who_resumes_accepts_the_failures_so_far() -> None:
    resumed = did(with_failures(state="paused", stage_state="failed"), "resume")
    assert (resumed.stages[1].state, resumed.stages[1].forgiven) == ("running", 1)


def test_who_resumes_asks_the_gates_again_that_ran_out_and_no_others() -> None:
    answered = Verdict(by="bob", approved=True, reason="", at=at(1))
    gates = (
        a_gate(name="expired", state="expired", reason="expired", called_at=at(1), verdicts=(answered,), required=2),
        a_gate(name="ran out meanwhile", expires_after_seconds=4),
        a_gate(name="waits", expires_after_seconds=60),
        a_gate(name="approved", state="approved", expires_after_seconds=4),
    )
    rollout = a_rollout(a_stage(gates=gates), state="paused")
    asked = did(rollout, "resume").stages[0].gates
    assert [(gate.state, gate.asked_at) for gate in asked] == [("waiting", None), ("waiting", None), ("waiting", NOW), ("approved", NOW)]
    assert (asked[0].reason, asked[0].called_at, asked[0].verdicts) == ("", None, (answered,))


def test_an_abort_lets_go_of_every_open_target_and_is_told() -> None:
    stored = Stored(a_rollout(a_stage(total=1), a_stage("b", 1)), [a_target(0), a_target(1, stage=1)])
    stored.step(at(1))
    stored.rollout = did(stored.rollout, "abort")
    stored.run(at(6))
    assert (stored.rollout.state, stored.states(0), stored.states(1)) == ("aborted", ["skipped"], ["skipped"])
    assert {target.reason for target in stored.targets.values()} == {"aborted by alice: why not"}
    assert [(e.kind, e.severity) for e in stored.rollout.events] == [("rollout.started", "info"), ("rollout.aborted", "error")]


def test_a_rollback_is_of_all_stages_that_have_begun_or_of_one() -> None:
    assert did(with_failures(), "rollback").back_stages == (0, 1)
    assert did(with_failures(), "rollback", stage="a").back_stages == (0,)
    assert did(with_failures(), "rollback").reason == "rolled back by alice: why not"


def test_a_stage_that_does_not_exist_or_has_not_begun_is_not_rolled_back() -> None:
    with pytest.raises(NotAllowed, match=r"^it has no stage d; its stages are a, b, c$"):
        did(with_failures(), "rollback", stage="d")
    with pytest.raises(NotAllowed, match=r"^nothing has been updated yet: abort it instead$"):
        did(with_failures(), "rollback", stage="c")
    with pytest.raises(NotAllowed, match=r"^nothing has been updated yet"):
        did(a_rollout(), "rollback")


def test_there_is_nothing_to_try_again_where_nothing_failed() -> None:
    with pytest.raises(NotAllowed, match=r"^none of its clusters has failed$"):
        did(a_rollout(), "retry")


def test_a_retry_goes_on_and_what_fails_counts_anew() -> None:
    for rollout in (with_failures(stage={"forgiven": 1}), with_failures(state="paused", reason="x", stage_state="failed")):
        again = did(rollout, "retry")
        assert (again.state, again.reason, again.retries, again.stages[1].state) == ("running", "", 1, "running")
        assert (again.stages[1].forgiven, again.stages[1].done_at) == (0, None)
        assert [(e.kind, e.summary) for e in again.events] == [("rollout.retried", "tried again by alice: why not")]


def test_a_retry_of_a_rollout_that_a_gate_has_paused_asks_the_gate_again() -> None:
    rollout = with_failures(state="paused", stage_state="pending", stage={"gates": (a_gate(state="expired"),)})
    again = did(rollout, "retry")
    assert (again.state, again.stages[1].state, again.stages[1].gates[0].state) == ("running", "pending", "waiting")


def test_a_bake_begins_anew_with_a_retry() -> None:
    assert did(with_failures(stage={"bake_seconds": 60, "done_at": at(0)}), "retry").stages[1].done_at == at(5)


def test_a_finished_rollout_stays_so_while_its_failed_ones_are_tried_again() -> None:
    done = with_failures(state="succeeded", stage={"done_at": at(0), "closed_at": at(1), "forgiven": 1})
    again = did(done, "retry")
    assert (again.state, again.stages, again.retries) == ("succeeded", done.stages, 1)


def failed(number: int, **fields: Any) -> Target:
    return a_target(number, **{"state": "failed", "dispatch": 1, "applied_at": at(0), "accepted_at": at(0), "reason": "x"} | fields)


def one_stage(*targets: Target, **fields: Any) -> Stored:
    stored = Stored(a_rollout(), targets)
    stage = a_stage(total=len(targets), **{"state": "failed", "counts": stored.counted(0)} | fields)
    stored.rollout = a_rollout(stage, state="paused", reason="x")
    return stored


def test_while_many_are_tried_again_the_stage_neither_fails_nor_ends() -> None:
    stored = one_stage(*[failed(number) for number in range(200)], max_concurrency=90)
    stored.rollout = did(stored.rollout, "retry")
    decisions = stored.run(at(6))
    assert [len(decision.changed) for decision in decisions] == [90, 90, 20]
    assert {decision.rollout.state for decision in decisions} == {"running"}
    assert stored.rollout.stages[0].counts == {"pending": 110, "queued": 90}
    assert [event.kind for event in stored.rollout.events] == ["rollout.retried"]


def test_what_fails_after_a_retry_was_asked_for_is_not_tried_again_by_itself() -> None:
    late = a_target(1, state="applied", dispatch=1, applied_at=at(0), accepted_at=at(0))
    rules = replace(RULES, max_failures=1)
    stored = one_stage(failed(0), late, state="running", rules=rules)
    stored.rollout = did(stored.rollout, "retry")
    stored.run(at(6))
    assert stored.states() == ["queued", "applied"]
    stored.run(at(600))
    assert stored.states()[1] == "failed"
    assert stored.run(at(601))[0].changed == ()
    stored.rollout = did(stored.rollout, "retry", 610)
    stored.run(at(611))
    assert stored.states()[1] == "queued"


def test_what_is_tried_again_and_fails_again_stops_the_stage_again() -> None:
    stored = one_stage(failed(0))
    stored.rollout = did(stored.rollout, "retry")
    stored.run(at(6))
    target = stored.targets["target-000"]
    assert (target.state, target.dispatch, target.retry, target.reason) == ("queued", 2, 1, "")
    stored.save_target(replace(target, state="applied", applied_at=at(7), accepted_at=at(7)))
    stored.run(at(607))
    assert (stored.rollout.state, stored.rollout.reason) == ("paused", "stage canary: 1 clusters failed, 0 tolerated")
    assert [event.kind for event in stored.rollout.events] == ["rollout.retried", "stage.failed"]


def test_a_closed_stage_s_failed_ones_are_tried_again_while_the_next_one_runs() -> None:
    stored = Stored(with_failures(), [failed(0), a_target(1, state="compliant"), failed(2, stage=1), a_target(3, stage=1)])
    stored.rollout = did(stored.rollout, "retry")
    stored.run(at(6))
    assert (stored.states(0), stored.states(1)) == (["queued", "compliant"], ["queued", "queued"])
    queued = stored.targets["target-000"]
    stored.save_target(replace(queued, state="applied", applied_at=at(7), accepted_at=at(7)))
    stored.run(at(607))
    assert [event.summary for event in stored.rollout.events if event.kind == "target.failed"] == [
        "1 failed after stage a had closed: cluster-000"
    ]


def test_a_finished_rollout_s_failed_ones_are_tried_again() -> None:
    stored = one_stage(failed(0), state="succeeded", closed_at=at(1))
    stored.rollout = did(replace(stored.rollout, state="succeeded", reason=""), "retry")
    stored.run(at(6))
    stored.save_target(replace(stored.targets["target-000"], state="applied", applied_at=at(7), accepted_at=at(7)))
    seen = replace(stored.targets["target-000"], observation=an_observation(30, revision=SYNCED), has_news=True)
    stored.save_target(seen)
    stored.run(at(31))
    assert (stored.rollout.state, stored.rollout.stages[0].counts) == ("succeeded", {"compliant": 1})
