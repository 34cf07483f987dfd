"""What a target's observation and the clock make of it."""

from typing import Any

import pytest
from builders import NOW, RULES, a_target, an_observation, at, sha
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.observations import Observation
from shared.domain.rollouts import Rejection, Target
from shared.domain.targets import anew, judge, seems_new

ASKED = sha(1)
SYNCED = f"main@sha1:{ASKED}"
HOURS_48 = 48 * 3600


def judged(target: Target, seconds: float) -> Target:
    return judge(target, RULES, at(seconds))


def baked(target: Target, seconds: float) -> Target:
    return judge(target, RULES, at(seconds), baking=True)


def applied(**fields: Any) -> Target:
    values: dict[str, Any] = {"state": "applied", "dispatch": 1, "slot": at(0), "applied_at": at(0)}
    return a_target(**values | fields)


def seen(seconds: float = 30, **fields: Any) -> Any:
    return an_observation(seconds, **fields)


@pytest.mark.parametrize("state", ["pending", "compliant", "rolled-back", "failed", "skipped", "superseded"])
def test_a_target_that_waits_or_is_final_stays_as_it_is_and_its_news_is_read(state: Any) -> None:
    target = a_target(state=state, observation=seen(revision=SYNCED), rejection=Rejection(code="x", message=""))
    assert judged(target, 1e6) == judged(replace(target, has_news=True), 1e6) == target


@pytest.mark.parametrize(
    ("rejection", "state", "reason"),
    [
        (Rejection(code="BadRequest", message="no such branch"), "failed", "BadRequest: no such branch"),
        (Rejection(code="AuthorizationFailed", message=""), "failed", "AuthorizationFailed"),
        (Rejection(code="ResourceNotFound", message="gone", missing=True), "skipped", "ResourceNotFound: gone"),
        (Rejection(code="Overtaken", message="a newer change has it", overtaken=True), "superseded", "a newer change has it"),
    ],
)
def test_an_update_that_will_never_be_written_is_final(rejection: Rejection, state: str, reason: str) -> None:
    target = judged(a_target(state="queued", slot=at(0), rejection=rejection), 1)
    assert (target.state, target.reason) == (state, reason)


def test_an_update_without_effect_goes_back_in_line() -> None:
    queued = a_target(state="queued", slot=at(10), dispatch=1)
    assert queued.judge_at == at(130)
    assert judged(queued, 129) == queued
    again = judged(queued, 130)
    assert (again.state, again.slot, again.dispatch, again.judge_at) == ("pending", None, 1, None)


def test_a_target_without_a_slot_yet_is_left_in_line() -> None:
    queued = a_target(state="queued", dispatch=1)
    assert judged(queued, 1e6) == queued


@pytest.mark.parametrize(
    ("observation", "now", "state"),
    [
        pytest.param(None, 599, "applied", id="nobody looked yet"),
        pytest.param(None, 600, "failed", id="nobody looked in time"),
        pytest.param(seen(revision=SYNCED), 31, "compliant", id="compliant with the asked commit"),
        pytest.param(seen(0, revision=SYNCED), 1, "compliant", id="seen in the moment of the update"),
        pytest.param(seen(revision=f"main/{ASKED}"), 31, "compliant", id="as Flux wrote it before 2.0"),
        pytest.param(seen(-1, revision=SYNCED), 31, "applied", id="seen before the update"),
        pytest.param(seen(), 31, "applied", id="compliant, but with another commit"),
        pytest.param(seen(revision=SYNCED), 601, "compliant", id="compliant, and looked at late"),
        pytest.param(seen(), 601, "failed", id="still at the old commit when time is up"),
        pytest.param(seen(compliance="Pending", revision=SYNCED), 31, "applied", id="pending"),
        pytest.param(seen(compliance="Suspended", revision=SYNCED), 31, "skipped", id="suspended by someone"),
        pytest.param(seen(-1, compliance="Suspended"), 31, "applied", id="was suspended before the update"),
        pytest.param(seen(compliance="Missing"), 31, "applied", id="not found once"),
        pytest.param(seen(connectivity="Offline"), 31, "offline", id="offline"),
        pytest.param(seen(connectivity="Expired"), 601, "offline", id="away, not late"),
        pytest.param(seen(-1, connectivity="Offline"), 31, "applied", id="was offline before the update"),
        pytest.param(seen(connectivity="Offline", revision=SYNCED), 31, "compliant", id="reached it, and went offline"),
    ],
)
def test_an_updated_target_is_what_is_seen_of_it(observation: Any, now: float, state: str) -> None:
    assert judged(applied(observation=observation), now).state == state


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        (None, "not compliant within 600 s (never seen)"),
        (seen(), f"not compliant within 600 s (last seen Compliant at main@sha1:{sha(0)})"),
        (seen(compliance="", revision=""), "not compliant within 600 s (last seen Unknown at no revision)"),
    ],
)
def test_who_is_late_is_told_with_what_was_seen_last(observation: Any, reason: str) -> None:
    assert judged(applied(observation=observation), 601).reason == reason


