"""Going back: each target to its own previous revision."""

from typing import Any

import pytest
from builders import a_pin, a_rollout, a_stage, a_target, an_observation, at, sha
from msgspec.structs import replace
from stored import Stored

from shared.domain.acts import Act, perform
from shared.domain.advance import supersede
from shared.domain.rollback import begin, in_line, turn_back
from shared.domain.rollouts import Rejection, Target

NO_WAY_BACK = "no earlier good revision is known: move it by hand or by a new commit"


def sent(number: int = 0, state: Any = "compliant", **fields: Any) -> Target:
    return a_target(number, **{"state": state, "dispatch": 1, "slot": at(0), "applied_at": at(0), "accepted_at": at(0)} | fields)


def stored(*targets: Target, **fields: Any) -> Stored:
    """Two stages; the first is done, the second is open and may have two in flight."""
    named = ("canary", "prod")
    stages = [
        a_stage(name, sum(t.stage == index for t in targets), state=state, max_concurrency=2, closed_at=at(0) if index == 0 else None)
        for index, (name, state) in enumerate(zip(named, ("succeeded", "running"), strict=True))
    ]
    kept = Stored(a_rollout(*stages, **{"current": 1} | fields), targets)
    kept.rollout = replace(kept.rollout, stages=tuple(replace(s, counts=kept.counted(i)) for i, s in enumerate(stages)))
    return kept


def roll_back(kept: Stored, seconds: float = 100, stage: str = "") -> None:
    kept.rollout = perform(kept.rollout, Act(kind="rollback", by="alice", reason="it is broken", stage=stage), at(seconds))
    kept.run(at(seconds))


def written(kept: Stored, seconds: float) -> None:
    """Every queued update is taken by Azure."""
    for target in list(kept.targets.values()):
        if target.state == "queued":
            kept.save_target(replace(target, state="applied", applied_at=at(seconds), accepted_at=at(seconds)))


def seen(kept: Stored, seconds: float, **fields: Any) -> None:
    for target in list(kept.targets.values()):
        if target.state in ("applied", "offline"):
            kept.save_target(replace(target, observation=an_observation(seconds, **fields), has_news=True))


def test_a_rollback_is_told_with_its_reason_and_stages() -> None:
    rollout = begin(a_rollout(a_stage("a"), a_stage("b"), waiting_for="x"), (0, 1), "it is broken", at(5))
    assert (rollout.state, rollout.reason, rollout.back_stages, rollout.waiting_for) == ("rolling-back", "it is broken", (0, 1), "")
    (event,) = rollout.events
    assert (event.kind, event.summary, event.severity) == ("rollout.rolling-back", "it is broken; stages a, b go back", "error")


def test_what_has_not_begun_does_not_begin() -> None:
    turned = turn_back(a_target(state="pending", has_news=True))
    assert (turned.state, turned.reason, turned.goal, turned.has_news) == ("skipped", "rolled back before its turn", "back", False)


@pytest.mark.parametrize("state", ["pending", "queued", "applied", "offline", "compliant", "failed"])
def test_what_may_have_been_written_is_in_line_again_for_its_previous_revision(state: Any) -> None:
    turned = turn_back(sent(state=state, reason="why", failing_since=at(9), previous=a_pin(7)))
    assert turned == a_target(state="pending", goal="back", dispatch=1, previous=a_pin(7))
    assert turned.asked == a_pin(7)


def test_what_azure_never_took_has_nothing_to_undo() -> None:
    refused = sent(state="failed", reason="BadRequest", accepted_at=None, rejection=Rejection(code="BadRequest", message=""), has_news=True)
    assert turn_back(refused) == replace(refused, goal="back", has_news=False)


def test_what_azure_took_once_goes_back_though_it_was_refused_later() -> None:
    refused = sent(state="failed", rejection=Rejection(code="BadRequest", message=""))
    assert (turn_back(refused).state, turn_back(refused).rejection) == ("pending", None)


def test_without_an_earlier_good_revision_it_is_left_to_people() -> None:
    turned = turn_back(sent(previous=None))
    assert (turned.state, turned.goal, turned.reason) == ("failed", "back", NO_WAY_BACK)
    assert in_line(turned) == turned


def test_all_stages_go_back_as_far_as_they_have_begun() -> None:
    kept = stored(sent(0), sent(1, "failed"), sent(2, "applied", stage=1), a_target(3, stage=1))
    roll_back(kept)
    assert [kept.states(0), kept.states(1)] == [["queued", "queued"], ["queued", "skipped"]]
    assert all(target.asked == a_pin(0) for target in kept.targets.values())
    written(kept, 110)
    kept.run(at(111))
    assert kept.rollout.state == "rolling-back"
    seen(kept, 120)
    kept.run(at(121))
    assert (kept.rollout.state, kept.states(0), kept.states(1)) == ("rolled-back", ["rolled-back"] * 2, ["rolled-back", "skipped"])
    assert kept.rollout.events[-1].summary == "3 clusters are back at their previous revision, 0 failed, 0 offline"
    assert kept.run(at(122))[0].changed == ()


def test_the_places_of_a_stage_hold_for_its_way_back() -> None:
    kept = stored(sent(9), *[sent(number, stage=1) for number in range(4)])
    roll_back(kept)
    assert kept.states(1) == ["queued", "queued", "pending", "pending"]


