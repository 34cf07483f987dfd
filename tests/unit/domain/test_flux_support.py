"""Which Flux extensions are supported."""

import pytest

from shared.domain.flux_support import NEWEST, is_supported, newest


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.24.1", True),
        ("1.22.0", True),
        ("1.21.9", False),
        ("1.9.0", False),
        ("0.99.0", False),
        ("2.0.0", True),
        ("1.22", True),
        ("", True),
    ],
)
def test_the_newest_three_are(version: str, expected: bool) -> None:
    assert is_supported(version, (1, 24)) is expected


def test_what_is_no_version_is_not_judged() -> None:
    assert is_supported("", (1, 24))


def test_the_fleet_may_know_a_newer_release() -> None:
    assert newest([]) == NEWEST
    assert newest(["1.20.1", "1.27.0", "no version"]) == (1, 27)
