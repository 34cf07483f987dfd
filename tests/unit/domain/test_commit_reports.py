"""What was last said of a commit, and what is to be said next."""

from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, a_rollout, a_stage, at
from msgspec.structs import replace

from shared.domain.commit_reports import (
    GIVE_UP_AFTER,
    TURN_LASTS,
    WORDS_AT_MOST,
    WORDS_EVERY,
    CommitReport,
    Saying,
    after_failure,
    after_saying,
    begin,
    doubt,
    due,
    is_overtaken,
    is_resting,
    last,
    may_go_on,
    must_wake,
    report_id,
    sayings,
    take,
)
from shared.domain.rollouts import Reporting

ROLLOUT = a_rollout(a_stage(), a_stage("prod"), report=Reporting(provider="hub"))
REPORT = begin("report-1", ROLLOUT)


def a_saying(state: str = "running", text: str = "10 %", **fields: Any) -> Saying:
    values: dict[str, Any] = {"kind": "status", "context": "sluice/platform/canary", "environment": "platform/canary"}
    return Saying(**values | {"state": state, "text": text} | fields)


def test_a_report_is_of_one_host_commit_and_route() -> None:
    others = [replace(ROLLOUT, revision="other"), replace(ROLLOUT, route="other"), replace(ROLLOUT, source="other")]
    assert len({report_id("hub", ROLLOUT), report_id("lab", ROLLOUT), *(report_id("hub", other) for other in others)}) == 5
    assert report_id("hub", replace(ROLLOUT, id="again", state="aborted")) == report_id("hub", ROLLOUT)


def test_what_is_to_be_said_is_what_the_route_asks_for() -> None:
    contexts = ["sluice/platform/canary", "sluice/platform/prod"]
    assert sayings(a_rollout(), "") == []
    assert [(saying.kind, saying.context) for saying in sayings(ROLLOUT, "")] == [("status", context) for context in contexts]
    whole = replace(ROLLOUT, report=Reporting(provider="hub", deployments=True, comment=True))
    assert [(saying.kind, saying.context) for saying in sayings(whole, "https://link")] == [
        *(("status", context) for context in contexts),
        *(("deployment", context) for context in contexts),
        ("comment", "platform"),
    ]
    assert "https://link" in sayings(whole, "https://link")[-1].text


class TestDue:
    def test_what_was_never_said_is_said_at_once(self) -> None:
        assert due(REPORT, [a_saying()], NOW) == ([a_saying()], None)

    def test_what_was_said_is_not_said_again(self) -> None:
        said = after_saying(REPORT, a_saying(), NOW)
        assert due(said, [a_saying()], at(3600)) == ([], None)

    def test_another_state_is_said_at_once_and_other_words_after_a_while(self) -> None:
        said = after_saying(REPORT, a_saying(), NOW)
        done, words = a_saying("succeeded", "done"), a_saying(text="20 %")
        assert due(said, [done], at(1)) == ([done], None)
        assert due(said, [words], at(1)) == ([], NOW + WORDS_EVERY)
        assert due(said, [words], NOW + WORDS_EVERY) == ([words], None)

    def test_the_first_of_what_waits_is_looked_at_again(self) -> None:
        prod = a_saying(context="sluice/platform/prod")
        said = after_saying(after_saying(REPORT, prod, NOW), a_saying(), at(5))
        assert due(said, [a_saying(text="20 %"), replace(prod, text="20 %")], at(6)) == ([], NOW + WORDS_EVERY)

    def test_words_end_before_the_hosts_limit_and_states_do_not(self) -> None:
        said = after_saying(REPORT, a_saying(), NOW)
        worn = replace(said, said=(replace(said.said[0], times=WORDS_AT_MOST),))
        assert due(worn, [a_saying(text="20 %")], at(3600)) == ([], None)
        assert due(worn, [a_saying("failed")], at(3600))[0] == [a_saying("failed")]

    def test_a_deployment_is_told_its_states_only(self) -> None:
        said = after_saying(REPORT, a_saying(kind="deployment"), NOW)
        assert due(said, [a_saying(kind="deployment", text="20 %")], at(3600)) == ([], None)
        assert due(said, [a_saying("succeeded", kind="deployment")], at(1))[0] == [a_saying("succeeded", kind="deployment")]

    def test_what_is_doubtful_is_said_again(self) -> None:
        prod = a_saying(context="sluice/platform/prod")
        said = doubt(after_saying(after_saying(REPORT, a_saying(), NOW), prod, NOW), [a_saying()])
        assert due(said, [a_saying(), prod], at(1)) == ([a_saying()], None)
        assert due(doubt(said, []), [a_saying(), prod], at(1)) == ([a_saying()], None)
        assert due(after_saying(said, a_saying(), at(1)), [a_saying(), prod], at(2)) == ([], None)