def test_a_failure_beyond_what_is_tolerated_turns_the_stages_before_it_too() -> None:
    kept = stored(sent(0), sent(1, "applied", stage=1))
    stage = kept.rollout.stages[1]
    kept.rollout = kept.rollout.with_stage(1, replace(stage, rules=replace(stage.rules, on_failure="rollback")))
    kept.run(at(600))
    assert [event.kind for event in kept.rollout.events] == ["stage.failed", "rollout.rolling-back"]
    assert (kept.rollout.back_stages, kept.states(0), kept.states(1)) == ((0, 1), ["queued"], ["queued"])
    assert kept.rollout.stages[1].state == "failed"


def test_a_cluster_that_is_away_holds_the_end_up_no_longer_and_goes_back_when_it_returns() -> None:
    kept = stored(sent(0), sent(1, "offline", stage=1))
    roll_back(kept)
    written(kept, 110)
    seen(kept, 120, connectivity="Offline", revision=f"main@sha1:{sha(1)}")
    kept.run(at(121))
    assert (kept.rollout.state, kept.states(1)) == ("rolled-back", ["offline"])
    seen(kept, 5000)
    kept.run(at(5001))
    assert (kept.states(1), kept.rollout.stages[1].counts) == (["rolled-back"], {"rolled-back": 1})


def test_a_message_under_way_is_an_old_one_once_its_target_is_turned() -> None:
    kept = stored(sent(0), sent(1, "queued", stage=1))
    roll_back(kept)
    assert (kept.targets["target-001"].dispatch, kept.targets["target-001"].asked) == (2, a_pin(0))


def test_one_stage_alone_goes_back_and_nothing_new_begins_in_the_others() -> None:
    kept = stored(sent(0), sent(1, stage=1), a_target(2, stage=1))
    roll_back(kept, stage="canary")
    assert (kept.rollout.back_stages, kept.states(0), kept.states(1)) == ((0,), ["queued"], ["compliant", "skipped"])


def test_what_is_under_way_in_the_other_stages_is_waited_for() -> None:
    kept = stored(sent(0), sent(1, "applied", stage=1))
    roll_back(kept, stage="canary")
    written(kept, 110)
    seen(kept, 120)
    kept.run(at(121))
    assert (kept.rollout.state, kept.states(0), kept.states(1)) == ("rolling-back", ["rolled-back"], ["applied"])
    seen(kept, 130, revision=f"main@sha1:{sha(1)}")
    kept.run(at(131))
    assert (kept.rollout.state, kept.states(1)) == ("rolled-back", ["compliant"])


def test_what_azure_dropped_of_another_stage_goes_back_after_the_rollback() -> None:
    kept = stored(sent(0), sent(1, "offline", stage=1))
    roll_back(kept, stage="canary")
    written(kept, 110)
    kept.save_target(replace(kept.targets["target-000"], observation=an_observation(120), has_news=True))
    kept.run(at(121))
    assert (kept.rollout.state, kept.states(1)) == ("rolled-back", ["offline"])
    seen(kept, 49 * 3600)
    kept.run(at(49 * 3600))
    assert (kept.states(1), kept.targets["target-001"].goal) == (["queued"], "back")


def test_a_newer_push_takes_the_place_of_a_rollback() -> None:
    kept = stored(sent(0), sent(1, stage=1))
    roll_back(kept)
    kept.rollout = supersede(kept.rollout, "rollout-2", at(105))
    kept.run(at(106))
    assert (kept.rollout.state, kept.states(0), kept.states(1)) == ("superseded", ["superseded"], ["superseded"])


def test_what_did_not_get_back_is_tried_again_and_told_again() -> None:
    kept = stored(sent(0), sent(1, stage=1), sent(2, stage=1, previous=None))
    roll_back(kept)
    written(kept, 110)
    kept.run(at(710))
    assert (kept.rollout.state, kept.states(0), kept.states(1)) == ("rolled-back", ["failed"], ["failed", "failed"])
    kept.rollout = perform(kept.rollout, Act(kind="retry", by="alice", reason="mended"), at(800))
    assert kept.rollout.state == "rolling-back"
    kept.run(at(800))
    assert (kept.states(0), kept.states(1), kept.targets["target-002"].reason) == (["queued"], ["queued", "failed"], NO_WAY_BACK)
    written(kept, 810)
    seen(kept, 820)
    kept.run(at(821))
    assert (kept.rollout.state, kept.states(0), kept.states(1)) == ("rolled-back", ["rolled-back"], ["rolled-back", "failed"])
    told = [event.summary for event in kept.rollout.events if event.kind == "rollout.rolled-back"]
    assert told == [
        "0 clusters are back at their previous revision, 3 failed, 0 offline",
        "2 clusters are back at their previous revision, 1 failed, 0 offline",
    ]


def test_a_rollback_of_more_than_one_transaction_holds_is_done_in_several() -> None:
    kept = stored(*[sent(number) for number in range(200)])
    kept.rollout = perform(kept.rollout, Act(kind="rollback", by="alice", reason="it is broken"), at(1))
    decisions = kept.run(at(1))
    assert all(len(decision.changed) <= 90 for decision in decisions)
    assert {target.goal for target in kept.targets.values()} == {"back"}
    assert sorted(set(kept.states(0))) == ["pending", "queued"]
    assert kept.rollout.stages[0].counts == {"pending": 198, "queued": 2}
