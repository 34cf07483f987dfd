"""How a rollout moves, case by case. `test_advance_machine.py` looks for the cases that nobody thought of."""

from typing import Any

from builders import RULES, a_rollout, a_stage, a_target, an_observation, at, sha
from msgspec.structs import replace

from shared.domain.advance import Decision, accounts_for_all, advance, is_settled, needs, supersede
from shared.domain.rollouts import Rollout, RolloutEvent, Target, rollout_id, target_id

SYNCED = f"main@sha1:{sha(1)}"
HOURS_48 = 48 * 3600


def kinds(rollout: Rollout) -> list[str]:
    return [event.kind for event in rollout.events]


def targets(*states: Any, stage: int = 0) -> list[Target]:
    return [
        a_target(number + stage * 100, stage=stage, state=state, applied_at=at(0) if state in ("applied", "offline") else None)
        for number, state in enumerate(states)
    ]


def running(*counts: dict[str, int], current: int = 0, **fields: Any) -> Rollout:
    """Stages before `current` are done, `current` is open, later ones are not."""
    stages = [
        a_stage(
            f"stage-{index}",
            sum(each.values()),
            counts=each,
            state="succeeded" if index < current else "running" if index == current else "pending",
            closed_at=at(0) if index < current else None,
        )
        for index, each in enumerate(counts)
    ]
    return a_rollout(*stages, current=current, **fields)


def compliant(target: Target, seconds: float = 30) -> Target:
    return replace(target, observation=an_observation(seconds, revision=SYNCED))


def test_a_new_rollout_opens_its_first_stage_and_is_told() -> None:
    decision = advance(a_rollout(a_stage(total=3), a_stage("prod", 5)), targets("pending", "pending", "pending"), at(1))
    assert kinds(decision.rollout) == ["rollout.started"]
    assert decision.rollout.events[0].summary == "8 clusters in 2 stages"
    assert [stage.state for stage in decision.rollout.stages] == ["running", "pending"]
    assert [stage.counts for stage in decision.rollout.stages] == [{"queued": 3}, {"pending": 5}]
    assert [target.id for target in decision.dispatch] == ["target-000", "target-001", "target-002"]
    assert decision.rollout.updated_at == at(1)


def test_no_more_targets_start_than_the_stage_allows_and_in_their_order() -> None:
    rollout = a_rollout(a_stage(total=5, max_concurrency=3, state="running"))
    decision = advance(rollout, reversed(targets("applied", "compliant", "pending", "pending", "pending")), at(1))
    assert [target.id for target in decision.dispatch] == ["target-002", "target-003"]
    assert all((target.state, target.dispatch, target.slot) == ("queued", 1, None) for target in decision.dispatch)


def test_a_stage_that_is_full_starts_nothing() -> None:
    rollout = a_rollout(a_stage(total=3, max_concurrency=1, state="running"))
    assert advance(rollout, targets("applied", "applied", "pending"), at(1)).dispatch == ()


def test_a_stage_is_done_when_nobody_is_waited_for_and_the_next_opens_after_its_wait() -> None:
    rollout = a_rollout(a_stage(total=1, state="running", after_wait_seconds=600), a_stage("prod", 2))
    decision = advance(rollout, [compliant(target) for target in targets("applied")], at(31))
    assert kinds(decision.rollout) == ["stage.succeeded"]
    assert decision.rollout.events[0].summary == "stage canary done, 1 compliant"
    assert (decision.rollout.current, decision.wake_at) == (1, at(631))
    assert [stage.counts for stage in decision.rollout.stages] == [{"compliant": 1}, {"pending": 2}]
    prod = targets("pending", "pending", stage=1)
    waiting = advance(decision.rollout, prod, at(630))
    assert (waiting.rollout, waiting.dispatch, waiting.wake_at) == (decision.rollout, (), at(631))
    assert len(advance(decision.rollout, prod, at(631)).dispatch) == 2


def test_without_a_wait_the_next_stage_opens_at_once() -> None:
    rollout = a_rollout(a_stage(total=1, state="running"), a_stage("prod", 2))
    assert advance(rollout, [compliant(target) for target in targets("applied")], at(31)).wake_at == at(31)


def test_an_empty_stage_is_done_as_it_opens() -> None:
    decision = advance(a_rollout(a_stage(total=0), a_stage("prod", 1)), [], at(1))
    assert kinds(decision.rollout) == ["rollout.started", "stage.succeeded"]
    assert decision.rollout.events[1].summary == "stage canary done, no clusters"
    assert decision.rollout.current == 1


