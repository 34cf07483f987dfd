"""Results of checks: the newest counts."""

from builders import a_check
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.checks import CheckResult, check_id, is_newer

results = st.lists(st.builds(a_check, st.sampled_from(["pending", "success", "failure"]), st.integers(0, 3)), min_size=1, max_size=6)


def kept(arrived: list[CheckResult]) -> CheckResult:
    newest = arrived[0]
    for result in arrived:
        newest = result if is_newer(result, newest) else newest
    return newest


@given(results, st.randoms())
def test_in_whatever_order_results_arrive_the_same_one_stays(arrived: list[CheckResult], chance: object) -> None:
    shuffled = [*arrived, *arrived]
    chance.shuffle(shuffled)  # type: ignore[attr-defined] -- Hypothesis' Random
    assert kept(shuffled) == kept(arrived)
    assert kept(arrived).at == max(result.at for result in arrived)


def test_of_one_moment_what_is_done_outweighs_what_is_under_way_and_a_failure_a_success() -> None:
    assert kept([a_check("pending"), a_check("success")]).state == "success"
    assert kept([a_check("failure"), a_check("success")]).state == "failure"
    assert kept([a_check("failure"), a_check("success", 1)]).state == "success"
    assert not is_newer(a_check(), a_check())


def test_a_check_is_known_by_its_revision_and_name() -> None:
    assert check_id("r", "ci") == check_id("r", "ci") != check_id("r", "cd") != check_id("s", "cd")
