"""A message that is kept up to date, and the thread below it."""

from datetime import timedelta

from builders import NOW, at
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.announcements import Announcement
from shared.domain.conversations import (
    COUNTS_EVERY,
    GIVE_UP_AFTER,
    TURN_LASTS,
    Conversation,
    Place,
    after_failed_edit,
    after_telling,
    conversation_id,
    due_at,
    edited,
    found,
    is_resting,
    lost,
    must_wake,
    not_opened,
    opened,
    released,
    take,
    untold,
)

NEW = Conversation(id="c")
HEAD = Place(channel="C1", ts="1.0")
OPEN = opened(NEW, HEAD, "shown", "milestone", NOW)


def an_announcement(name: str, *others: str) -> Announcement:
    return Announcement(id=name, kind="k", severity="info", title="", summary="", others=others)


def test_a_conversation_is_of_one_provider_and_subject() -> None:
    assert len({conversation_id("a", "bc"), conversation_id("ab", "c"), conversation_id("a", "b")}) == 3


def test_one_attempt_has_it_until_it_lets_go_or_its_turn_is_over() -> None:
    held = take(NEW, NOW)
    assert held
    assert held.opening_since == NOW
    assert take(held, at(1)) is None
    after = take(held, NOW + TURN_LASTS)
    assert after
    assert after.opening_since == NOW  # since when a head may stand there unknown
    assert take(released(held), at(1))
    with_head = take(OPEN, at(1))
    assert with_head
    assert with_head.opening_since is None


def test_a_head_is_edited_when_it_should_show_something_else() -> None:
    assert due_at(NEW, "shown", "milestone", NOW) is None
    assert due_at(after_telling(NEW, [an_announcement("a")]), "shown", "milestone", NOW) == NOW
    assert due_at(OPEN, "shown", "milestone", at(99)) is None
    assert due_at(OPEN, "more", "milestone", at(1)) == NOW + COUNTS_EVERY
    assert due_at(OPEN, "more", "milestone", at(99)) == at(99)
    assert due_at(OPEN, "more", "paused", at(1)) == at(1)
    assert due_at(found(NEW, HEAD), "shown", "", at(1)) == at(1)


def test_a_lost_head_is_made_anew() -> None:
    gone = lost(OPEN)
    assert (gone.head, gone.shown, gone.shown_at) == (None, "", None)
    assert not_opened(replace(NEW, opening_since=NOW)).opening_since is None


def test_what_was_told_is_not_told_again() -> None:
    told = after_telling(after_telling(OPEN, [an_announcement("a", "b")]), [an_announcement("a"), an_announcement("c")])
    assert told.told == ("a", "b", "c")
    assert [each.id for each in untold(told, [an_announcement("b"), an_announcement("d")])] == ["d"]


@given(names=st.lists(st.text(max_size=3), max_size=400))
def test_no_more_is_remembered_than_can_come_twice(names: list[str]) -> None:
    told = after_telling(NEW, [an_announcement(name) for name in names]).told
    assert len(told) <= 300
    assert not names or told[-1] in names


def test_a_channel_that_is_down_is_left_alone_for_a_while_and_in_the_end() -> None:
    failed, again_at = after_failed_edit(OPEN, None, NOW)
    assert (failed.attempts, failed.failing_since, again_at) == (1, NOW, at(2))
    assert after_failed_edit(failed, None, NOW)[1] == at(4)
    assert after_failed_edit(failed, 30, NOW)[1] == at(30)
    assert after_failed_edit(replace(failed, attempts=99), None, NOW)[1] == at(900)
    given_up, never = after_failed_edit(failed, None, NOW + GIVE_UP_AFTER + timedelta(seconds=1))
    assert (given_up.failing_since, never) == (None, None)
    resting = replace(failed, wake_at=at(2))
    assert [is_resting(each, at(1)) for each in (resting, failed, replace(OPEN, wake_at=at(2)))] == [True, False, False]
    assert not is_resting(resting, at(2))
    mended = edited(resting, "more", "milestone", at(2))
    assert (mended.attempts, mended.failing_since, mended.shown, mended.shown_at) == (0, None, "more", at(2))


def test_one_message_is_enough_to_look_again() -> None:
    waiting = replace(OPEN, wake_at=at(10))
    assert not must_wake(waiting, at(10), at(5))
    assert must_wake(waiting, at(9), at(5))
    assert must_wake(waiting, at(20), at(10))
    assert must_wake(OPEN, at(20), at(10))
