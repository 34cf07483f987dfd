"""Gates: what opens and closes them."""

from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, a_gate, a_rollout, a_stage, at
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.errors import NotAllowed
from shared.domain.gates import CheckState, Gate, GateFacts, Verdict, answer, ask, judge, may_answer, waits_for, wake_at
from shared.domain.stage_gates import gate_of, held_up, with_gate

NOTHING = GateFacts()
CHECKS = {"type": "checks", "checks": ("ci/build", "ci/test")}
WEBHOOK = {"type": "webhook", "url": "https://gate.example/a-secret?sig=another", "secret_ref": "kv://sluice/gate"}
PROMOTION = {"type": "promotion", "route": "staging"}
HOUR = {"expires_after_seconds": 3600.0}


def says(by: str = "alice", *, approved: bool = True, seconds: float = 1, reason: str = "") -> Verdict:
    return Verdict(by=by, approved=approved, reason=reason, at=at(seconds))


def answered(gate: Gate, *verdicts: Verdict) -> Gate:
    for verdict in verdicts:
        gate = answer(gate, verdict)
    return gate


def state(gate: Gate, facts: GateFacts = NOTHING, seconds: float = 10) -> str:
    return judge(gate, facts, at(seconds)).state


def test_a_stage_begins_to_wait_once() -> None:
    asked = ask(a_gate(asked_at=None), at(5))
    assert asked.asked_at == at(5)
    assert ask(asked, at(9)) is asked


@pytest.mark.parametrize("kind", [{}, CHECKS, WEBHOOK, PROMOTION])
def test_nobody_waits_at_a_gate_before_its_stage_does(kind: dict[str, Any]) -> None:
    gate = a_gate(asked_at=None, **HOUR, **kind)
    everything = GateFacts(checks={"ci/build": "success", "ci/test": "success"}, proved=frozenset({"staging"}))
    assert judge(gate, everything, at(10_000)) is gate
    assert wake_at(gate) is None


def test_as_many_different_people_approve_as_are_required() -> None:
    gate = a_gate(required=2)
    assert state(gate) == "waiting"
    assert state(answered(gate, says("alice"))) == "waiting"
    assert state(answered(gate, says("alice"), says("Alice", seconds=2))) == "waiting"
    assert state(answered(gate, says("alice"), says("bob"))) == "approved"


def test_no_number_of_required_people_opens_a_gate_by_itself() -> None:
    assert state(a_gate(required=0)) == "waiting"


def test_one_rejection_outweighs_every_approval() -> None:
    gate = answered(a_gate(), says("alice"), says("bob", approved=False, reason="not on a Friday"))
    assert judge(gate, NOTHING, at(10)).state == "rejected"
    assert judge(gate, NOTHING, at(10)).reason == "rejected by bob: not on a Friday"
    gate = answered(a_gate(), says("bob", approved=False))
    assert judge(gate, NOTHING, at(10)).reason == "rejected by bob"


def test_the_same_verdict_again_changes_nothing_and_another_one_is_refused() -> None:
    gate = answered(a_gate(), says("alice"))
    assert answer(gate, says("ALICE", seconds=5, reason="sure")) is gate
    with pytest.raises(NotAllowed, match="alice has approved already"):
        answer(gate, says("alice", approved=False))
    with pytest.raises(NotAllowed, match="bob has rejected already"):
        answered(a_gate(), says("bob", approved=False), says("bob"))
    closed = judge(gate, NOTHING, at(10))
    assert answer(closed, says("alice", seconds=20)) is closed


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        (a_gate(asked_at=None), "does not wait at this gate yet"),
        (a_gate(state="approved"), "is approved already"),
        (a_gate(state="rejected"), "is rejected already"),
        (a_gate(state="expired"), "is expired already"),
        (a_gate(expires_after_seconds=1), "expired at 2026-11-23 12:00 UTC"),
        (a_gate(**CHECKS), "type checks"),
        (a_gate(**PROMOTION), "type promotion"),
    ],
)
def test_a_verdict_is_refused_with_the_reason(gate: Gate, reason: str) -> None:
    with pytest.raises(NotAllowed, match=reason):
        answer(gate, says())


