"""Whose turn it is to step a rollout."""

from itertools import pairwise

from builders import NOW, at
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.turns import TURN_LASTS, Turn, take

FREE = Turn(since=NOW)
LASTS = TURN_LASTS.total_seconds()


def test_a_free_turn_is_taken_for_a_while() -> None:
    assert take(FREE, at(5)) == (True, Turn(since=NOW, held_until=at(5 + LASTS)))


def test_whoever_comes_meanwhile_asks_the_holder_to_look_once_more() -> None:
    held = Turn(since=NOW, held_until=at(60))
    is_free, asked = take(held, at(59))
    assert (is_free, asked) == (False, Turn(since=NOW, held_until=at(60), is_asked_for=True))
    assert take(asked, at(59)) == (False, asked)


def test_a_holder_that_died_loses_its_turn() -> None:
    assert take(Turn(since=NOW, held_until=at(60), is_asked_for=True), at(60)) == (True, Turn(since=NOW, held_until=at(60 + LASTS)))


@given(st.lists(st.integers(0, 200), max_size=10))
def test_no_two_have_it_at_once(moments: list[int]) -> None:
    turn, taken = FREE, []
    for moment in sorted(moments):
        is_free, turn = take(turn, at(moment))
        taken += [moment] if is_free else []
    assert all(later - earlier >= LASTS for earlier, later in pairwise(taken))
