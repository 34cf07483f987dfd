"""CEL over an event's fields, as a Flux Receiver's resourceFilter is written (fluxcd.io, notification API v1). Pure; the interpreter
(cel-python) is imported with the first expression.

The language is https://github.com/google/cel-spec, in the subset that cel-python 0.5 knows; `matches` runs on RE2, whose time is
linear in the text, so that no text from outside can hold an instance up.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from shared.domain.announcements import Field
from shared.domain.errors import Malformed
from shared.domain.event_fields import FIELDS

if TYPE_CHECKING:
    from celpy.evaluation import CELEvalError

MAX_EXPRESSION = 2000
#: missing: it asks for a tag that the event does not have. broken: it cannot be computed for this event.
Outcome = Literal["yes", "no", "missing", "broken"]

_EVENT = "event"
_TOO_DEEP = "nested too deeply"
#: Their first argument names a variable.
_MACROS = frozenset({"all", "exists", "exists_one", "filter", "map"})
_METHODS = frozenset({"contains", "endsWith", "matches", "size", "startsWith", *_MACROS})
_TYPES = frozenset({"bool", "double", "int", "list", "map", "null_type", "string", "timestamp", "duration", "uint"})
_FUNCTIONS = frozenset({"has", "matches", "size", "type", "dyn", *_TYPES})
#: What an expression is tried on before it is accepted. Its numbers are like no others, so that none is divided by zero by chance.
_SAMPLE: dict[str, Field] = {
    name: 1000 + index if described.empty == 0 else described.empty for index, (name, described) in enumerate(FIELDS.items())
} | {"at": "2026-01-01T00:00:00Z"}


class Answer(NamedTuple):
    """What an expression says of an event."""

    outcome: Outcome
    trouble: str = ""  #: why it is broken


class Expression:
    """One that compiles, and that asks only for fields that there are."""

    def __init__(self, text: str) -> None:
        import celpy
        from celpy.celparser import CELParseError

        if len(text) > MAX_EXPRESSION:
            raise Malformed(f"longer than {MAX_EXPRESSION} characters")
        environment = celpy.Environment()
        try:
            tree = environment.compile(text)
            problem = next(_problems(tree), "")
            self._program = environment.program(tree)
            problem = problem or self._ask(_SAMPLE).trouble
        except CELParseError as error:
            raise Malformed(f"not valid CEL: line {error.line or 1}, column {error.column or 1} of the expression") from None
        except RecursionError:
            raise Malformed(_TOO_DEEP) from None
        if problem:
            raise Malformed(problem)

    def __call__(self, event: dict[str, Field]) -> Answer:
        try:
            return self._ask(event)
        except RecursionError:
            return Answer("broken", _TOO_DEEP)

    def _ask(self, event: dict[str, Field]) -> Answer:
        from celpy import celtypes
        from celpy.adapter import json_to_cel
        from celpy.evaluation import CELEvalError

        try:
            result = self._program.evaluate({_EVENT: json_to_cel(event)})
        except CELEvalError as error:
            return _failed(error)
        if not isinstance(result, celtypes.BoolType):
            return Answer("broken", "gives a value that is neither true nor false")
        return Answer("yes" if result else "no")


def _failed(error: "CELEvalError") -> Answer:
    cause = error.args[1] if len(error.args) > 1 else None
    if cause is KeyError:  # names are known: what is missing is a key of a map
        return Answer("missing")
    name = getattr(cause, "__name__", "")
    known = {"TypeError": "compares or joins values of different types", "ZeroDivisionError": "divides by zero"}
    return Answer("broken", known.get(name, f"cannot be computed ({name})"))


@lru_cache(maxsize=256)
def expression(text: str) -> Expression:
    """Compiled once, however often a configuration is used. Raises Malformed with the reason."""
    return Expression(text)


def _problems(tree: Any) -> Iterator[str]:
    """Names that nothing has. An expression over them would never be true, and its alert never be heard."""
    variables = {_EVENT, *_TYPES, *_variables(tree)}
    for node in tree.iter_subtrees_topdown():
        names = [str(child) for child in node.children if getattr(child, "type", "") == "IDENT"]
        match node.data:
            case "ident" | "dot_ident" if names[0] not in variables:
                yield f"there is no {names[0]}; an expression sees event, for example event.type"
            case "ident_arg" | "dot_ident_arg" if names[0] not in _FUNCTIONS:
                yield f"there is no function {names[0]}"
            case "member_dot_arg" if names[0] not in _METHODS:
                yield f"there is no function {names[0]}"
            case "member_dot" if _is_event(node.children[0]) and names[0] not in FIELDS:
                yield f"an event has no {names[0]}; it has {', '.join(FIELDS)}"
            case "member_index" if _is_event(node.children[0]):
                yield "a field of an event is written with a dot: event.type"
            case "member_object":
                yield "an expression makes no objects"


def _variables(tree: Any) -> Iterator[str]:
    """Those that macros bind: `event.tags.exists(name, name == "site")`."""
    for node in tree.find_data("member_dot_arg"):
        if str(node.children[1]) in _MACROS and len(node.children) > 2:
            yield from (str(found.children[0]) for found in list(node.children[2].children[0].find_data("ident"))[:1])


def _is_event(member: Any) -> bool:
    """Whether this is `event` itself."""
    while len(member.children) == 1 and hasattr(member.children[0], "children"):
        member = member.children[0]
    return bool(member.data == "ident" and str(member.children[0]) == _EVENT)
