"""How a rollout moves, case by case. `test_advance_machine.py` looks for the cases that nobody thought of."""

from typing import Any

import pytest
from builders import RULES, a_rollout, a_stage, a_target, an_observation, at, sha
from msgspec.structs import replace
from stored import Stored

from shared.domain.advance import Decision, is_settled, supersede, to_open
from shared.domain.facts import Facts
from shared.domain.rollouts import Rollout, RolloutEvent, Target, rollout_id, target_id

SYNCED = f"main@sha1:{sha(1)}"
HOURS_48 = 48 * 3600
TOLERANT = replace(RULES, max_failures=1)


def kinds(rollout: Rollout) -> list[str]:
    return [event.kind for event in rollout.events]


def targets(*states: Any, stage: int = 0, **fields: Any) -> list[Target]:
    """Those that were sent have been taken by Azure at NOW."""
    return [
        replace(
            a_target(number + stage * 100, stage=stage, state=state, **{"dispatch": 0 if state == "pending" else 1} | fields),
            applied_at=at(0) if state in ("applied", "offline", "compliant") else None,
            accepted_at=at(0) if state in ("applied", "offline", "compliant") else None,
        )
        for number, state in enumerate(states)
    ]


def running(*stages: list[Target], current: int = 0, stage: dict[str, Any] | None = None, **fields: Any) -> Stored:
    """Stages before `current` are done, `current` is open, later ones are not. All are of `stage`."""
    each = [target for targets_of_stage in stages for target in targets_of_stage]
    stored = Stored(a_rollout(*[a_stage()] * len(stages)), [])
    for target in each:
        stored.save_target(target)
    made = [
        a_stage(
            f"stage-{index}",
            len(own),
            **{
                "counts": stored.counted(index),
                "state": "succeeded" if index < current else "running" if index == current else "pending",
                "closed_at": at(0) if index < current else None,
            }
            | (stage or {}),
        )
        for index, own in enumerate(stages)
    ]
    stored.rollout = a_rollout(*made, **{"current": current} | fields)
    for target in each:
        stored.save_target(target)
    return stored


def see(stored: Stored, seconds: float, *keys: str, **fields: Any) -> None:
    """A look at these targets, or at all that wait, which shows them at the asked commit."""
    for key in keys or [key for key, target in stored.targets.items() if target.state in ("applied", "offline")]:
        observation = an_observation(seconds, **{"revision": SYNCED} | fields)
        stored.save_target(replace(stored.targets[key], observation=observation, has_news=True))


def test_a_new_rollout_opens_its_first_stage_and_is_told() -> None:
    prod = [a_target(number, stage=1) for number in range(3, 8)]
    stored = Stored(a_rollout(a_stage(total=3), a_stage("prod", 5)), [*targets("pending", "pending", "pending"), *prod])
    opened, started = stored.run(at(1))
    assert (opened.dispatch, opened.is_unfinished) == ((), True)
    assert [target.id for target in started.dispatch] == ["target-000", "target-001", "target-002"]
    assert all((target.state, target.dispatch, target.slot) == ("queued", 1, None) for target in started.dispatch)
    assert kinds(stored.rollout) == ["rollout.started"]
    assert stored.rollout.events[0].summary == "8 clusters in 2 stages"
    assert [stage.state for stage in stored.rollout.stages] == ["running", "pending"]
    assert [stage.counts for stage in stored.rollout.stages] == [{"queued": 3}, {"pending": 5}]
    assert stored.rollout.updated_at == at(1)


def test_no_more_targets_start_than_the_stage_allows_and_in_their_order() -> None:
    stored = running(targets("applied", "compliant", "pending", "pending", "pending"), stage={"max_concurrency": 3})
    assert [target.id for target in stored.run(at(1))[-1].dispatch] == ["target-002", "target-003"]


def test_a_stage_that_is_full_starts_nothing() -> None:
    stored = running(targets("applied", "applied", "pending"), stage={"max_concurrency": 1})
    assert stored.step(at(1)).dispatch == ()


def test_a_place_that_is_free_is_taken_in_the_same_step() -> None:
    stored = running(targets("applied", "pending"), stage={"max_concurrency": 1})
    see(stored, 30)
    first, second = stored.run(at(31))
    assert [target.state for target in first.changed] == ["compliant"]
    assert [target.id for target in second.dispatch] == ["target-001"]


