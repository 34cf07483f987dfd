"""Revisions as Flux writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.revisions import Revision, contains_commit, is_no_commit, parse_revision

SHA1 = "0ba6f0d3f9c1b4b5b5a2c3d4e5f60718293a4b5c"
SHA256 = SHA1 + "0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "name", "revision"),
    [
        (f"main@sha1:{SHA1}", "main", SHA1),
        (f"main/{SHA1}", "main", SHA1),
        (f"feature/blue@sha1:{SHA1}", "feature/blue", SHA1),
        (f"feature/blue/{SHA1}", "feature/blue", SHA1),
        (f"v1.2.3@sha1:{SHA1}", "v1.2.3", SHA1),
        (f"sha1:{SHA1}", "", SHA1),
        (f"latest@sha256:{SHA256}", "latest", SHA256),
        (f"sha256:{SHA256}", "", SHA256),
        (SHA1, "", SHA1),
        (f"  Main@sha1:{SHA1.upper()}\n", "Main", SHA1),
        (f"refs/heads/main@sha1:{SHA1}", "refs/heads/main", SHA1),
        (f"\u0130stanbul@sha1:{SHA1}", "\u0130stanbul", SHA1),
    ],
)
def test_every_way_in_which_flux_writes_a_revision_is_read(text: str, name: str, revision: str) -> None:
    assert parse_revision(text) == Revision(name=name, hash=revision)
    assert contains_commit(text, revision.upper())


@pytest.mark.parametrize(
    "text", [None, "", "main", "main@sha1:", f"main@sha1:{SHA1[:-1]}", f"main@md5:{SHA1}", f"x{SHA1}", f"main@sha1:{SHA1} "[:-2]]
)
def test_anything_else_is_no_revision(text: str | None) -> None:
    assert parse_revision(text) is None
    assert not contains_commit(text, SHA1)


def test_another_commit_is_not_the_asked_one() -> None:
    assert not contains_commit(f"main@sha1:{SHA1}", SHA1[::-1])


def test_a_branch_named_like_a_commit_is_not_that_commit() -> None:
    assert not contains_commit(f"{SHA1}@sha1:{SHA1[::-1]}", SHA1)


@given(st.text())
def test_any_text_is_read_or_not_but_never_an_error(text: str) -> None:
    revision = parse_revision(text)
    assert revision is None or (len(revision.hash) in (40, 64) and text.strip().startswith(revision.name))


def test_only_zeros_mean_no_commit() -> None:
    assert is_no_commit("0" * 40)
    assert is_no_commit("0" * 64)
    assert not is_no_commit("0" * 39 + "1")
