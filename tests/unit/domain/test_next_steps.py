"""What people can do about what they are told."""

from shared.domain.next_steps import next_step


def test_a_kind_that_asks_for_nothing_has_no_step() -> None:
    assert next_step("stage.succeeded") == next_step("no.such-kind") == ""


def test_a_failure_has_one() -> None:
    assert "new commit" in next_step("stage.failed")