def test_one_that_goes_back_in_line_is_sent_at_once() -> None:
    stored = running(targets("queued", slot=at(0)))
    (decision,) = stored.run(at(120))
    assert [(target.id, target.dispatch) for target in decision.dispatch] == [("target-000", 2)]


def test_what_does_not_fit_into_one_transaction_is_done_in_several() -> None:
    stored = running(targets(*["pending"] * 200))
    assert [len(decision.changed) for decision in stored.run(at(1))] == [90, 90, 20]
    assert stored.rollout.stages[0].counts == {"queued": 200}


def test_the_pace_s_room_is_kept_and_looked_for_again_soon() -> None:
    stored = running(targets("pending", "pending", "pending"))
    decision = stored.run(at(1), Facts(room={"sub-1": 2}))[-1]
    assert (len(decision.dispatch), decision.wake_at, decision.is_unfinished) == (2, at(16), False)
    decision = stored.run(at(16), Facts(room={"sub-1": 0}))[-1]
    assert (decision.dispatch, decision.wake_at) == ((), at(31))
    decision = stored.run(at(31), Facts(room={"sub-1": 1}))[-1]
    assert (len(decision.dispatch), decision.wake_at) == (1, None)


def test_a_stage_is_done_when_nobody_is_waited_for_and_the_next_opens_after_its_wait() -> None:
    stored = running(targets("applied"), targets("pending", "pending", stage=1), stage={"after_wait_seconds": 600})
    see(stored, 30)
    decision = stored.run(at(31))[-1]
    assert kinds(stored.rollout) == ["stage.succeeded"]
    assert stored.rollout.events[0].summary == "stage stage-0 done, 1 compliant"
    assert (stored.rollout.current, decision.wake_at) == (1, at(631))
    assert [stage.counts for stage in stored.rollout.stages] == [{"compliant": 1}, {"pending": 2}]
    waiting = stored.run(at(630))[-1]
    assert (waiting.changed, waiting.dispatch, waiting.wake_at) == ((), (), at(631))
    assert len(stored.run(at(631))[-1].dispatch) == 2


def test_without_a_wait_the_next_stage_opens_at_once() -> None:
    stored = running(targets("applied"), targets("pending", "pending", stage=1))
    see(stored, 30)
    stored.run(at(31))
    assert stored.states(1) == ["queued", "queued"]


def test_an_empty_stage_is_done_as_it_opens() -> None:
    stored = Stored(a_rollout(a_stage(total=0), a_stage("prod", 1)), [a_target(stage=1)])
    stored.run(at(1))
    assert kinds(stored.rollout) == ["rollout.started", "stage.succeeded"]
    assert stored.rollout.events[1].summary == "stage canary done, no clusters"
    assert (stored.rollout.current, stored.states(1)) == (1, ["queued"])


def test_the_last_stage_ends_the_rollout() -> None:
    stored = running(targets("compliant"), targets("applied", "applied", stage=1), current=1)
    see(stored, 30)
    decision = stored.run(at(31))[-1]
    assert (stored.rollout.state, decision.wake_at) == ("succeeded", None)
    assert kinds(stored.rollout) == ["stage.succeeded", "rollout.succeeded"]
    assert is_settled(stored.rollout)


def test_offline_clusters_do_not_hold_a_stage_up() -> None:
    stored = running(targets("applied", "offline", away="Offline"))
    see(stored, 30, "target-000")
    stored.run(at(31))
    assert stored.rollout.state == "succeeded"
    assert stored.rollout.stages[0].counts == {"compliant": 1, "offline": 1}
    assert stored.rollout.events[0].summary == "stage stage-0 done, 1 compliant, 1 offline"
    assert not is_settled(stored.rollout)


def test_clusters_that_will_not_come_back_by_themselves_are_named_by_their_connectivity() -> None:
    stored = running([*targets("compliant", "offline", away="Expired"), *[a_target(9, state="offline", away="Offline")]])
    stored.run(at(31))
    assert stored.rollout.events[0].summary == "stage stage-0 done, 1 compliant, 2 offline (1 Expired, 1 Offline)"


