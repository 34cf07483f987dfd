"""What a target's observation and the clock make of it."""

from typing import Any

import pytest
from builders import RULES, a_target, an_observation, at, sha
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.observations import Observation
from shared.domain.rollouts import Rejection, Target
from shared.domain.targets import judge

ASKED = sha(1)
SYNCED = f"main@sha1:{ASKED}"
HOURS_48 = 48 * 3600


def judged(target: Target, seconds: float) -> Target:
    return judge(target, ASKED, RULES, at(seconds))


def applied(**fields: Any) -> Target:
    values: dict[str, Any] = {"state": "applied", "dispatch": 1, "slot": at(0), "applied_at": at(0)}
    return a_target(**values | fields)


def seen(seconds: float = 30, **fields: Any) -> Any:
    return an_observation(seconds, **fields)


@pytest.mark.parametrize("state", ["pending", "compliant", "failed", "skipped", "superseded"])
def test_a_target_that_waits_or_is_final_stays_as_it_is(state: Any) -> None:
    target = a_target(state=state, observation=seen(revision=SYNCED), rejection=Rejection(code="x", message=""))
    assert judged(target, 1e6) is target


@pytest.mark.parametrize(
    ("rejection", "state", "reason"),
    [
        (Rejection(code="BadRequest", message="no such branch"), "failed", "BadRequest: no such branch"),
        (Rejection(code="AuthorizationFailed", message=""), "failed", "AuthorizationFailed"),
        (Rejection(code="ResourceNotFound", message="gone", missing=True), "skipped", "ResourceNotFound: gone"),
    ],
)
def test_what_azure_refuses_for_good_is_final(rejection: Rejection, state: str, reason: str) -> None:
    target = judged(a_target(state="queued", slot=at(0), rejection=rejection), 1)
    assert (target.state, target.reason) == (state, reason)


def test_an_update_without_effect_goes_back_in_line() -> None:
    queued = a_target(state="queued", slot=at(10), dispatch=1)
    assert judged(queued, 130) is queued
    again = judged(queued, 131)
    assert (again.state, again.slot, again.dispatch) == ("pending", None, 1)


def test_a_target_without_a_slot_yet_is_left_in_line() -> None:
    queued = a_target(state="queued", dispatch=1)
    assert judged(queued, 1e6) is queued


@pytest.mark.parametrize(
    ("observation", "now", "state"),
    [
        pytest.param(None, 600, "applied", id="nobody looked yet"),
        pytest.param(None, 601, "failed", id="nobody looked in time"),
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
def test_what_is_gone_from_azure_for_a_while_is_skipped(state: Any) -> None:
    gone = applied(state=state, observation=Observation.missing(at(30)))
    missed = judged(gone, 31)
    assert (missed.state, missed.failing_since) == (state, at(31))
    assert judged(missed, 630) is missed
    assert (judged(missed, 631).state, judged(missed, 631).reason) == ("skipped", "no longer in Azure")


def test_a_suspended_cluster_that_was_away_is_skipped() -> None:
    assert judged(offline(observation=seen(5000, compliance="Suspended")), 5001).state == "skipped"


def test_a_failure_has_its_time_of_grace() -> None:
    failing = seen(30, compliance="Non-Compliant", revision=SYNCED, message="build failed")
    noted = judged(applied(observation=failing), 40)
    assert (noted.state, noted.failing_since) == ("applied", at(40))
    assert judged(noted, 99) is noted
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


@pytest.mark.parametrize("observation", [None, seen(connectivity="Offline"), seen(connectivity="Connecting")])
def test_a_cluster_that_stays_away_is_waited_for(observation: Any) -> None:
    target = offline(observation=observation)
    assert judged(target, 1e7) is target


def test_a_cluster_that_is_back_gets_its_time_anew() -> None:
    back = judged(offline(observation=seen(5000)), 5001)
    assert (back.state, back.reason, back.applied_at) == ("applied", "", at(5001))


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
    observations,
    observations,
    st.none() | st.integers(0, 900).map(at),
    st.none() | st.integers(0, 900).map(at),
    st.integers(0, 1000) | st.just(HOURS_48 + 950),
)
def test_judging_twice_is_judging_once(state: Any, observation: Any, before: Any, applied_at: Any, failing_since: Any, now: int) -> None:
    target = applied(state=state, observation=observation, before=before, applied_at=applied_at, failing_since=failing_since)
    once = judged(target, now)
    assert judged(once, now) == once


@pytest.mark.parametrize("state", ["applied", "offline"])
def test_what_is_not_found_for_ten_minutes_is_skipped(state: Any) -> None:
    missing = replace(applied(observation=seen(30, compliance="Missing")), state=state)
    first = judged(missing, 31)
    assert (first.state, first.failing_since) == (state, at(31))
    assert judged(first, 630).state == state
    assert (judged(first, 631).state, judged(first, 631).reason) == ("skipped", "no longer in Azure")


def test_what_is_found_again_goes_on_as_before() -> None:
    first = judged(applied(observation=seen(30, compliance="Missing")), 31)
    found = judged(replace(first, observation=seen(40)), 41)
    assert (found.state, found.failing_since) == ("applied", None)


def test_a_cluster_that_comes_and_goes_gets_its_update_again_once_azure_has_dropped_it() -> None:
    away = replace(applied(observation=seen(30, connectivity="Offline")), state="offline", accepted_at=at(0))
    back = judged(replace(away, observation=seen(47 * 3600)), 47 * 3600)
    assert back.state == "applied"
    gone = judged(replace(back, observation=seen(47 * 3600 + 60, connectivity="Offline")), 47 * 3600 + 60)
    assert gone.state == "offline"
    assert judged(replace(gone, observation=seen(60 * 3600)), 60 * 3600).state == "pending"
