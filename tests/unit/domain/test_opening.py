"""What a stage waits for before it opens."""

from typing import Any

import pytest
from builders import NOW, a_pin, a_rollout, a_stage, a_target, at
from msgspec.structs import replace
from stored import Stored

from shared.domain.acts import Act, perform
from shared.domain.advance import Decision
from shared.domain.facts import Facts
from shared.domain.gates import Gate, GateFacts, Verdict, answer
from shared.domain.windows import Calendar, Window

OWNER = Gate(name="owner", type="approval", approvers=("owner",), expires_after_seconds=600)
CI = Gate(name="ci", type="checks", checks=("build",))
TICKET = Gate(name="ticket", type="webhook", url="https://tickets.example/secret")
BUILT = Facts(gates=GateFacts(checks={"build": "success"}))
#: NOW is 12:00 UTC.
FROM_ONE_TO_TWO = Calendar(windows=(Window(time_zone="UTC", first="2026-11-23T13:00", last="2026-11-23T14:00"),))
PAST = Calendar(windows=(Window(time_zone="UTC", first="2026-11-22T13:00", last="2026-11-22T14:00"),))


def second(*, gates: tuple[Gate, ...] = (), wait: float = 0, calendars: tuple[int, ...] = (0, 0), **fields: Any) -> Stored:
    """Its first stage closed at NOW; its second, of two clusters that keep to `calendars`, has not opened."""
    stages = (
        a_stage("canary", 0, state="succeeded", closed_at=NOW, after_wait_seconds=wait),
        a_stage("prod", len(calendars), gates=gates),
    )
    targets = [a_target(number, stage=1, calendar=calendar) for number, calendar in enumerate(calendars)]
    return Stored(a_rollout(*stages, **{"current": 1, "calendars": (Calendar(), FROM_ONE_TO_TWO, PAST)} | fields), targets)


def say(stored: Stored, seconds: float, *, gate: int = 0, approved: bool = True, reason: str = "", by: str = "alice") -> None:
    stage = stored.rollout.stages[1]
    said = answer(stage.gates[gate], Verdict(by=by, approved=approved, reason=reason, at=at(seconds)))
    stored.rollout = stored.rollout.with_stage(1, replace(stage, gates=(*stage.gates[:gate], said, *stage.gates[gate + 1 :])))


def told(stored: Stored) -> list[str]:
    return [event.kind for event in stored.rollout.events]


def last(stored: Stored, seconds: float, facts: Facts | None = None) -> Decision:
    return stored.run(at(seconds), facts)[-1]


def test_a_stage_waits_after_the_one_before_it() -> None:
    stored = second(wait=600)
    decision = last(stored, 599)
    assert (stored.rollout.waiting_for, decision.wake_at) == ("the wait after the stage before, until 2026-11-23T12:10:00+00:00", at(600))
    last(stored, 600)
    assert (stored.rollout.stages[1].state, stored.rollout.stages[1].opened_at, stored.rollout.waiting_for) == ("running", at(600), "")
    assert stored.states(1) == ["queued", "queued"]


def test_an_empty_stage_keeps_the_wait_and_asks_nobody() -> None:
    stored = second(wait=600, gates=(OWNER,), calendars=())
    assert last(stored, 599).wake_at == at(600)
    assert stored.rollout.waiting_for
    last(stored, 600)
    assert (stored.rollout.state, told(stored)) == ("succeeded", ["rollout.started", "stage.succeeded", "rollout.succeeded"])


def test_all_gates_are_asked_at_once_though_the_wait_still_runs() -> None:
    stored = second(wait=600, gates=(OWNER, CI))
    last(stored, 1)
    assert stored.rollout.waiting_for == "approval of owner and check build"
    assert [event.summary for event in stored.rollout.events] == [
        "stage prod waits for approval of owner",
        "stage prod waits for check build",
    ]
    say(stored, 2)
    last(stored, 3, BUILT)
    assert stored.rollout.waiting_for.startswith("the wait after")
    assert told(stored)[2:] == ["gate.approved", "gate.approved"]
    assert stored.rollout.events[2].summary == "gate owner of stage prod is approved"
    last(stored, 600, BUILT)
    assert stored.states(1) == ["queued", "queued"]


