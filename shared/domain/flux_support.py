"""Which versions of the microsoft.flux extension Microsoft supports."""

import re
from collections.abc import Iterable

#: The newest release when this was written; a newer one that any cluster of the fleet runs takes its place.
NEWEST = (1, 24)
#: "the most recent version and the two versions before it" (learn.microsoft.com, Arc: GitOps Flux release notes).
_SUPPORTED_BEFORE = 2
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})(?:\.|$)", re.ASCII)


def minor(version: str) -> tuple[int, int] | None:
    """Major and minor number; None where it is no version."""
    match = _VERSION.match(version)
    return (int(match[1]), int(match[2])) if match else None


def newest(versions: Iterable[str]) -> tuple[int, int]:
    """The newest release that is known: of the fleet's Stable extensions, and NEWEST."""
    return max([NEWEST, *(found for found in map(minor, versions) if found)])


def is_supported(version: str, newest_release: tuple[int, int]) -> bool:
    """Whether a version is among the newest three. What is no version is not judged."""
    found = minor(version)
    return found is None or found >= (newest_release[0], newest_release[1] - _SUPPORTED_BEFORE)