def test_the_last_stage_ends_the_rollout() -> None:
    decision = advance(
        running({"compliant": 1}, {"applied": 2}, current=1), [compliant(t) for t in targets("applied", "applied", stage=1)], at(31)
    )
    assert (decision.rollout.state, decision.wake_at) == ("succeeded", None)
    assert kinds(decision.rollout) == ["stage.succeeded", "rollout.succeeded"]
    assert is_settled(decision.rollout)


def test_offline_clusters_do_not_hold_a_stage_up() -> None:
    decision = advance(running({"applied": 1, "offline": 1}), [*map(compliant, targets("applied")), a_target(1, state="offline")], at(31))
    assert decision.rollout.state == "succeeded"
    assert decision.rollout.stages[0].counts == {"compliant": 1, "offline": 1}
    assert not is_settled(decision.rollout)


def test_tolerated_failures_are_told_as_an_error_and_the_rollout_goes_on() -> None:
    rules = replace(RULES, max_failures=1)
    decision = advance(
        running({"applied": 1, "failed": 1}, rules=rules), [*map(compliant, targets("applied")), a_target(1, state="failed")], at(31)
    )
    assert [(event.kind, event.severity) for event in decision.rollout.events] == [
        ("stage.succeeded", "error"),
        ("rollout.succeeded", "info"),
    ]


def test_one_failure_too_many_pauses_the_rollout() -> None:
    rollout = running({"applied": 1, "pending": 1}, {"pending": 1})
    decision = advance(rollout, targets("failed", "pending"), at(700))
    assert (decision.rollout.state, decision.rollout.stages[0].state) == ("paused", "failed")
    assert decision.rollout.reason == "stage stage-0: 1 clusters failed, 0 tolerated"
    assert [(event.kind, event.stage, event.severity) for event in decision.rollout.events] == [("stage.failed", 0, "error")]
    assert decision.dispatch == ()


def test_a_paused_rollout_still_sees_what_becomes_of_its_targets_but_starts_nothing() -> None:
    rollout = running({"failed": 1, "applied": 1, "pending": 1}, state="paused", reason="why")
    decision = advance(rollout, [a_target(0, state="failed"), compliant(targets("pending", "applied")[1]), a_target(2)], at(31))
    assert decision.rollout.stages[0].counts == {"compliant": 1, "failed": 1, "pending": 1}
    assert (decision.dispatch, decision.wake_at) == ((), None)


def test_a_superseded_rollout_gives_up_what_is_open() -> None:
    rollout = supersede(running({"compliant": 1, "applied": 1}, {"pending": 1}), "rollout-2", at(5))
    assert (rollout.state, rollout.superseded_by) == ("superseded", "rollout-2")
    decision = advance(rollout, [targets("compliant", "applied")[1], *targets("pending", stage=1)], at(6))
    assert [(target.state, target.reason) for target in decision.targets] == [("superseded", "a newer push took its place")] * 2
    assert [stage.counts for stage in decision.rollout.stages] == [{"compliant": 1, "superseded": 1}, {"superseded": 1}]
    assert kinds(decision.rollout) == ["rollout.superseded"]
    assert is_settled(decision.rollout)


def test_what_is_superseded_once_stays_superseded_by_the_same() -> None:
    first = supersede(running({"applied": 1}), "rollout-2", at(5))
    assert supersede(first, "rollout-3", at(6)) is first


def test_a_rollout_that_is_over_is_not_superseded() -> None:
    done = running({"compliant": 3}, state="succeeded")
    assert supersede(done, "rollout-2", at(5)) is done


def test_a_rollout_that_waits_for_offline_clusters_gives_them_to_the_newer_one() -> None:
    decision = advance(supersede(running({"compliant": 1, "offline": 1}, state="succeeded"), "rollout-2", at(5)), targets("offline"), at(6))
    assert decision.rollout.stages[0].counts == {"compliant": 1, "superseded": 1}


def test_a_cluster_that_was_away_too_long_is_updated_again_though_its_stage_is_closed() -> None:
    back = replace(targets("offline")[0], observation=an_observation(HOURS_48 + 50))
    for rollout in (
        running({"compliant": 4, "offline": 1}, {"pending": 1}, current=1),
        running({"compliant": 4, "offline": 1}, state="succeeded"),
    ):
        given = [back, *(targets("pending", stage=1) if rollout.current else targets("compliant"))]
        decision = advance(rollout, [replace(t, id=f"{t.id}-{n}") for n, t in enumerate(given)], at(HOURS_48 + 60))
        assert "target-000-0" in [target.id for target in decision.dispatch]


