"""A message on its way to a channel."""

from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, at

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.deliveries import (
    ATTEMPT_LASTS,
    GIVE_UP_AFTER,
    MOST_ANNOUNCEMENTS,
    Delivery,
    add,
    after_failure,
    after_success,
    has,
    take,
)


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


def test_one_attempt_at_a_time_has_a_message() -> None:
    held = take(a_delivery(), NOW)
    assert held is not None
    assert take(held, NOW + ATTEMPT_LASTS - timedelta(seconds=1)) is None
    again = take(held, NOW + ATTEMPT_LASTS)
    assert again is not None
    assert again.held_until == NOW + 2 * ATTEMPT_LASTS


def test_a_sent_message_is_free_and_counted() -> None:
    sent = after_success(a_delivery(held_until=at(60), attempts=2, error="Throttled"))
    assert (sent.state, sent.attempts, sent.error, sent.held_until) == ("sent", 3, "", None)


def test_a_failed_attempt_waits_as_long_as_the_channel_asks() -> None:
    delivery, again_at = after_failure(a_delivery(held_until=at(60)), "Throttled", 7.0, NOW)
    assert again_at == at(7)
    assert (delivery.state, delivery.held_until, delivery.error) == ("collecting", None, "Throttled")


def test_without_a_wish_of_the_channel_the_waits_double_up_to_a_quarter_of_an_hour() -> None:
    delivery, waits = a_delivery(), []
    for _ in range(12):
        delivery, again_at = after_failure(delivery, "Unavailable", None, NOW)
        assert again_at is not None
        waits.append((again_at - NOW).total_seconds())
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


@pytest.mark.parametrize("attempts", [0, 100, 5000])
def test_after_a_day_it_is_given_up(attempts: int) -> None:
    delivery, again_at = after_failure(a_delivery(attempts=attempts), "Unavailable", None, NOW + GIVE_UP_AFTER + timedelta(seconds=1))
    assert (delivery.state, again_at) == ("failed", None)


def test_at_a_day_sharp_it_is_not() -> None:
    assert after_failure(a_delivery(), "Unavailable", None, NOW + GIVE_UP_AFTER)[0].state == "collecting"
