"""Functions and their bindings as the worker library describes them, and which of those this host can serve."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.host.errors import UnsupportedBindingError

HTTP, QUEUE, TIMER, EVENT_GRID = "httpTrigger", "queueTrigger", "timerTrigger", "eventGridTrigger"
TRIGGERS: Final = frozenset({HTTP, QUEUE, TIMER, EVENT_GRID})
OUTPUTS: Final = frozenset({"http", "queue"})
# learn.microsoft.com, "Naming Queues and Metadata"
_QUEUE_NAME: Final = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Binding:
    """One entry of a function's bindings; `properties` is the whole JSON object, %NAME% already resolved."""

    name: str
    type: str
    direction: str
    properties: Mapping[str, Any]

    def text(self, name: str, default: str = "") -> str:
        return str(self.properties.get(name) or default)


@dataclass(frozen=True)
class Function:
    """An indexed function: exactly one trigger, any number of outputs."""

    name: str
    id: str
    trigger: Binding
    outputs: tuple[Binding, ...]
    is_disabled: bool = False

    @property
    def bindings(self) -> list[Mapping[str, Any]]:
        return [self.trigger.properties, *(output.properties for output in self.outputs)]


def build_function(name: str, function_id: str, bindings: list[Binding], *, is_disabled: bool) -> Function:
    """Checks that every binding is one that this host carries out; UnsupportedBindingError names the one that is not."""
    for binding in bindings:
        _check(name, binding)
    triggers = [binding for binding in bindings if binding.type in TRIGGERS]
    if len(triggers) != 1:
        raise UnsupportedBindingError(f"function {name} has {len(triggers)} triggers; it must have one")
    outputs = tuple(binding for binding in bindings if binding.type in OUTPUTS)
    return Function(name, function_id, triggers[0], outputs, is_disabled)


def _check(function_name: str, binding: Binding) -> None:
    where = f"function {function_name}, binding {binding.name}"
    if binding.type not in TRIGGERS | OUTPUTS:
        raise UnsupportedBindingError(
            f"{where}: type {binding.type} is not supported by this host (it knows {', '.join(sorted(TRIGGERS | OUTPUTS))})"
        )
    if binding.text("cardinality", "one").lower() != "one":
        raise UnsupportedBindingError(f"{where}: cardinality {binding.text('cardinality')} is not supported")
    if binding.type in {QUEUE, "queue"} and not _QUEUE_NAME.fullmatch(binding.text("queueName")):
        raise UnsupportedBindingError(
            f"{where}: {binding.text('queueName')!r} is not a queue name (3 to 63 of a-z, 0-9 and single hyphens; binding "
            "expressions such as {name} are not supported)"
        )