@pytest.mark.parametrize("state", ["applied", "offline"])
def test_what_is_gone_from_azure_for_ten_minutes_is_skipped(state: Any) -> None:
    missed = judged(applied(state=state, observation=Observation.missing(at(30))), 31)
    assert (missed.state, missed.missing_since, missed.judge_at) == (state, at(31), at(631))
    assert judged(missed, 630) == missed
    assert (judged(missed, 631).state, judged(missed, 631).reason) == ("skipped", "no longer in Azure")


@pytest.mark.parametrize("state", ["applied", "offline"])
def test_what_was_missing_before_the_update_says_nothing(state: Any) -> None:
    assert judged(applied(state=state, observation=Observation.missing(at(-1))), 31).missing_since is None


def test_what_is_found_again_goes_on_as_before() -> None:
    missed = judged(applied(observation=Observation.missing(at(30))), 31)
    found = judged(replace(missed, observation=seen(40)), 41)
    assert (found.state, found.missing_since, found.judge_at) == ("applied", None, at(600))


def test_what_is_found_again_and_fails_has_its_whole_time_of_grace() -> None:
    missed = judged(applied(observation=Observation.missing(at(30))), 31)
    failing = judged(replace(missed, observation=seen(300, compliance="Non-Compliant", revision=SYNCED)), 301)
    assert (failing.state, failing.missing_since, failing.failing_since, failing.judge_at) == ("applied", None, at(301), at(361))


def test_what_was_missing_and_is_away_now_waits_for_nothing_else() -> None:
    missed = judged(offline(observation=Observation.missing(at(30))), 31)
    away = judged(replace(missed, observation=seen(90, connectivity="Offline")), 91)
    assert (away.state, away.missing_since, away.judge_at) == ("offline", None, None)


@pytest.mark.parametrize("connectivity", ["Connected", "Offline"])
def test_a_suspended_cluster_that_was_away_is_skipped(connectivity: str) -> None:
    skipped = judged(offline(observation=seen(5000, compliance="Suspended", connectivity=connectivity), away="Offline"), 5001)
    assert (skipped.state, skipped.reason, skipped.away) == ("skipped", "suspended: Flux does not apply anything", "")


def test_a_failure_has_its_time_of_grace() -> None:
    failing = seen(30, compliance="Non-Compliant", revision=SYNCED, message="build failed")
    noted = judged(applied(observation=failing), 40)
    assert (noted.state, noted.failing_since, noted.judge_at) == ("applied", at(40), at(100))
    assert judged(noted, 99) == noted
    failed = judged(noted, 100)
    assert (failed.state, failed.reason) == ("failed", "build failed")


def test_a_failure_without_a_message_is_named() -> None:
    noted = applied(observation=seen(compliance="Non-Compliant", revision=SYNCED), failing_since=at(30))
    assert judged(noted, 90).reason == "Non-Compliant"


def test_a_failure_that_heals_in_time_leaves_no_trace() -> None:
    healed = judged(applied(observation=seen(compliance="Pending", revision=SYNCED), failing_since=at(30)), 60)
    assert (healed.state, healed.failing_since) == ("applied", None)
    assert judged(applied(observation=seen(revision=SYNCED), failing_since=at(30)), 60).failing_since is None


@pytest.mark.parametrize(
    ("observation", "before", "counts"),
    [
        pytest.param(seen(compliance="Non-Compliant"), an_observation(-60), True, id="was well, fails now"),
        pytest.param(seen(compliance="Non-Compliant"), None, True, id="was never seen, fails now"),
        pytest.param(
            seen(compliance="Non-Compliant"), an_observation(-60, compliance="Non-Compliant"), False, id="failed already, at the old commit"
        ),
        pytest.param(
            seen(compliance="Non-Compliant", revision=SYNCED),
            an_observation(-60, compliance="Non-Compliant"),
            True,
            id="fails at the asked commit too",
        ),
        pytest.param(seen(compliance="Non-Compliant", reported_at=at(-1)), None, False, id="reported before the update"),
        pytest.param(seen(compliance="Non-Compliant", reported_at=None), None, False, id="never reported"),
    ],
)
def test_only_what_the_update_may_have_caused_counts_as_its_failure(observation: Any, before: Any, counts: bool) -> None:
    assert (judged(applied(observation=observation, before=before), 31).failing_since is not None) is counts