def test_tolerated_failures_are_told_as_an_error_and_the_rollout_goes_on() -> None:
    stored = running(targets("applied", "failed"), stage={"rules": TOLERANT})
    see(stored, 30)
    stored.run(at(31))
    assert [(event.kind, event.severity) for event in stored.rollout.events] == [
        ("stage.succeeded", "error"),
        ("rollout.succeeded", "info"),
    ]


def test_one_failure_too_many_pauses_the_rollout() -> None:
    stored = running(targets("applied", "pending"), targets("pending", stage=1), stage={"max_concurrency": 1}, waiting_for="x")
    (decision, _) = stored.run(at(600))
    assert (stored.rollout.state, stored.rollout.stages[0].state, stored.rollout.waiting_for) == ("paused", "failed", "")
    assert stored.rollout.reason == "stage stage-0: 1 clusters failed, 0 tolerated"
    assert [(event.kind, event.stage, event.severity) for event in stored.rollout.events] == [("stage.failed", 0, "error")]
    assert stored.rollout.events[0].summary == f"{stored.rollout.reason}; the rollout is paused"
    assert (decision.dispatch, stored.states(0)) == ((), ["failed", "pending"])


def test_a_strategy_may_go_on_whatever_fails() -> None:
    stored = running(targets("applied", "pending"), stage={"max_concurrency": 1, "rules": replace(RULES, on_failure="continue")})
    stored.run(at(600))
    assert (stored.rollout.state, stored.states(0)) == ("running", ["failed", "queued"])
    assert [event.summary for event in stored.rollout.events] == [
        "stage stage-0: 1 clusters failed, 0 tolerated; the rollout goes on",
    ]


def test_failures_that_a_person_has_accepted_do_not_stop_the_stage_again_but_one_more_does() -> None:
    stored = running(targets("failed", "applied", "applied"), stage={"forgiven": 1})
    assert stored.run(at(30))[-1].rollout.state == "running"
    stored.run(at(600))
    assert (stored.rollout.state, stored.rollout.reason) == ("paused", "stage stage-0: 2 clusters failed, 0 tolerated")
    assert stored.rollout.events[-1].id == "rollout-1.stage.failed.0-1.0"


def test_a_paused_rollout_still_sees_what_becomes_of_its_targets_but_starts_nothing() -> None:
    stored = running(targets("failed", "applied", "pending"), state="paused", reason="why")
    see(stored, 30)
    decision = stored.run(at(31))[-1]
    assert stored.rollout.stages[0].counts == {"compliant": 1, "failed": 1, "pending": 1}
    assert (decision.dispatch, decision.wake_at, decision.calls) == ((), None, ())


def test_a_superseded_rollout_gives_up_what_is_open() -> None:
    stored = running(targets("compliant", "applied"), targets("pending", stage=1), waiting_for="x")
    stored.rollout = supersede(stored.rollout, "rollout-2", at(5))
    assert (stored.rollout.state, stored.rollout.superseded_by, stored.rollout.waiting_for) == ("superseded", "rollout-2", "")
    decision = stored.run(at(6))[-1]
    assert [(target.state, target.reason) for target in decision.changed] == [("superseded", "a newer push took its place")] * 2
    assert [stage.counts for stage in stored.rollout.stages] == [{"compliant": 1, "superseded": 1}, {"superseded": 1}]
    assert (kinds(stored.rollout), decision.wake_at) == (["rollout.superseded"], None)
    assert is_settled(stored.rollout)


def test_what_is_superseded_once_stays_superseded_by_the_same() -> None:
    first = supersede(running(targets("applied")).rollout, "rollout-2", at(5))
    assert supersede(first, "rollout-3", at(6)) is first


def test_a_rollout_that_is_over_is_not_superseded() -> None:
    done = running(targets("compliant"), state="succeeded").rollout
    assert supersede(done, "rollout-2", at(5)) is done


def test_a_rollout_that_waits_for_offline_clusters_gives_them_to_the_newer_one() -> None:
    stored = running(targets("compliant", "offline"), state="succeeded")
    stored.rollout = supersede(stored.rollout, "rollout-2", at(5))
    stored.run(at(6))
    assert stored.rollout.stages[0].counts == {"compliant": 1, "superseded": 1}


