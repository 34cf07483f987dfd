"""Versions in tags, and ranges of them (semver.org; ranges as npm writes them, which Flux's are close to)."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from shared.domain.errors import Malformed

if TYPE_CHECKING:
    from semantic_version import NpmSpec, Version

_NOT_A_RANGE = "not a range of versions, for example >=1.2 <2, ^1.2, ~1.2.3, 1.x or 1.2 - 1.4, with || between alternatives"
_MAX_LENGTH = 256
_AFTER_OPERATOR = re.compile(r"([<>=~^])\s+")
_PREFIX = re.compile(r"(?<![\w.+-])v(?=\d)")


def check_range(text: str) -> None:
    """Raises Malformed when the text is not a range of versions."""
    _range(text)


def admits(text: str, tag: str) -> bool:
    """Whether a tag is a version within the range `text`. A pre-release is, where the range names one of the same version."""
    version = _version(tag)
    return version is not None and bool(_range(text).match(version))


def is_lower(tag: str, than: str) -> bool:
    """Whether both tags are versions, and the first is the lower one. Build metadata says nothing about the order (semver.org, 10)."""
    version, other = _version(tag), _version(than)
    return version is not None and other is not None and bool(version < other)


@lru_cache(maxsize=64)
def _range(text: str) -> "NpmSpec":
    """Flux's commas mean the same as npm's blanks, a blank after an operator and a `v` before a number mean nothing."""
    from semantic_version import NpmSpec

    plain = _PREFIX.sub("", _AFTER_OPERATOR.sub(r"\1", text.replace(",", " ")))
    alternatives = [" ".join(part.split()) for part in plain.split("||")]
    if len(text) > _MAX_LENGTH or not all(alternatives):  # npm reads nothing at all as everything
        raise Malformed(_NOT_A_RANGE)
    try:
        return NpmSpec(" || ".join(alternatives))
    except ValueError:
        raise Malformed(_NOT_A_RANGE) from None


@lru_cache(maxsize=4096)
def _version(tag: str) -> "Version | None":
    """Three numbers with or without a `v`, as Flux reads them (github.com/fluxcd/pkg/version)."""
    from semantic_version import Version

    if len(tag) > _MAX_LENGTH or not tag.isprintable():  # the parser lets a line feed at the end pass
        return None
    try:
        return Version(tag.removeprefix("v"))
    except ValueError:
        return None