def test_a_gate_s_approval_is_told_with_what_was_said() -> None:
    stored = second(gates=(OWNER,))
    last(stored, 1)
    say(stored, 2, reason="looks well")
    last(stored, 3)
    approved = [event.summary for event in stored.rollout.events if event.kind == "gate.approved"]
    assert approved == ["gate owner of stage prod is approved: alice: looks well"]


def test_a_gate_that_says_no_ends_the_rollout_and_lets_go_of_every_stage() -> None:
    stored = second(gates=(OWNER,), waiting_for="x")
    later = a_target(7, stage=2)
    stored.rollout = replace(stored.rollout, stages=(*stored.rollout.stages, a_stage("last", 1)))
    stored.targets[later.id] = later
    last(stored, 1)
    say(stored, 2, approved=False, reason="not today")
    last(stored, 3)
    reason = "stage prod: gate owner said no: rejected by alice: not today"
    assert (stored.rollout.state, stored.rollout.reason, stored.rollout.waiting_for) == ("aborted", reason, "")
    assert [stored.states(1), stored.states(2)] == [["skipped", "skipped"], ["skipped"]]
    assert [(e.kind, e.severity) for e in stored.rollout.events[1:]] == [("gate.rejected", "error"), ("rollout.aborted", "error")]


def test_a_gate_that_nobody_answers_pauses_the_rollout_and_is_asked_again_when_it_is_resumed() -> None:
    stored = second(gates=(OWNER,))
    assert last(stored, 1).wake_at == at(601)
    assert last(stored, 601).wake_at is None
    reason = "stage prod: gate owner expired at 2026-11-23 12:10 UTC, still waiting for approval of owner"
    assert (stored.rollout.state, stored.rollout.reason, stored.rollout.waiting_for) == ("paused", reason, "")
    stored.rollout = perform(stored.rollout, Act(kind="resume", by="alice", reason="I was away"), at(700))
    assert last(stored, 700).wake_at == at(1300)
    assert (stored.rollout.state, stored.rollout.waiting_for) == ("running", "approval of owner")
    assert told(stored) == ["gate.waiting", "gate.expired", "rollout.resumed", "gate.waiting"]


def test_what_was_said_before_the_time_ran_out_counts() -> None:
    stored = second(gates=(OWNER,))
    last(stored, 1)
    say(stored, 600)
    last(stored, 900)
    assert stored.states(1) == ["queued", "queued"]


def test_a_check_that_is_run_again_before_the_stage_opens_is_waited_for_anew() -> None:
    stored = second(gates=(replace(CI, expires_after_seconds=600), OWNER))
    last(stored, 1, BUILT)
    failed = Facts(gates=GateFacts(checks={"build": "failure"}))
    assert last(stored, 500, failed).wake_at == at(601)
    assert stored.rollout.waiting_for == "check build (failed) and approval of owner"
    say(stored, 550, gate=1)
    assert last(stored, 1000, failed).wake_at == at(1100)
    last(stored, 1050, BUILT)
    assert stored.states(1) == ["queued", "queued"]
    gates = [event.kind for event in stored.rollout.events if event.kind.startswith("gate")]
    assert gates == ["gate.approved", "gate.waiting", "gate.waiting", "gate.approved", "gate.approved"]


def test_a_check_that_fails_once_the_stage_is_open_changes_nothing() -> None:
    stored = second(gates=(CI,))
    last(stored, 1, BUILT)
    before = stored.rollout
    last(stored, 2, Facts(gates=GateFacts(checks={"build": "failure"})))
    assert stored.rollout == before


