"""Version ranges over tags, in the form Flux's `semver` reference takes (Masterminds/semver): `1.x`, `>=1.2 <2`, `^1.2`, `~1.2.3`."""

import re

Version = tuple[int, int, int]
_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?P<pre>-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_CLAUSE = re.compile(r"(>=|<=|!=|>|<|=|\^|~)?\s*v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?")


def highest(tags: list[str], constraint: str) -> str | None:
    """The tag of the highest release that the range admits; pre-releases are never chosen."""
    releases = [(version, tag) for tag in tags if (version := _version(tag)) and admits(constraint, version)]
    return max(releases)[1] if releases else None


def admits(constraint: str, version: Version) -> bool:
    """Clauses beside each other must all hold, those between `||` are alternatives.

    >>> admits(">=1.2 <2.0 || ^3.1", (3, 4, 0)), admits("~1.2.3", (1, 3, 0))
    (True, False)
    """
    return any(
        all(_holds(clause, version) for clause in _CLAUSE.finditer(alternative)) and _CLAUSE.search(alternative)
        for alternative in constraint.split("||")
    )


def _version(tag: str) -> Version | None:
    match = _VERSION.fullmatch(tag)
    if match is None or match["pre"]:
        return None
    return int(match[1]), int(match[2] or 0), int(match[3] or 0)


def _holds(clause: re.Match[str], version: Version) -> bool:
    operator, *texts = clause.groups()
    given = [int(text) for text in texts if text and text.isdigit()]
    padded = [*given, 0, 0, 0]
    low: Version = (padded[0], padded[1], padded[2])
    match operator:
        case ">=":
            return version >= low
        case ">":
            return version >= _next(given) if len(given) < 3 else version > low
        case "<":
            return version < low
        case "<=":
            return version < _next(given) if len(given) < 3 else version <= low
        case "!=":
            return not low <= version < _next(given)
        case "^":
            return low <= version < _next(given[: _first_nonzero(given) + 1])
        case "~":
            return low <= version < _next(given[:2])
        case _:
            return not given or low <= version < _next(given)


def _first_nonzero(given: list[int]) -> int:
    return next((index for index, number in enumerate(given) if number), len(given) - 1)


def _next(given: list[int]) -> Version:
    """The first version after all that start with these numbers."""
    raised = [*given[:-1], given[-1] + 1, 0, 0, 0]
    return raised[0], raised[1], raised[2]