def offline(**fields: Any) -> Target:
    return applied(**{"state": "offline", "reason": "cluster is Offline", "observation": seen(connectivity="Offline")} | fields)


@pytest.mark.parametrize("connectivity", ["Offline", "Connecting", "Expired", "AgentNotInstalled"])
def test_a_cluster_that_stays_away_is_waited_for_and_says_why(connectivity: str) -> None:
    away = judged(offline(observation=seen(connectivity=connectivity)), 1e7)
    assert (away.state, away.away, away.reason, away.judge_at) == ("offline", connectivity, f"cluster is {connectivity}", None)


def test_a_cluster_that_was_away_and_is_not_seen_is_waited_for() -> None:
    target = offline(observation=None)
    assert judged(target, 1e7) == target


def test_a_cluster_that_is_back_gets_its_time_anew() -> None:
    back = judged(offline(observation=seen(5000), away="Offline"), 5001)
    assert (back.state, back.reason, back.away, back.applied_at, back.judge_at) == ("applied", "", "", at(5001), at(5601))


def test_azure_keeps_an_update_from_when_it_took_it_however_often_the_cluster_comes_and_goes() -> None:
    target = offline(accepted_at=at(0), applied_at=at(40 * 3600), observation=seen(50 * 3600))
    assert judged(target, 50 * 3600).state == "pending"


def test_a_cluster_that_is_back_and_done_is_compliant() -> None:
    assert judged(offline(observation=seen(5000, revision=SYNCED)), 5001).state == "compliant"
    assert judged(offline(observation=seen(5000, revision=SYNCED)), HOURS_48 + 9).state == "compliant"


def test_a_cluster_that_was_away_for_longer_than_azure_keeps_the_update_gets_it_again() -> None:
    assert judged(offline(observation=seen(HOURS_48)), HOURS_48).state == "applied"
    again = judged(offline(observation=seen(HOURS_48)), HOURS_48 + 1)
    assert (again.state, again.slot) == ("pending", None)


observations = st.none() | st.builds(
    an_observation,
    st.integers(-100, 1000),
    compliance=st.sampled_from(["Compliant", "Non-Compliant", "Pending", "Suspended", "Missing", ""]),
    revision=st.sampled_from(["", SYNCED, f"main@sha1:{sha(0)}"]),
    connectivity=st.sampled_from(["Connected", "Offline", ""]),
    reported_at=st.none() | st.integers(-100, 1000).map(at),
)


@given(
    st.sampled_from(["queued", "applied", "offline"]),
    st.sampled_from(["forward", "back"]),
    observations,
    observations,
    st.none() | st.integers(0, 900).map(at),
    st.none() | st.integers(0, 900).map(at),
    st.none() | st.integers(0, 900).map(at),
    st.integers(0, 1000) | st.just(HOURS_48 + 950),
)
def test_judging_twice_is_judging_once_and_it_says_when_to_judge_again(
    state: Any, goal: Any, observation: Any, before: Any, applied_at: Any, failing_since: Any, missing_since: Any, now: int
) -> None:
    target = applied(state=state, goal=goal, observation=observation, before=before, applied_at=applied_at)
    once = judged(replace(target, failing_since=failing_since, missing_since=missing_since), now)
    assert judged(once, now) == once
    if once.judge_at and now < (once.judge_at - NOW).total_seconds():
        just_before = (once.judge_at - NOW).total_seconds() - 1e-6
        assert judged(once, just_before) == once
        assert judged(once, (once.judge_at - NOW).total_seconds()) != once


def test_a_cluster_that_comes_and_goes_gets_its_update_again_once_azure_has_dropped_it() -> None:
    away = replace(applied(observation=seen(30, connectivity="Offline")), state="offline", accepted_at=at(0))
    back = judged(replace(away, observation=seen(47 * 3600)), 47 * 3600)
    assert back.state == "applied"
    gone = judged(replace(back, observation=seen(47 * 3600 + 60, connectivity="Offline")), 47 * 3600 + 60)
    assert gone.state == "offline"
    assert judged(replace(gone, observation=seen(60 * 3600)), 60 * 3600).state == "pending"


def going_back(**fields: Any) -> Target:
    return applied(**{"goal": "back"} | fields)


