"""A message on its way to a channel."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import NOW, at

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.channels import AT_THE_DOOR
from shared.domain.deliveries import (
    ATTEMPT_LASTS,
    GIVE_UP_AFTER,
    MOST_ANNOUNCEMENTS,
    POST_WITHIN,
    Delivery,
    add,
    after_failure,
    after_success,
    give_up,
    hand_over,
    has,
    may_take,
    parcel,
    resend,
    successor,
    take,
)
from shared.domain.errors import NotAllowed
from shared.domain.failures import Failure, FailureKind


def a_delivery(**fields: Any) -> Delivery:
    values: dict[str, Any] = {"id": "d", "channel": "c", "provider": "ops", "due_at": NOW, "created_at": NOW}
    return Delivery(**values | fields)


def an_announcement(name: str = "a") -> Announcement:
    return Announcement(id=name, kind="stage.failed", severity="error", title=name, summary="")


def test_announcements_collect_in_order() -> None:
    delivery = add(add(a_delivery(), an_announcement("a")) or a_delivery(), an_announcement("b"))
    assert delivery is not None
    assert [announcement.id for announcement in delivery.announcements] == ["a", "b"]


def test_the_same_announcement_twice_is_one() -> None:
    delivery = a_delivery(announcements=(an_announcement(),))
    assert add(delivery, an_announcement()) == delivery


def test_a_message_that_is_full_takes_no_more() -> None:
    delivery = a_delivery(announcements=tuple(an_announcement(str(number)) for number in range(MOST_ANNOUNCEMENTS)))
    assert add(delivery, an_announcement("one more")) is None
    assert add(delivery, an_announcement("7")) == delivery


def one_of_many(number: int, many: str = "reached baseline edge") -> Announcement:
    line = ClusterLine(name=f"cluster-{number}", reason="")
    return Announcement(id=f"a{number}", kind="cluster.onboarded", severity="info", title="1", summary="", clusters=(line,), many=many)


def test_what_is_told_of_many_clusters_is_one_announcement_that_counts_them() -> None:
    delivery: Delivery | None = a_delivery(announcements=(an_announcement("first"),))
    for number in [*range(30), 3, 29]:
        assert delivery is not None
        delivery = add(delivery, one_of_many(number))
    assert delivery is not None
    _, joined = delivery.announcements
    assert joined.title == "30 clusters reached baseline edge"
    assert ([line.name for line in joined.clusters], joined.more_clusters) == ([f"cluster-{n}" for n in range(25)], 5)
    assert all(has(delivery, f"a{number}") for number in range(30))
    assert not has(delivery, "a30")


def test_what_tells_another_thing_is_not_joined() -> None:
    delivery = add(a_delivery(announcements=(one_of_many(1),)), one_of_many(2, "reached baseline shop"))
    assert delivery is not None
    assert len(delivery.announcements) == 2


@pytest.mark.parametrize("closed", [{"state": "sent"}, {"state": "failed"}, {"held_until": at(60)}])
def test_nothing_is_added_to_what_is_closed_or_on_its_way(closed: dict[str, object]) -> None:
    assert add(a_delivery(**closed), an_announcement()) is None
    if "state" in closed:
        assert add(a_delivery(announcements=(an_announcement(),), **closed), an_announcement()) is None


def test_an_attempt_has_a_message_for_longer_than_it_may_take() -> None:
    assert take(a_delivery(), NOW).held_until == NOW + ATTEMPT_LASTS
    assert ATTEMPT_LASTS > POST_WITHIN + AT_THE_DOOR


def test_a_sent_message_is_free_and_counted() -> None:
    sent = after_success(a_delivery(held_until=at(60), attempts=2, error="Throttled"))
    assert (sent.state, sent.attempts, sent.error, sent.held_until) == ("sent", 3, "", None)


def failure(kind: FailureKind = "unavailable", retry_after: float | None = None) -> Failure:
    return Failure(text=kind, kind=kind, retry_after=retry_after)


def test_a_failed_attempt_waits_as_long_as_the_channel_asks() -> None:
    delivery, again_at = after_failure(a_delivery(held_until=at(60)), failure("throttled", 7.0), NOW)
    assert again_at == at(7)
    assert (delivery.state, delivery.held_until, delivery.error) == ("collecting", None, "throttled")
    assert delivery.failing_since == NOW
    assert after_failure(delivery, failure(), at(9))[0].failing_since == NOW


def waits(kind: FailureKind, *, count: int, repeats_show: bool = True) -> list[float]:
    delivery, found = a_delivery(), []
    for _ in range(count):
        delivery, again_at = after_failure(delivery, failure(kind), NOW, repeats_show=repeats_show)
        assert again_at is not None
        found.append((again_at - NOW).total_seconds())
    return found


def test_without_a_wish_of_the_channel_the_waits_double_up_to_a_quarter_of_an_hour() -> None:
    assert waits("unavailable", count=12) == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert waits("unanswered", count=3, repeats_show=False) == [2, 4, 8]


def test_a_message_that_may_be_shown_already_is_sent_at_most_eight_times_in_a_day() -> None:
    delivery, now, attempts = a_delivery(), NOW, 0
    again_at: datetime | None = NOW
    while again_at is not None:
        now, attempts = again_at, attempts + 1
        delivery, again_at = after_failure(delivery, failure("unanswered"), now)
    assert (attempts, delivery.unanswered, now) == (8, 8, NOW + GIVE_UP_AFTER)


@pytest.mark.parametrize("attempts", [0, 100, 5000])
def test_after_a_day_it_is_given_up(attempts: int) -> None:
    failed, again_at = after_failure(a_delivery(attempts=attempts), failure(), NOW + GIVE_UP_AFTER)
    assert (failed.attempts, again_at) == (attempts + 1, None)


def test_the_last_attempt_is_at_the_end_of_the_day() -> None:
    late = NOW + GIVE_UP_AFTER - timedelta(seconds=1)
    assert after_failure(a_delivery(attempts=50), failure(retry_after=3600), late)[1] == NOW + GIVE_UP_AFTER


def test_what_is_rejected_is_not_tried_again() -> None:
    assert after_failure(a_delivery(), failure("rejected"), NOW)[1] is None


def test_nothing_is_added_to_what_may_be_shown_already_or_was_asked_for_again() -> None:
    unanswered, _ = after_failure(a_delivery(announcements=(an_announcement(),)), failure("unanswered"), NOW)
    assert add(unanswered, an_announcement("b")) is None
    assert add(resend(give_up(a_delivery(), "down", NOW), NOW), an_announcement("b")) is None
    answered, _ = after_failure(a_delivery(), failure(), NOW)
    assert add(answered, an_announcement("b")) is not None


def test_the_fallback_gets_the_same_with_the_reason_and_the_same_id_each_time() -> None:
    tried, _ = after_failure(a_delivery(announcements=(an_announcement("a"), an_announcement("b"))), failure(), NOW)
    handed = hand_over(tried, "second", "Unavailable 503", at(60))
    assert (handed.state, handed.fallback, handed.ended_at) == ("handed-over", "second", at(60))
    following = successor(handed)
    assert following == successor(handed)
    assert (following.provider, following.state, following.due_at, following.attempts) == ("second", "collecting", at(60), 0)
    assert following.id != handed.id
    first, other = parcel(following).announcements
    assert first.summary == "The channel ops has not taken this message since 2026-11-23 12:00 UTC (Unavailable 503), so it comes here."
    assert other == an_announcement("b")
    third = successor(hand_over(following, "third", "Rejected 404", at(120)))
    assert [missed.provider for missed in third.missed] == ["ops", "second"]
    assert "UTC (Unavailable 503), and second has not taken" in parcel(third).announcements[0].summary
    assert [may_take(third, name) for name in ("ops", "second", "third", "fourth")] == [False, False, False, True]


def test_a_message_at_its_first_channel_is_as_it_was_told() -> None:
    assert parcel(a_delivery(announcements=(an_announcement(),))).announcements == (an_announcement(),)


def test_what_was_given_up_begins_anew_when_someone_asks() -> None:
    given_up = give_up(a_delivery(attempts=9, unanswered=2, held_until=at(5)), "Rejected 404", at(10))
    assert (given_up.state, given_up.error, given_up.ended_at, given_up.held_until) == ("failed", "Rejected 404", at(10), None)
    again = resend(given_up, at(99))
    assert (again.id, again.state, again.attempts, again.unanswered, again.due_at, again.resends) == ("d", "collecting", 0, 0, at(99), 1)
    assert successor(hand_over(again, "x", "", NOW)).id != successor(hand_over(given_up, "x", "", NOW)).id


@pytest.mark.parametrize(
    ("state", "reason"),
    [("collecting", "on its way"), ("sent", "has taken it"), ("handed-over", "it went to second instead")],
)
def test_what_was_not_given_up_is_not_sent_again(state: str, reason: str) -> None:
    with pytest.raises(NotAllowed, match=reason):
        resend(a_delivery(state=state, fallback="second"), NOW)