@pytest.mark.parametrize(("approved", "expected"), [(True, "approved"), (False, "rejected")])
def test_a_webhook_gate_is_as_its_service_says(approved: bool, expected: str) -> None:
    gate = a_gate(**WEBHOOK, required=3)
    assert state(gate) == "waiting"
    assert state(answered(gate, says("webhook go", approved=approved))) == expected


def test_checks_are_waited_for_in_any_order_and_a_failed_one_may_be_run_again() -> None:
    gate = a_gate(**CHECKS)
    assert state(gate) == "waiting"
    assert state(gate, GateFacts(checks={"ci/test": "success", "other": "success"})) == "waiting"
    assert state(gate, GateFacts(checks={"ci/test": "success", "ci/build": "pending"})) == "waiting"
    assert state(gate, GateFacts(checks={"ci/test": "success", "ci/build": "failure"})) == "waiting"
    assert state(gate, GateFacts(checks={"ci/test": "success", "ci/build": "success"})) == "approved"
    assert state(a_gate(type="checks"), GateFacts(checks={"ci/test": "success"})) == "waiting"


@pytest.mark.parametrize("result", ["pending", "failure"])
def test_checks_that_are_not_good_any_more_are_asked_for_anew(result: CheckState) -> None:
    approved = a_gate(**CHECKS, **HOUR, state="approved")
    judged = judge(approved, GateFacts(checks={"ci/test": "success", "ci/build": result}), at(5000))
    assert judged == replace(approved, state="waiting", asked_at=at(5000))
    assert judge(judged, NOTHING, at(8599)) is judged
    assert judge(judged, NOTHING, at(8600)).state == "expired"


def test_checks_of_which_nothing_is_known_any_more_have_been_good() -> None:
    approved = a_gate(**CHECKS, state="approved")
    for kept in ({}, {"ci/test": "success"}, {"other": "failure"}):
        assert judge(approved, GateFacts(checks=kept), at(10)) is approved


def test_a_promotion_waits_for_its_route() -> None:
    gate = a_gate(**PROMOTION)
    assert state(gate, GateFacts(proved=frozenset({"other"}))) == "waiting"
    assert state(gate, GateFacts(proved=frozenset({"staging"}))) == "approved"


@pytest.mark.parametrize("kind", [{}, CHECKS, WEBHOOK, PROMOTION])
def test_a_gate_expires_to_the_second(kind: dict[str, Any]) -> None:
    gate = a_gate(**HOUR, **kind)
    assert wake_at(gate) == at(3600)
    assert judge(gate, NOTHING, at(3599.9)) is gate
    expired = judge(gate, NOTHING, at(3600))
    assert expired.state == "expired"
    assert expired.reason.startswith("expired at 2026-11-23 13:00 UTC, still waiting for ")
    assert wake_at(expired) is None
    assert wake_at(a_gate(**kind)) is None


def test_what_was_said_in_time_counts_however_late_it_is_looked_at() -> None:
    gate = answered(a_gate(**HOUR), says("alice", seconds=3599))
    assert state(gate, seconds=9999) == "approved"
    facts = GateFacts(checks={"ci/test": "success", "ci/build": "success"})
    assert state(a_gate(**HOUR, **CHECKS), facts, seconds=3600) == "expired"


@pytest.mark.parametrize(
    ("gate", "facts", "words"),
    [
        (a_gate(), NOTHING, "approval of platform-leads"),
        (a_gate(approvers=("leads", "sre"), required=2, verdicts=(says(),)), NOTHING, "approval of leads or sre (1 of 2)"),
        (a_gate(**CHECKS), NOTHING, "checks ci/build, ci/test"),
        (a_gate(**CHECKS), GateFacts(checks={"ci/build": "failure"}), "checks ci/build (failed), ci/test"),
        (a_gate(**CHECKS), GateFacts(checks={"ci/build": "success", "ci/test": "pending"}), "check ci/test"),
        (a_gate(**WEBHOOK), NOTHING, "an answer from https://gate.example"),
        (a_gate(type="webhook", url="https://[gate"), NOTHING, "an answer from https://"),
        (a_gate(type="webhook", url="gate"), NOTHING, "an answer from https://"),
        (a_gate(**PROMOTION), NOTHING, "route staging"),
        (a_gate(state="approved"), NOTHING, ""),
        (a_gate(expires_after_seconds=5), NOTHING, ""),
    ],
)
def test_people_are_told_what_a_gate_waits_for(gate: Gate, facts: GateFacts, words: str) -> None:
    assert waits_for(gate, facts, at(10)) == words


