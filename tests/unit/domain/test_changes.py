"""The fact that a source moved to a revision, and the ref that it tells."""

import msgspec
import pytest
from builders import a_change, a_rollout

from shared.domain.changes import Change


@pytest.mark.parametrize(
    ("ref", "branch", "tag"),
    [
        ("refs/heads/main", "main", None),
        ("refs/heads/release/1.2", "release/1.2", None),
        ("refs/tags/v1", None, "v1"),
        ("refs/pull/1/head", None, None),
    ],
)
def test_a_ref_is_a_branch_or_a_tag_or_neither(ref: str, branch: str | None, tag: str | None) -> None:
    for moved in (a_change(ref=ref), a_rollout(ref=ref)):
        assert (moved.branch, moved.tag) == (branch, tag)


def test_a_change_that_was_stored_before_there_were_artifacts_is_of_a_repository() -> None:
    stored = msgspec.to_builtins(a_change())
    assert stored.pop("sourceKind") == "git"
    assert msgspec.convert(stored, Change) == a_change()