@pytest.mark.parametrize("is_over", [False, True])
def test_a_cluster_that_was_away_too_long_is_updated_again_though_its_stage_is_closed(is_over: bool) -> None:
    stored = running(targets("compliant", "offline"), targets("compliant" if is_over else "queued", stage=1), current=1)
    stored.rollout = replace(stored.rollout, state="succeeded" if is_over else "running")
    see(stored, HOURS_48 + 50, "target-001", revision=f"main@sha1:{sha(0)}")
    decision = stored.run(at(HOURS_48 + 60))[0]
    assert [(target.id, target.dispatch) for target in decision.dispatch] == [("target-001", 2)]
    assert stored.rollout.stages[0].counts == {"compliant": 1, "queued": 1}


def test_a_cluster_that_fails_after_its_stage_has_closed_is_told_once() -> None:
    for state in ("running", "paused"):
        stored = running(targets("compliant", "applied"), targets("pending", stage=1), current=1, state=state)
        assert stored.run(at(599))[-1].rollout.events == ()
        stored.run(at(600))
        assert [(event.kind, event.stage, event.severity) for event in stored.rollout.events] == [("target.failed", 0, "error")]
        assert stored.rollout.events[0].summary == "1 failed after stage stage-0 had closed: cluster-001"
        assert stored.rollout.stages[0].counts == {"compliant": 1, "failed": 1}
        assert stored.rollout.state == state
        stored.run(at(600))
        assert len(stored.rollout.events) == 1


def test_clusters_that_fail_late_together_are_told_together() -> None:
    stored = running(targets(*["applied"] * 8), state="succeeded", stage={"state": "succeeded", "closed_at": at(0)})
    stored.run(at(600))
    (event,) = stored.rollout.events
    named = ", ".join(f"cluster-00{number}" for number in range(5))
    assert event.summary == f"8 failed after stage stage-0 had closed: {named} and others"
    assert (event.kind, event.stage, event.severity) == ("target.failed", 0, "error")


def test_what_fails_at_another_time_is_told_anew() -> None:
    stored = running([*targets("applied"), a_target(1, state="applied", applied_at=at(50))], state="succeeded")
    stored.run(at(600))
    stored.run(at(650))
    assert len({event.id for event in stored.rollout.events}) == 2


def test_what_does_not_get_back_after_all_is_told_too() -> None:
    stored = running(targets("applied", goal="back"), state="rolled-back", reason="x", back_stages=(0,))
    stored.run(at(600))
    assert [event.summary for event in stored.rollout.events] == ["1 failed after stage stage-0 had closed: cluster-000"]


def test_it_wakes_when_a_time_of_grace_ends() -> None:
    stored = running(targets("applied"))
    see(stored, 30, compliance="Non-Compliant")
    assert stored.run(at(40))[-1].wake_at == at(100)
    stored.run(at(100))
    assert stored.rollout.state == "paused"


def test_it_wakes_when_the_time_to_become_compliant_is_over() -> None:
    waiting = running(targets("applied", "queued", slot=at(1)))
    assert waiting.step(at(480)).wake_at == at(600)


def test_no_message_waits_for_what_a_sweep_finds_in_time() -> None:
    assert running(targets("applied")).step(at(479)).wake_at is None


def test_nothing_new_leaves_everything_as_it_was() -> None:
    stored = running(targets("applied"))
    before = stored.rollout
    decision = stored.step(at(31))
    assert decision == Decision(rollout=before, changed=(), dispatch=(), calls=(), is_unfinished=False, wake_at=None)


def test_what_must_be_opened_is_what_changes_and_what_may_start() -> None:
    stored = running(targets("applied", "pending", "applied", "pending", "pending"), stage={"max_concurrency": 4})
    see(stored, 30, "target-002")
    assert to_open(stored.rollout, stored.glances(), Facts(), at(31)) == ["target-002", "target-001", "target-003"]


def test_no_more_is_opened_than_one_transaction_holds_and_each_once() -> None:
    stored = running(targets(*["pending"] * 100, *["queued"] * 100, slot=at(0)), stage={"max_concurrency": 500})
    opened = to_open(stored.rollout, stored.glances(), Facts(), at(120))
    assert len(opened) == len(set(opened)) == 90
    pending = running(targets("pending", has_news=True))
    assert to_open(pending.rollout, pending.glances(), Facts(), at(120)) == ["target-000"]