def test_a_rollback_is_there_when_the_previous_revision_is() -> None:
    assert judged(going_back(observation=seen(revision=SYNCED)), 31).state == "applied"
    assert judged(going_back(observation=seen()), 31).state == "rolled-back"


def test_a_failure_at_what_is_rolled_back_is_no_failure_of_the_rollback() -> None:
    assert judged(going_back(observation=seen(compliance="Non-Compliant", revision=SYNCED)), 31).failing_since is None
    assert judged(going_back(observation=seen(compliance="Non-Compliant")), 31).failing_since == at(31)


def test_a_target_that_has_no_way_back_reaches_nothing() -> None:
    assert judged(going_back(previous=None, observation=seen()), 31).state == "applied"


def compliant(**fields: Any) -> Target:
    return applied(**{"state": "compliant", "observation": seen(revision=SYNCED)} | fields)


FAILING = seen(100, compliance="Non-Compliant", revision=SYNCED, message="OOMKilled")


def test_a_compliant_target_that_fails_within_the_bake_has_failed_after_its_grace() -> None:
    noted = baked(compliant(observation=FAILING), 110)
    assert (noted.state, noted.failing_since, noted.judge_at) == ("compliant", at(110), at(170))
    assert baked(noted, 169) == noted
    failed = baked(noted, 170)
    assert (failed.state, failed.reason, failed.judge_at) == ("failed", "did not stay well: OOMKilled", None)
    assert baked(replace(noted, observation=replace(FAILING, message="")), 170).reason == "did not stay well: Non-Compliant"


@pytest.mark.parametrize(
    "observation",
    [
        pytest.param(None, id="not seen"),
        pytest.param(seen(100, revision=SYNCED), id="well"),
        pytest.param(seen(100, compliance="Non-Compliant"), id="failing at another commit"),
        pytest.param(seen(100, compliance="Suspended", revision=SYNCED), id="suspended"),
        pytest.param(seen(100, connectivity="Offline", revision=SYNCED), id="away"),
        pytest.param(Observation.missing(at(100)), id="missing"),
    ],
)
def test_nothing_else_fails_a_bake(observation: Any) -> None:
    healed = baked(compliant(observation=observation, failing_since=at(90)), 1e4)
    assert (healed.state, healed.failing_since, healed.judge_at) == ("compliant", None, None)


@pytest.mark.parametrize(
    ("target", "observation", "baking", "is_new"),
    [
        pytest.param(applied(), seen(revision=SYNCED), False, True, id="reached it"),
        pytest.param(applied(), seen(), False, False, id="still at the old commit"),
        pytest.param(applied(), FAILING, False, True, id="begins to fail"),
        pytest.param(applied(failing_since=at(90)), FAILING, False, False, id="goes on failing"),
        pytest.param(applied(failing_since=at(90)), seen(100), False, True, id="fails no longer"),
        pytest.param(applied(), seen(connectivity="Offline"), False, True, id="goes away"),
        pytest.param(applied(), Observation.missing(at(100)), False, True, id="is missing"),
        pytest.param(applied(missing_since=at(90)), Observation.missing(at(100)), False, False, id="is missing still"),
        pytest.param(applied(missing_since=at(90)), seen(100), False, True, id="is found again"),
        pytest.param(compliant(), FAILING, True, True, id="fails in the bake"),
        pytest.param(compliant(), FAILING, False, False, id="fails when nobody looks any more"),
        pytest.param(compliant(), seen(100, revision=SYNCED), True, False, id="stays well"),
    ],
)
def test_what_is_seen_is_new_when_it_changes_something(target: Target, observation: Any, baking: bool, is_new: bool) -> None:
    assert seems_new(target, observation, RULES, at(100), baking=baking) is is_new


def test_a_target_in_line_anew_keeps_only_who_it_is_and_how_often_it_was_sent() -> None:
    tried = applied(
        state="failed",
        reason="why",
        retry=1,
        failing_since=at(1),
        missing_since=at(1),
        away="Offline",
        has_news=True,
        rejection=Rejection(code="x", message=""),
        accepted_at=at(0),
    )
    again = anew(tried)
    assert again == a_target(dispatch=1, retry=1, accepted_at=at(0))


@pytest.mark.parametrize("state", ["applied", "offline"])
def test_a_target_that_a_newer_change_has_taken_is_waited_for_no_longer(state: Any) -> None:
    taken = Rejection(code="Overtaken", message="a newer change has it", overtaken=True)
    target = judged(applied(state=state, rejection=taken, observation=seen(revision=SYNCED)), 31)
    assert (target.state, target.reason, target.judge_at) == ("superseded", "a newer change has it", None)
