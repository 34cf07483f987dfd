"""What is new, what was seen, what came too late."""

import pytest
from builders import a_change, at, sha
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.changes import Change
from shared.domain.ledger import Head, head_id, judge, move

EMPTY = Head(id=head_id("refs/heads/main"), source="source")


def deliver(head: Head, *changes: Change) -> Head:
    for change in changes:
        if judge(head, change) == "accept":
            head = move(head, change, change.received_at)
    return head


def a_force_push(number: int, before: int, revision: int) -> Change:
    return a_change(number, before=sha(before), revision=sha(revision), forced=True)


def test_the_first_change_of_a_ref_is_accepted() -> None:
    assert judge(EMPTY, a_change(1)) == "accept"


def test_the_change_that_moved_the_head_is_known_again() -> None:
    assert judge(deliver(EMPTY, a_change(1)), a_change(1)) == "again"


def test_the_next_push_is_accepted_whatever_its_clock_says() -> None:
    assert judge(deliver(EMPTY, a_change(1)), a_change(2, pushed_at=at(-60))) == "accept"


def test_a_push_after_a_gap_is_accepted_when_it_is_younger() -> None:
    assert judge(deliver(EMPTY, a_change(1)), a_change(5)) == "accept"


def test_a_push_after_a_gap_is_stale_when_it_is_older() -> None:
    assert judge(deliver(EMPTY, a_change(5)), a_change(2)) == "stale"


def test_the_same_revision_under_another_delivery_is_stale() -> None:
    assert judge(deliver(EMPTY, a_change(1)), a_change(1, delivery="replayed", pushed_at=at(99))) == "stale"


def test_the_push_just_before_the_head_is_stale_whatever_its_clock_says() -> None:
    assert judge(deliver(EMPTY, a_change(2)), a_change(1, pushed_at=at(99))) == "stale"


def test_a_force_push_back_to_an_old_commit_is_followed() -> None:
    head = deliver(EMPTY, a_change(1), a_change(2), a_force_push(3, before=2, revision=1))
    assert head.revision == sha(1)


def test_a_push_that_was_forced_away_does_not_come_back_with_its_second_message() -> None:
    head = deliver(EMPTY, a_change(1), a_change(2), a_force_push(3, before=2, revision=1))
    assert judge(head, a_change(2)) == "stale"
    assert judge(head, a_change(2, delivery="replayed")) == "stale"


def test_a_push_after_a_force_push_is_followed() -> None:
    head = deliver(EMPTY, a_change(1), a_change(2), a_force_push(3, before=2, revision=1))
    again = a_change(4, before=sha(1), revision=sha(2))
    assert deliver(head, again).revision == sha(2)


def test_a_deleted_ref_has_no_revision_and_may_be_made_again() -> None:
    deleted = a_change(2, kind="deleted", revision="")
    made = a_change(3, kind="created", before="", revision=sha(1))
    assert deliver(EMPTY, a_change(1), deleted).revision == ""
    assert deliver(EMPTY, a_change(1), deleted, made).revision == sha(1)


def test_a_late_creation_does_not_bring_a_deleted_ref_back() -> None:
    created = a_change(1, kind="created", before="")
    head = deliver(EMPTY, a_change(2), a_change(3, kind="deleted", before=sha(2), revision=""))
    assert judge(head, created) == "stale"


def test_the_order_number_grows_even_when_the_clock_goes_back() -> None:
    first = move(EMPTY, a_change(1), at(10))
    second = move(first, a_change(2), at(-10))
    assert second.sequence == first.sequence + 1


def test_the_head_remembers_a_bounded_number_of_former_revisions() -> None:
    head = deliver(EMPTY, *(a_change(number) for number in range(1, 200)))
    assert len(head.lineage) == 64
    assert head.lineage[-1] == sha(198)


def test_the_head_keeps_the_rollouts_that_go_on() -> None:
    head = Head(id="head", source="source", rollouts=("rollout-1",))
    assert move(head, a_change(1), at(1)).rollouts == ("rollout-1",)


@pytest.mark.parametrize(("one", "other"), [("refs/heads/main", "refs/heads/Main"), ("refs/heads/v1", "refs/tags/v1")])
def test_every_ref_has_a_head_of_its_own(one: str, other: str) -> None:
    assert head_id(one) != head_id(other)


@given(
    st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.permutations(range(1, n + 1)), st.lists(st.integers(1, n), max_size=20)))
)
def test_deliveries_in_any_order_and_number_end_at_the_newest_revision(case: tuple[int, list[int], list[int]]) -> None:
    newest, order, repeated = case
    head, revisions = EMPTY, []
    for number in [*order, *repeated]:
        head = deliver(head, a_change(number))
        revisions.append(int(head.revision, 16))
    assert head.revision == sha(newest)
    assert revisions == sorted(revisions)


@given(st.permutations(range(1, 7)), st.lists(st.integers(1, 6), max_size=8), st.integers(2, 6), st.data())
def test_a_force_push_back_is_followed_whatever_comes_late_or_twice(
    order: list[int], repeated: list[int], at_push: int, data: st.DataObject
) -> None:
    """History: commits 1 to `at_push` - 1, then back to an earlier one, then new commits on top of it."""
    back_to = data.draw(st.integers(0, at_push - 2))
    history = {number: a_change(number) for number in range(1, 7)}
    history[at_push] = a_force_push(at_push, before=at_push - 1, revision=back_to)
    if at_push < 6:
        history[at_push + 1] = a_change(at_push + 1, before=sha(back_to))
    head = deliver(EMPTY, *(history[number] for number in [*order, *repeated]))
    assert head.revision == history[6].revision


def an_artifact(number: int, digest: str, seconds: int) -> Change:
    return a_change(number, ref="refs/tags/latest", before="", revision=digest * 64, pushed_at=at(seconds), source_kind="oci")


def test_a_tag_in_a_registry_may_be_set_back_to_what_it_was_at() -> None:
    head = deliver(EMPTY, an_artifact(1, "a", 1), an_artifact(2, "b", 2))
    assert deliver(head, an_artifact(3, "a", 3)).revision == "a" * 64


def test_an_artifact_that_was_pushed_before_the_head_comes_too_late() -> None:
    head = deliver(EMPTY, an_artifact(2, "b", 2))
    assert judge(head, an_artifact(1, "a", 1)) == "stale"
    assert judge(deliver(head, an_artifact(3, "a", 3)), an_artifact(2, "b", 2)) == "stale"


def test_the_same_artifact_told_twice_is_one_push() -> None:
    head = deliver(EMPTY, an_artifact(1, "a", 1))
    assert judge(head, an_artifact(2, "a", 2)) == "stale"


def test_a_deleted_tag_may_be_pushed_again() -> None:
    deleted = a_change(2, ref="refs/tags/latest", before="", revision="", kind="deleted", pushed_at=at(2), source_kind="oci")
    head = deliver(EMPTY, an_artifact(1, "a", 1), deleted)
    assert head.revision == ""
    assert deliver(head, an_artifact(3, "a", 3)).revision == "a" * 64