def baking(*states: Any) -> Stored:
    """Its bake has begun at NOW and lasts 300 s."""
    return running(targets(*states), stage={"bake_seconds": 300, "done_at": at(0)})


def test_a_stage_bakes_once_all_are_done() -> None:
    stored = running(targets("applied"), stage={"bake_seconds": 300})
    see(stored, 30)
    decision = stored.run(at(31))[-1]
    assert (stored.rollout.stages[0].done_at, stored.rollout.stages[0].is_baking, decision.wake_at) == (at(31), True, at(331))
    assert stored.run(at(330))[-1].rollout.state == "running"
    stored.run(at(331))
    assert (stored.rollout.state, stored.rollout.stages[0].is_baking) == ("succeeded", False)


def test_a_cluster_that_fails_within_the_bake_stops_the_stage() -> None:
    stored = baking("compliant", "compliant")
    see(stored, 100, "target-000", compliance="Non-Compliant", message="OOMKilled")
    assert stored.run(at(110))[-1].wake_at == at(170)
    stored.run(at(170))
    assert (stored.rollout.state, stored.states(0)) == ("paused", ["failed", "compliant"])
    assert stored.targets["target-000"].reason == "did not stay well: OOMKilled"


def test_a_bake_does_not_end_while_one_is_failing_or_has_news_that_nobody_read() -> None:
    stored = baking("compliant", "compliant")
    see(stored, 290, "target-000", compliance="Non-Compliant")
    assert stored.run(at(290))[-1].wake_at == at(300)
    assert stored.run(at(300))[-1].wake_at == at(350)
    see(stored, 340, "target-000")
    stored.run(at(345))
    assert stored.rollout.state == "succeeded"


def test_more_news_than_one_step_reads_keeps_a_bake_from_its_end() -> None:
    stored = baking(*["compliant"] * 100)
    see(stored, 290, *sorted(stored.targets), compliance="Non-Compliant")
    for key in sorted(stored.targets)[:90]:
        see(stored, 290, key)
    assert stored.step(at(300)).rollout.state == "running"
    stored.run(at(300))
    assert stored.run(at(360))[-1].rollout.state == "paused"


def test_a_bake_goes_on_while_the_rollout_is_paused() -> None:
    stored = baking("compliant", "compliant")
    see(stored, 100, "target-000", "target-001", compliance="Non-Compliant")
    stored.run(at(110))
    stored.save_target(replace(stored.targets["target-001"], failing_since=at(150)))
    stored.run(at(170))
    assert (stored.rollout.state, stored.states(0)) == ("paused", ["failed", "compliant"])
    stored.run(at(210))
    assert stored.states(0) == ["failed", "failed"]


def test_a_cluster_that_is_back_within_the_bake_is_waited_for() -> None:
    stored = baking("compliant", "offline")
    see(stored, 290, revision=f"main@sha1:{sha(0)}")
    stored.run(at(299))
    assert stored.run(at(300))[-1].rollout.state == "running"
    see(stored, 400)
    stored.run(at(401))
    assert (stored.rollout.state, stored.states(0)) == ("succeeded", ["compliant", "compliant"])


def test_an_event_s_id_tells_its_rollout_and_stage() -> None:
    stored = running(targets("applied"))
    see(stored, 30)
    stored.run(at(31))
    assert stored.rollout.events[0] == RolloutEvent(
        id="rollout-1.stage.succeeded.0", kind="stage.succeeded", at=at(31), summary="stage stage-0 done, 1 compliant", stage=0
    )


def test_a_rollout_s_ref_is_a_branch_or_a_tag() -> None:
    assert (a_rollout(ref="refs/heads/a/b").branch, a_rollout(ref="refs/heads/a/b").tag) == ("a/b", None)
    assert (a_rollout(ref="refs/tags/v1").branch, a_rollout(ref="refs/tags/v1").tag) == (None, "v1")


def test_ids_come_from_what_they_are_of() -> None:
    assert rollout_id("change", "route") == rollout_id("change", "route") != rollout_id("change", "other")
    assert target_id("a") != target_id("b")
    assert rollout_id("a", "b") != target_id("a")
