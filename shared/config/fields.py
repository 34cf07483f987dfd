"""What the fields of sluice.yaml may hold, and the base of its sections."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.domain.pace import Limit
from shared.domain.templates import NAME_PATTERN

Problem = tuple[str, str]  #: path as msgspec writes it ($.routes[0].strategy), and reason

# `$(?!\n)`: Python's `$` also matches before a last line feed, which a block scalar (`|`) leaves. \Z is unknown to editors' JSON Schema.
Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$(?!\n)", description="lower-case letters, digits and hyphens")]
Duration = Annotated[
    str, Meta(pattern=r"^([0-9]{1,5}(\.[0-9]+)?(ms|s|m|h|d)){1,5}$(?!\n)", description="for example 90s, 10m, 1h30m, 2d", examples=["10m"])
]
Reference = Annotated[
    str,
    Meta(
        pattern=r"^(kv://[A-Za-z0-9-]+/[A-Za-z0-9-]+(/[A-Za-z0-9]+)?|env://SLUICE_SECRET_[A-Z0-9_]+)$(?!\n)",
        description="a secret: kv://vault/name or env://SLUICE_SECRET_NAME",
        examples=["kv://sluice/github-platform"],
    ),
]
Rate = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,4}/[smh]$(?!\n)", description="so many a second, minute or hour", examples=["600/m"])]
Variable = Annotated[str, Meta(pattern=NAME_PATTERN, description="a name that Flux's post-build substitution takes", examples=["SITE"])]
Template = Annotated[str, Meta(description="text with {cluster}, {clusterId}, {location}, {tags.site} or {tags.site:default} in it")]
Percentage = Annotated[str, Meta(pattern=r"^(100|[1-9][0-9]?)%$(?!\n)", examples=["25%"])]
Count = Annotated[int, Meta(ge=0)]

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Section(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of every section."""


def seconds(duration: str) -> float:
    """The length of a duration in seconds."""
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", duration))


def twice(path: str, listed: Sequence[str]) -> Iterator[Problem]:
    """A problem for each item that stood in the list before."""
    for index, item in enumerate(listed):
        if item in listed[:index]:
            yield f"{path}[{index}]", f"{item} stands here twice"


def limit(rate: str) -> Limit:
    """The token bucket that a rate means: all of it at once, then evenly."""
    count, _, unit = rate.partition("/")
    return Limit(burst=int(count), per_second=int(count) / _UNITS[unit])


def share(of: int | str, total: int) -> int:
    """A number as it is, a percentage of `total` rounded down."""
    return of if isinstance(of, int) else total * int(of.removesuffix("%")) // 100
