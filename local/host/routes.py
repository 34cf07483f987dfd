"""Route templates as ASP.NET Core reads them: {id}, {id?}, {id=5}, {id:int}, {*rest}; the most literal template wins.

Source: learn.microsoft.com, "Routing in ASP.NET Core", route templates, constraints and precedence.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from local.host.errors import HostError

_PARAMETER: Final = re.compile(
    r"\{(?P<stars>\*{0,2})(?P<name>\w+)"
    r"(?P<constraints>(?::\w+(?:\((?:[^()]|\([^()]*\))*\))?)*)"
    r"(?:=(?P<default>[^}?]*))?(?P<optional>\?)?\}"
)
_CONSTRAINT: Final = re.compile(r":(\w+)(?:\(((?:[^()]|\([^()]*\))*)\))?")

Check = Callable[[str], bool]


def _parses(parse: Callable[[str], object]) -> Check:
    def check(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return check


def _is_integer_of(bits: int) -> Check:
    return lambda value: bool(re.fullmatch(r"[+-]?\d+", value)) and -(2 ** (bits - 1)) <= int(value) < 2 ** (bits - 1)


def _in_range(low: int, high: int) -> Check:
    return lambda value: _is_integer_of(64)(value) and low <= int(value) <= high


def _length(low: int, high: int) -> Check:
    return lambda value: low <= len(value) <= high


_HUGE: Final = 2**63
_PLAIN: Final[Mapping[str, Check]] = {
    "int": _is_integer_of(32),
    "long": _is_integer_of(64),
    "bool": lambda value: value.lower() in {"true", "false"},
    "guid": _parses(uuid.UUID),
    "alpha": lambda value: value.isascii() and value.isalpha(),
    "decimal": _parses(float),
    "double": _parses(float),
    "float": _parses(float),
    "datetime": _parses(datetime.fromisoformat),
    "required": bool,
}
_WITH_ARGUMENTS: Final[Mapping[str, Callable[[list[int]], Check]]] = {
    "min": lambda numbers: _in_range(numbers[0], _HUGE),
    "max": lambda numbers: _in_range(-_HUGE, numbers[0]),
    "range": lambda numbers: _in_range(numbers[0], numbers[1]),
    "length": lambda numbers: _length(numbers[0], numbers[-1]),
    "minlength": lambda numbers: _length(numbers[0], _HUGE),
    "maxlength": lambda numbers: _length(0, numbers[0]),
}


@dataclass(frozen=True)
class Route:
    """A compiled template. Routes sort by precedence: the lowest is tried first."""

    template: str
    precedence: tuple[int, ...]
    _pattern: re.Pattern[str]
    _checks: tuple[tuple[str, Check], ...]
    _defaults: Mapping[str, str]

    def match(self, raw_path: str) -> dict[str, str] | None:
        """The route parameters where `raw_path` (still percent-encoded, no leading slash) fits, else None."""
        found = self._pattern.fullmatch(_decode(raw_path.strip("/")))
        if found is None:
            return None
        given = {name: unquote(value) for name, value in found.groupdict().items() if value}
        if not all(check(given[name]) for name, check in self._checks if name in given):
            return None
        return {**self._defaults, **given}


def compile_route(template: str) -> Route:
    """Raises HostError where the template or one of its constraints cannot be read."""
    template = template.strip("/")
    parameters = list(_PARAMETER.finditer(template))
    if "{" in _PARAMETER.sub("", template) or "}" in _PARAMETER.sub("", template):
        raise HostError(f"route {template!r} cannot be read")
    checks = [
        (found["name"], _check(template, constraint[1], constraint[2]))
        for found in parameters
        for constraint in _CONSTRAINT.finditer(found["constraints"])
    ]
    defaults = {found["name"]: found["default"] for found in parameters if found["default"]}
    return Route(template, _precedence(template), _pattern(template), tuple(checks), defaults)


def _decode(raw_path: str) -> str:
    """Decodes all but %2F, which would otherwise become a separator; Kestrel does the same."""
    return unquote(re.sub("%2F", "%252F", raw_path, flags=re.IGNORECASE))


def _pattern(template: str) -> re.Pattern[str]:
    parts, end = [], 0
    for found in _PARAMETER.finditer(template):
        literal = template[end : found.start()]
        part = f"(?P<{found['name']}>{'.*' if found['stars'] else '[^/]+?'})"
        if found["stars"] or found["optional"] or found["default"]:
            slash = "/" if literal.endswith("/") else ""
            literal = literal.removesuffix("/")
            part = f"(?:{slash}{part})?"
        parts += [re.escape(literal), part]
        end = found.end()
    return re.compile("".join([*parts, re.escape(template[end:])]), re.IGNORECASE | re.DOTALL)


def _precedence(template: str) -> tuple[int, ...]:
    """One digit a segment: literal 1, constrained or mixed 2, parameter 3, constrained catch-all 4, catch-all 5."""
    without_slashes = _PARAMETER.sub(lambda found: found[0].replace("/", "_"), template)
    return tuple(_segment_precedence(segment) for segment in without_slashes.split("/"))


def _segment_precedence(segment: str) -> int:
    found = _PARAMETER.search(segment)
    if found is None:
        return 1
    if found["stars"]:
        return 4 if found["constraints"] else 5
    return 2 if found["constraints"] or found[0] != segment else 3


def _check(template: str, name: str, arguments: str | None) -> Check:
    try:
        if name == "regex" and arguments:
            pattern = re.compile(arguments.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
            return lambda value: pattern.search(value) is not None
        if arguments is not None:
            return _WITH_ARGUMENTS[name]([int(number) for number in arguments.split(",")])
        return _PLAIN[name]
    except (KeyError, IndexError, ValueError, re.error) as error:
        raise HostError(f"route {template!r}: the constraint {name} cannot be read") from error