def test_who_may_answer_has_one_of_the_roles() -> None:
    gate = a_gate(approvers=("leads", "sre"))
    assert may_answer(gate, frozenset({"sre", "reader"}))
    assert not may_answer(gate, frozenset({"reader"}))
    assert not may_answer(gate, frozenset())
    assert not may_answer(a_gate(approvers=()), frozenset({"sre"}))
    assert not may_answer(a_gate(**WEBHOOK, approvers=("sre",)), frozenset({"sre"}))


verdicts = st.builds(
    Verdict,
    by=st.sampled_from(["alice", "Alice", "bob", "carol"]),
    approved=st.booleans(),
    reason=st.just(""),
    at=st.integers(0, 200).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)
facts = st.builds(
    GateFacts,
    checks=st.dictionaries(st.sampled_from(["ci/build", "ci/test"]), st.sampled_from(["pending", "success", "failure"])),
    proved=st.frozensets(st.sampled_from(["staging", "other"])),
)
gates = st.sampled_from([{}, CHECKS, WEBHOOK, PROMOTION]).flatmap(
    lambda kind: st.builds(
        lambda required, expires: a_gate(**kind, required=required, expires_after_seconds=expires),
        st.integers(1, 3),
        st.none() | st.floats(0, 150),
    )
)


@given(gates, st.lists(verdicts | facts, max_size=12), facts)
def test_whatever_happens_a_closed_gate_stays_closed_and_nobody_counts_twice(
    gate: Gate, happened: list[Verdict | GateFacts], later: GateFacts
) -> None:
    for index, what in enumerate(happened):
        now = at(20 * index)
        try:
            gate = answer(gate, replace(what, at=now)) if isinstance(what, Verdict) else judge(gate, what, now)
        except NotAllowed:
            continue
    judged = judge(gate, later, at(240))
    people = [verdict.by.casefold() for verdict in judged.verdicts]
    assert len(people) == len(set(people))
    if judged.state != "waiting":
        assert judge(judged, NOTHING, at(1000)) is judged
        assert waits_for(judged, later, at(240)) == ""
    else:
        assert waits_for(judged, later, at(240))
    if judged.state == "approved" and gate.type in ("approval", "webhook"):
        assert len(people) >= (gate.required if gate.type == "approval" else 1)
        assert all(verdict.approved for verdict in judged.verdicts)
    assert bool(judged.reason) == (judged.state in ("rejected", "expired"))


def test_a_gate_is_found_by_its_place_and_put_back_there() -> None:
    stages = (a_stage(gates=(a_gate(name="go"), a_gate(name="ci"))), a_stage("prod", gates=(a_gate(name="go"),)))
    rollout = a_rollout(*stages)
    assert gate_of(rollout, 0, "ci") == stages[0].gates[1]
    for stage, name in ((-1, "go"), (2, "go"), (1, "ci")):
        assert gate_of(rollout, stage, name) is None
    changed = with_gate(rollout, 1, a_gate(name="go", required=5))
    assert changed.stages[0] is stages[0]
    assert [gate.required for gate in changed.stages[1].gates] == [5]
    assert with_gate(changed, 1, stages[1].gates[0]) == rollout


def test_the_first_stage_with_clusters_is_held_up_before_its_own_gates() -> None:
    gate, own = a_gate(name="requires", **CHECKS), a_gate(name="go")
    stages = (a_stage("none", 0), a_stage("canary", 2, gates=(own,)), a_stage("prod", 5))
    assert held_up(stages, gate) == (stages[0], replace(stages[1], gates=(gate, own)), stages[2])
    assert held_up(stages[:1], gate) == stages[:1]