def test_how_often_is_counted_and_the_hosts_own_id_is_kept() -> None:
    first = after_saying(REPORT, a_saying(kind="deployment"), NOW, reference="7")
    second = after_saying(first, a_saying("succeeded", kind="deployment"), at(1), error="422")
    (said,) = second.said
    assert (said.times, said.reference, said.error, said.at) == (2, "7", "422", at(1))
    assert last(second, a_saying(kind="status")) is None
    assert last(second, a_saying(kind="deployment")) == said


class TestTurns:
    def test_one_attempt_at_a_time(self) -> None:
        held = take(REPORT, ROLLOUT, NOW)
        assert held is not None
        assert take(held, ROLLOUT, at(1)) is None
        assert take(held, ROLLOUT, NOW + TURN_LASTS) is not None

    def test_who_has_little_time_left_stops(self) -> None:
        held = take(REPORT, ROLLOUT, NOW)
        assert held is not None
        assert may_go_on(held, NOW)
        assert not may_go_on(held, NOW + TURN_LASTS - timedelta(seconds=1))
        assert not may_go_on(REPORT, NOW)

    def test_the_newest_rollout_of_a_commit_speaks(self) -> None:
        newer = replace(ROLLOUT, id="rollout-2", created_at=at(60))
        assert not is_overtaken(REPORT, ROLLOUT)
        assert not is_overtaken(REPORT, newer)
        taken = take(REPORT, newer, at(61))
        assert taken is not None
        assert is_overtaken(taken, ROLLOUT)

    def test_a_message_that_wakes_another_rollout_wakes_none_but_it(self) -> None:
        waiting = replace(REPORT, wake_at=at(30))
        for rollout, wake_at in ((ROLLOUT, at(30)), (replace(ROLLOUT, id="rollout-2"), None)):
            taken = take(waiting, rollout, NOW)
            assert taken is not None
            assert taken.wake_at == wake_at


class TestFailures:
    @pytest.mark.parametrize(("attempts", "seconds"), [(0, 2), (3, 16), (60, 900)])
    def test_the_wait_doubles_up_to_a_limit(self, attempts: int, seconds: float) -> None:
        failed, again_at = after_failure(replace(REPORT, attempts=attempts), None, NOW)
        assert (failed.attempts, failed.failing_since, again_at) == (attempts + 1, NOW, at(seconds))

    def test_a_host_says_itself_when_to_come_back(self) -> None:
        assert after_failure(REPORT, 77, NOW)[1] == at(77)

    def test_after_a_day_it_is_given_up_and_what_comes_then_is_tried_anew(self) -> None:
        failed, _ = after_failure(REPORT, None, NOW)
        late = NOW + GIVE_UP_AFTER + timedelta(seconds=1)
        given_up, again_at = after_failure(failed, 5, late)
        assert (given_up.attempts, given_up.failing_since, again_at) == (0, None, None)
        assert after_failure(given_up, None, late)[1] == late + timedelta(seconds=2)

    def test_saying_something_ends_the_failing(self) -> None:
        failed, _ = after_failure(REPORT, None, NOW)
        said = after_saying(failed, a_saying(), at(1))
        assert (said.attempts, said.failing_since) == (0, None)

    def test_a_host_that_is_down_is_left_alone_until_then(self) -> None:
        failed, again_at = after_failure(REPORT, 60, NOW)
        waiting = replace(failed, wake_at=again_at)
        assert is_resting(waiting, at(59))
        assert not is_resting(waiting, at(60))
        assert not is_resting(failed, NOW)
        assert not is_resting(replace(waiting, failing_since=None), at(59))


@pytest.mark.parametrize(
    ("wake_at", "again_at", "needed"),
    [(None, 10, True), (5, 10, False), (10, 10, False), (20, 10, True), (-1, 10, True)],
)
def test_one_message_to_wake_is_enough(wake_at: float | None, again_at: float, *, needed: bool) -> None:
    report: CommitReport = replace(REPORT, wake_at=None if wake_at is None else at(wake_at))
    assert must_wake(report, at(again_at), NOW) is needed
