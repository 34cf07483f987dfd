"""What people do to a rollout, and where its state forbids it."""

import pytest
from builders import NOW, a_rollout, a_stage, at
from msgspec.structs import replace

from shared.domain.acts import Act, ActKind, act_kind, perform
from shared.domain.errors import NotAllowed, NotFound
from shared.domain.gates import Gate
from shared.domain.rollouts import Rollout


def act(kind: ActKind, **fields: str) -> Act:
    return Act(kind=kind, by=fields.pop("by", "alex"), reason=fields.pop("reason", "tills are down"), **fields)


def a_failed_one(**fields: object) -> Rollout:
    """Paused, since its first stage failed; the second one has not begun."""
    canary = a_stage("canary", 3, state="failed", counts={"compliant": 1, "failed": 2}, done_at=NOW)
    return a_rollout(canary, a_stage("prod", 5), **{"state": "paused", "reason": "2 failed", **fields})


def test_a_pause_says_who_and_why() -> None:
    paused = perform(a_rollout(waiting_for="a window"), act("pause"), at(5))
    assert (paused.state, paused.reason, paused.waiting_for, paused.updated_at) == ("paused", "paused by alex: tills are down", "", at(5))
    (event,) = paused.events
    assert (event.kind, event.by, event.reason, event.summary) == ("rollout.paused", "alex", "tills are down", paused.reason)


def test_the_same_act_later_is_an_event_of_its_own() -> None:
    rollout = a_rollout()
    for kind in ("pause", "resume", "pause"):
        rollout = perform(rollout, act(kind), NOW)
    assert [event.kind for event in rollout.events] == ["rollout.paused", "rollout.resumed", "rollout.paused"]
    assert len({event.id for event in rollout.events}) == 3


def test_events_from_before_stay_whose_they_were() -> None:
    started = a_rollout().with_event("rollout.started", NOW, "1 cluster")
    assert [event.by for event in perform(started, act("pause"), NOW).events] == ["", "alex"]


def test_a_resume_accepts_the_failures_so_far() -> None:
    resumed = perform(a_failed_one(), act("resume"), NOW)
    assert (resumed.state, resumed.reason, resumed.stages[0].state, resumed.stages[0].forgiven) == ("running", "", "running", 2)


def test_a_resume_asks_an_expired_gate_again_and_leaves_the_others() -> None:
    expired = Gate(name="leads", type="approval", state="expired", asked_at=NOW, called_at=NOW, reason="late")
    approved = Gate(name="ci", type="checks", state="approved", asked_at=NOW)
    rollout = a_rollout(a_stage(gates=(expired, approved)), state="paused")
    asked, left = perform(rollout, act("resume"), NOW).stages[0].gates
    assert (asked, left) == (Gate(name="leads", type="approval"), approved)


def test_an_abort_is_told_with_who_did_it() -> None:
    aborted = perform(a_failed_one(), act("abort"), NOW)
    assert (aborted.state, aborted.reason) == ("aborted", "aborted by alex: tills are down")
    assert [(e.kind, e.by, e.severity) for e in aborted.events] == [("rollout.aborted", "alex", "error")]


def test_a_rollback_takes_all_stages_that_have_begun_or_the_named_one() -> None:
    begun = a_stage("canary", counts={"compliant": 1})
    rollout = a_rollout(begun, replace(begun, name="early"), a_stage("prod", 5))
    back = perform(rollout, act("rollback"), NOW)
    assert (back.state, back.back_stages) == ("rolling-back", (0, 1))
    assert [(e.kind, e.by) for e in back.events] == [("rollout.rolling-back", "alex")]
    assert perform(rollout, act("rollback", stage="early"), NOW).back_stages == (1,)


@pytest.mark.parametrize(
    ("stage", "says"),
    [("prod", "nothing has been updated yet"), ("nowhere", "it has no stage nowhere; its stages are canary, prod")],
)
def test_a_rollback_of_what_has_not_begun_is_refused(stage: str, says: str) -> None:
    with pytest.raises(NotAllowed, match=says):
        perform(a_failed_one(), act("rollback", stage=stage), NOW)


def test_a_retry_lets_a_failed_stage_go_on() -> None:
    again = perform(a_failed_one(), act("retry"), NOW)
    assert (again.state, again.reason, again.retries) == ("running", "", 1)
    assert (again.stages[0].state, again.stages[0].done_at, again.stages[0].forgiven) == ("running", None, 0)


@pytest.mark.parametrize("state", ["succeeded", "rolled-back"])
def test_a_retry_of_a_rollout_that_is_over_leaves_its_state(state: str) -> None:
    stages = (a_stage("canary", counts={"failed": 1}, state="succeeded"), a_stage("prod", counts={"compliant": 1}, state="succeeded"))
    again = perform(a_rollout(*stages, state=state, current=1), act("retry"), NOW)
    assert (again.state, again.retries, again.stages[1].state) == (state, 1, "succeeded")


def test_a_retry_without_failures_is_refused() -> None:
    with pytest.raises(NotAllowed, match="none of its clusters has failed"):
        perform(a_rollout(), act("retry"), NOW)


@pytest.mark.parametrize(
    ("kind", "state", "says"),
    [
        ("pause", "paused", "it is paused already (because)"),
        ("resume", "running", "it is running already (because)"),
        ("abort", "aborted", "it is aborted already (because)"),
        ("pause", "succeeded", "a rollout that is succeeded cannot be paused (because)"),
        ("resume", "superseded", "a rollout that is superseded cannot be resumed (because)"),
        ("abort", "succeeded", "a rollout that is succeeded cannot be aborted (because)"),
        ("rollback", "rolling-back", "a rollout that is rolling-back cannot be rolled back (because)"),
        ("rollback", "aborted", "a rollout that is aborted cannot be rolled back (because)"),
        ("retry", "superseded", "a rollout that is superseded cannot be tried again (because)"),
    ],
)
def test_the_state_forbids_it_and_says_why(kind: ActKind, state: str, says: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        perform(a_rollout(state=state, reason="because"), act(kind), NOW)
    assert str(caught.value) == says


def test_a_refusal_without_a_reason_ends_with_the_state() -> None:
    with pytest.raises(NotAllowed, match=r"cannot be paused$"):
        perform(a_rollout(state="succeeded", reason=""), act("pause"), NOW)


def test_acts_have_names() -> None:
    assert act_kind("pause") == "pause"
    with pytest.raises(NotFound, match="acts are pause, resume, abort, rollback, retry"):
        act_kind("delete")
