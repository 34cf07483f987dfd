"""One sweep at a time."""

from builders import NOW, at
from msgspec.structs import replace

from shared.domain.sweeps import Sweep, asked_since, finish, give_up, take


def test_a_turn_is_taken_once_and_lost_in_the_end() -> None:
    taken = take(Sweep(), "one", NOW)
    assert taken is not None
    assert (taken.number, taken.finished) == (1, 0)
    assert take(taken, "two", at(599)) is None
    overtaken = take(taken, "two", at(600))
    assert overtaken is not None
    assert (overtaken.number, overtaken.finished, overtaken.holder) == (2, 0, "two")


def test_a_sweep_that_ends_frees_the_turn() -> None:
    taken = replace(Sweep(), number=1, finished=0, holder="one", held_until=at(600), began_at=NOW)
    done = finish(taken, at(20))
    assert (done.finished, done.finished_at, done.holder) == (1, at(20), "")
    assert take(done, "two", at(21)) is not None
    failed = give_up(taken)
    assert (failed.finished, take(failed, "two", at(1)) is None) == (0, False)


def test_updates_are_read_from_before_the_sweep_that_read_them_last() -> None:
    assert asked_since(Sweep()) is None
    done = finish(Sweep(number=1, began_at=NOW), at(20))
    assert asked_since(done) == at(-900)
