"""Versions in tags, and ranges of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Malformed
from shared.domain.versions import admits, check_range, is_lower


@pytest.mark.parametrize(
    ("text", "tag", "expected"),
    [
        (">=1.2 <2", "1.2.0", True),
        (">=1.2 <2", "v1.9.9", True),
        (">=1.2 <2", "v2.0.0", False),
        (">=1.2, <2", "v1.9.9", True),
        (">= 1.2,< 2", "v1.1.9", False),
        (">=v1.2", "1.3.0", True),
        ("^1.2", "1.9.0", True),
        ("^1.2", "2.0.0", False),
        ("~1.2.3", "1.2.9", True),
        ("~1.2.3", "1.3.0", False),
        ("1.x", "1.0.0", True),
        ("*", "0.0.1", True),
        ("1.2 - 1.4", "1.4.9", True),
        ("1.2 - 1.4", "1.5.0", False),
        ("^1.2 || ^3", "3.1.4", True),
        ("1.2.3", "v1.2.3", True),
        ("1.2.3", "1.2.3+build.7", True),
        (">=1.2", "1.3.0-rc.1", False),
        (">=1.3.0-0", "1.3.0-rc.1", True),
        (">=1.3.0-0", "1.4.0-rc.1", False),
        ("*", "latest", False),
        ("*", "", False),
        ("*", "1.2", False),
        ("*", "vv1.2.3", False),
        ("*", "V1.2.3", False),
        ("*", "01.2.3", False),
        ("*", "1.2.3\n", False),
        ("*", "1.2." + "3" * 300, False),
        ("*", "1.2.3-" + "a" * 300, False),
    ],
)
def test_a_tag_counts_when_it_is_a_version_in_the_range(text: str, tag: str, expected: bool) -> None:
    assert admits(text, tag) is expected


@pytest.mark.parametrize(
    "text", ["", "  ", ",", ">=1 ||", "|| >=1", "|", "latest", "!=1", "~>1", "==1", ">=1.2 <", "1.2.3.4", ">=1.2\n<2x", "1 " * 200, "ü"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="not a range of versions"):
        check_range(text)


@given(st.text(max_size=300))
def test_any_text_is_a_range_or_refused(text: str) -> None:
    try:
        check_range(text)
    except Malformed:
        return
    assert admits(text, "1.2.3") in (True, False)


@pytest.mark.parametrize(
    ("tag", "than", "expected"),
    [
        ("v1.2.3", "v1.10.0", True),
        ("1.2.3", "v1.2.4", True),
        ("1.2.3-rc.1", "1.2.3", True),
        ("1.2.3", "1.2.3", False),
        ("1.2.4", "1.2.3", False),
        ("1.2.3+a", "1.2.3+b", False),
        ("1.2.3", "stable", False),
        ("stable", "1.2.3", False),
        ("1.2.3", "", False),
    ],
)
def test_only_versions_are_lower_than_others(tag: str, than: str, expected: bool) -> None:
    assert is_lower(tag, than) is expected
