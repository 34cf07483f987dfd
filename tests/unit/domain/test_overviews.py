"""A rollout as it is now, in the words and numbers that people need."""

from typing import Any

import pytest
from builders import NOW, a_gate, a_rollout, a_stage, at
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.gates import Verdict
from shared.domain.overviews import fingerprint, milestone, overview
from shared.domain.rollouts import Rollout

ADDRESS = "https://sluice.example"


def a_stage_of_hundred(compliant: int, **fields: Any) -> Rollout:
    counts = {"compliant": compliant, "pending": 100 - compliant}
    return a_rollout(a_stage(total=100, state="running", counts=counts), **fields)


def asking(**fields: Any) -> Rollout:
    gates = (a_gate(asked_at=at(5), required=2, **fields), a_gate(name="ci", type="checks", checks=("ci/build",), asked_at=at(7)))
    return a_rollout(a_stage(state="succeeded"), a_stage("prod", gates=gates), current=1, waiting_for="approval of platform-leads (0 of 2)")


def test_the_numbers_are_exact() -> None:
    counts = {"compliant": 939, "failed": 30, "offline": 20, "skipped": 1, "pending": 10}
    view = overview(a_rollout(a_stage(total=1000, state="running", counts=counts)))
    assert (view.done, view.total, view.failed, view.offline, view.stages[0].skipped) == (939, 1000, 30, 20, 1)
    assert (view.words, view.commit, view.ref, view.link) == ("under way", "00000000", "main", "")


@pytest.mark.parametrize(
    ("fields", "words", "step"),
    [
        ({}, "under way", "by itself"),
        ({"waiting_for": "the window from 08:00"}, "waiting", "by itself"),
        ({"state": "paused", "reason": "too many"}, "paused", "retry or rollback rollout-1"),
        ({"state": "rolling-back"}, "going back", "by itself"),
        ({"state": "rolled-back"}, "rolled back", "push again"),
        ({"state": "aborted"}, "aborted", "push again: an aborted"),
        ({"state": "superseded"}, "superseded", ""),
        ({"state": "succeeded"}, "finished", ""),
    ],
)
def test_each_state_has_its_words_and_a_next_step(fields: dict[str, Any], words: str, step: str) -> None:
    view = overview(a_rollout(a_stage(counts={"compliant": 1, "rolled-back": 0}), **fields))
    assert view.words == words
    assert step in view.next_step
    assert bool(step) == bool(view.next_step)


def test_failures_are_told_at_the_end() -> None:
    view = overview(a_rollout(a_stage(counts={"failed": 1}), state="succeeded"), ADDRESS)
    assert view.words == "finished, with failures"
    assert "sluice retry rollout-1" in view.next_step
    assert view.failures_link == f"{ADDRESS}/api/dashboard?rollout=rollout-1&state=failed"


def test_what_goes_back_counts_what_is_back() -> None:
    view = overview(a_rollout(a_stage(total=3, counts={"compliant": 1, "rolled-back": 2}), state="rolling-back", reason="too many"))
    assert (view.done, view.waiting_for) == (2, "too many")


def test_a_question_says_who_may_answer_and_where() -> None:
    verdict = Verdict(by="alice", approved=True, reason="good", at=at(6))
    view = overview(asking(verdicts=(verdict,)), ADDRESS)
    (asked,) = view.questions
    assert (asked.stage, asked.gate, asked.approvers, asked.approved, asked.required) == ("prod", "go", ("platform-leads",), 1, 2)
    assert asked.link == f"{ADDRESS}/api/dashboard?rollout=rollout-1&stage=prod&gate=go"
    assert "platform-leads approve or reject" in view.next_step
    assert view.since == at(5)


@pytest.mark.parametrize("state", ["approved", "rejected", "expired"])
def test_a_closed_gate_asks_nobody(state: str) -> None:
    assert overview(asking(state=state)).questions == ()
    assert overview(replace(asking(), state="paused")).questions == ()
    assert overview(a_rollout(a_stage(gates=(a_gate(asked_at=None),)))).questions == ()
    assert overview(replace(a_rollout(), stages=())).questions == ()


def test_the_last_event_is_what_it_is_since() -> None:
    assert overview(a_rollout()).since == NOW
    assert overview(a_rollout().with_event("rollout.paused", at(9), "x")).since == at(9)


def test_tags_and_other_refs() -> None:
    assert overview(a_rollout(ref="refs/tags/v1")).ref == "v1"
    assert overview(a_rollout(ref="refs/pull/1")).ref == "refs/pull/1"


@given(steps=st.lists(st.integers(0, 10_000), max_size=200))
def test_a_message_moves_rarely_however_many_clusters_there_are(steps: list[int]) -> None:
    rollouts = [
        a_rollout(a_stage(total=10_000, state="running", counts={"compliant": 10_000 - failed, "failed": failed}))
        for failed in sorted(steps)
    ]
    assert len(set(map(fingerprint, rollouts))) <= 21 + 39


def test_what_people_wait_for_is_a_milestone_and_counts_are_none() -> None:
    one, other = a_stage_of_hundred(0), a_stage_of_hundred(50)
    assert (milestone(one) == milestone(other), fingerprint(one) == fingerprint(other)) == (True, False)
    assert milestone(one) != milestone(replace(one, state="paused"))
    assert milestone(asking()) != milestone(asking(state="approved"))
    assert fingerprint(one) != fingerprint(replace(one, waiting_for="something"))
