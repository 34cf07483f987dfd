"""What Azure says a fluxConfiguration is now."""

import pytest
from builders import an_observation, at

from shared.domain.observations import Observation


@pytest.mark.parametrize(
    ("connectivity", "is_away"),
    [("Connected", False), ("Offline", True), ("Expired", True), ("AgentNotInstalled", True), ("Connecting", True), ("", False)],
)
def test_a_cluster_that_takes_up_no_changes_is_away(connectivity: str, is_away: bool) -> None:
    assert an_observation(connectivity=connectivity).is_away is is_away


def test_only_the_time_of_looking_may_differ_between_looks_that_say_the_same() -> None:
    one = an_observation()
    assert one.says_same(an_observation(observed_at=at(30)))
    assert not one.says_same(None)


@pytest.mark.parametrize(
    "other",
    [
        an_observation(compliance="Pending"),
        an_observation(revision=""),
        an_observation(provisioning="Failed"),
        an_observation(connectivity="Offline"),
        an_observation(reported_at=at(1)),
        an_observation(message="build failed"),
    ],
)
def test_any_other_difference_is_news(other: Observation) -> None:
    assert not an_observation().says_same(other)


def test_a_look_at_azure_does_not_undo_what_the_cluster_said_since() -> None:
    said = an_observation(20, compliance="Compliant", message="")
    look = an_observation(30, compliance="Pending", revision="", reported_at=at(10), provisioning="Updating", message="reconciling")
    assert look.seen_after(said) == an_observation(30, provisioning="Updating", reported_at=at(20))
    never = an_observation(30, compliance="Unknown", revision="", reported_at=None)
    assert never.seen_after(said) == an_observation(30, reported_at=at(20))


@pytest.mark.parametrize(
    ("look", "earlier"),
    [
        (an_observation(30), None),
        (an_observation(30), an_observation(20, reported_at=None)),
        (an_observation(30, compliance="Non-Compliant"), an_observation(20)),
        (an_observation(30, compliance="Non-Compliant", reported_at=at(20)), an_observation(20)),
        (Observation.missing(at(30)), an_observation(20)),
    ],
)
def test_what_is_newer_or_gone_takes_its_place(look: Observation, earlier: Observation | None) -> None:
    assert look.seen_after(earlier) == look
