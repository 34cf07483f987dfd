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