def test_a_cluster_that_fails_after_its_stage_has_closed_is_told_once() -> None:
    late = replace(targets("applied")[0], observation=None)
    decision = advance(running({"compliant": 4, "applied": 1}, {"applied": 1}, current=1), [late, *targets("applied", stage=1)], at(599))
    assert decision.rollout.events == ()
    decision = advance(running({"compliant": 4, "applied": 1}, {"pending": 1}, current=1), [late, a_target(100, stage=1)], at(601))
    assert [(event.kind, event.stage, event.severity) for event in decision.rollout.events] == [("target.failed", 0, "error")]
    assert decision.rollout.stages[0].counts == {"compliant": 4, "failed": 1}
    assert decision.rollout.state == "running"
    again = advance(decision.rollout, targets("queued", stage=1), at(601))
    assert again.rollout.events == decision.rollout.events


def test_a_late_failure_that_a_crash_left_untold_is_told_by_the_counts() -> None:
    crashed = running({"compliant": 1, "applied": 1}, {"pending": 1}, current=1)
    saved = [*targets("compliant", "failed"), a_target(100, stage=1)]
    decision = advance(crashed, saved, at(601))
    assert [event.summary for event in decision.rollout.events] == ["1 failed after stage stage-0 had closed"]
    assert advance(decision.rollout, targets("queued", stage=1), at(602)).rollout.events == decision.rollout.events


def test_clusters_that_fail_late_together_are_told_together() -> None:
    rollout = running({"compliant": 4, "failed": 1, "offline": 8}, state="succeeded", rules=replace(RULES, max_failures=9))
    late = [replace(target, state="applied", applied_at=at(0)) for target in targets(*["applied"] * 8)]
    decision = advance(
        rollout, [*late, *(a_target(50 + n, state=state) for n, state in enumerate(["compliant"] * 4 + ["failed"]))], at(601)
    )
    (event,) = decision.rollout.events
    assert (event.kind, event.stage, event.severity) == ("target.failed", 0, "error")
    assert "8" in event.summary or "3 more" in event.summary
    assert all(f"cluster-00{number}" in event.summary for number in range(5))


def test_it_wakes_when_a_time_of_grace_ends() -> None:
    failing = replace(targets("applied")[0], observation=an_observation(30, compliance="Non-Compliant", revision=SYNCED))
    decision = advance(running({"applied": 1}), [failing], at(40))
    assert decision.wake_at == at(100)
    assert advance(decision.rollout, decision.targets, at(100)).rollout.state == "paused"


def test_nothing_new_leaves_everything_as_it_was() -> None:
    rollout = running({"applied": 1})
    assert advance(rollout, targets("applied"), at(31)) == Decision(rollout=rollout, targets=(), dispatch=(), wake_at=None)


def test_what_is_needed_is_the_current_stage_and_what_is_open_before_it() -> None:
    rollout = running({"compliant": 1}, {"applied": 1}, {"pending": 1}, current=1)
    assert needs(rollout, 0, "offline")
    assert not needs(rollout, 0, "compliant")
    assert needs(rollout, 1, "compliant")
    assert not needs(rollout, 2, "pending")
    superseded = replace(rollout, state="superseded")
    assert needs(superseded, 2, "pending")
    assert not needs(superseded, 1, "compliant")


def test_a_target_that_became_final_in_a_crash_is_missed() -> None:
    rollout = running({"compliant": 3, "offline": 1}, {"applied": 2}, {"pending": 7}, current=1)
    current = targets("applied", "applied", stage=1)
    assert accounts_for_all(rollout, [*targets("offline"), *current])
    assert not accounts_for_all(rollout, current)
    all_of_them = [*targets("compliant", "compliant", "compliant", "failed"), *current]
    assert accounts_for_all(rollout, all_of_them)
    assert advance(rollout, all_of_them, at(31)).rollout.stages[0].counts == {"compliant": 3, "failed": 1}


def test_a_superseded_rollout_s_targets_are_missed_in_every_stage() -> None:
    rollout = replace(running({"applied": 2}, {"pending": 1}), state="superseded")
    assert not accounts_for_all(rollout, targets("applied", "applied"))
    assert accounts_for_all(rollout, [*targets("applied", "applied"), *targets("pending", stage=1)])


def test_an_event_s_id_tells_its_rollout_and_stage() -> None:
    decision = advance(running({"applied": 1}), [compliant(t) for t in targets("applied")], at(31))
    assert decision.rollout.events[0] == RolloutEvent(
        id="rollout-1.stage.succeeded.0", kind="stage.succeeded", at=at(31), summary="stage stage-0 done, 1 compliant", stage=0
    )


def test_ids_come_from_what_they_are_of() -> None:
    assert rollout_id("change", "route") == rollout_id("change", "route") != rollout_id("change", "other")
    assert target_id("a") != target_id("b")
    assert rollout_id("a", "b") != target_id("a")