def test_facts_open_a_gate_at_once() -> None:
    stored = second(gates=(CI,))
    last(stored, 1, BUILT)
    assert (stored.states(1), told(stored)) == (["queued", "queued"], ["gate.approved", "rollout.started"])


def test_a_webhook_is_called_when_it_is_asked_and_again_when_its_call_was_lost() -> None:
    stored = second(gates=(TICKET, OWNER))
    assert last(stored, 1).calls == ("ticket",)
    assert last(stored, 60).calls == ()
    assert last(stored, 61).calls == ("ticket",)
    stage = stored.rollout.stages[1]
    stored.rollout = stored.rollout.with_stage(1, replace(stage, gates=(replace(stage.gates[0], called_at=at(62)), stage.gates[1])))
    assert last(stored, 200).calls == ()


def test_nothing_is_called_for_a_rollout_that_is_paused_or_a_gate_that_is_closed() -> None:
    stored = second(gates=(TICKET,))
    last(stored, 1)
    say(stored, 2, by="tickets")
    assert last(stored, 200).calls == ()
    waiting = second(gates=(TICKET,), state="paused")
    assert last(waiting, 1).calls == ()


def test_a_stage_opens_with_the_first_window_of_its_clusters() -> None:
    stored = second(calendars=(1, 2))
    decision = last(stored, 1)
    assert (stored.rollout.waiting_for, decision.wake_at) == ("a window, which opens 2026-11-23T13:00:00+00:00", at(3600))
    assert stored.rollout.stages[1].state == "pending"
    last(stored, 3600)
    assert stored.states(1) == ["queued", "pending"]


def test_one_cluster_that_may_start_opens_the_stage() -> None:
    stored = second(calendars=(0, 1))
    assert last(stored, 1).wake_at == at(3600)
    assert (stored.states(1), stored.rollout.waiting_for) == (["queued", "pending"], "")


def test_a_window_that_never_opens_again_is_told_as_such() -> None:
    stored = second(calendars=(2,))
    assert last(stored, 1).wake_at is None
    assert stored.rollout.waiting_for == "a window, and none will open again"


def test_an_open_stage_whose_clusters_wait_for_their_window_says_so_once_nothing_moves() -> None:
    stored = second(calendars=(0, 1))
    last(stored, 1)
    stored.save_target(replace(stored.targets["target-000"], state="applied", applied_at=at(2), accepted_at=at(2)))
    last(stored, 602)
    assert stored.rollout.state == "paused"
    stored.rollout = perform(stored.rollout, Act(kind="resume", by="alice", reason="never mind"), at(603))
    assert last(stored, 603).wake_at == at(3600)
    assert stored.rollout.waiting_for == "a window, which opens 2026-11-23T13:00:00+00:00"
    last(stored, 3600)
    assert (stored.states(1), stored.rollout.waiting_for) == (["failed", "queued"], "")


def test_a_finished_rollout_waits_for_a_window_to_catch_up_and_says_so() -> None:
    stored = second(calendars=(1,))
    offline = replace(stored.targets["target-000"], state="offline", dispatch=1, applied_at=at(0), accepted_at=at(0), pin=a_pin(1))
    stored.save_target(replace(offline, state="pending"))
    stage = replace(stored.rollout.stages[1], state="succeeded", closed_at=at(1))
    stored.rollout = replace(stored.rollout.with_stage(1, stage), state="succeeded")
    assert last(stored, 10).wake_at == at(3600)
    assert stored.rollout.waiting_for == "a window, which opens 2026-11-23T13:00:00+00:00"
    last(stored, 3600)
    assert (stored.states(1), stored.rollout.waiting_for) == (["queued"], "")


@pytest.mark.parametrize("wait", [0, 60])
def test_the_first_stage_waits_for_nothing_before_it(wait: float) -> None:
    stored = Stored(a_rollout(a_stage(after_wait_seconds=wait)), [a_target()])
    last(stored, 0)
    assert stored.states() == ["queued"]
