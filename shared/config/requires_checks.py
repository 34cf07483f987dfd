"""What is wrong with the `requires` of a file's routes though each field by itself is right."""

from collections.abc import Iterator

from shared.config.fields import Problem, seconds, twice
from shared.config.models import Config, Route
from shared.config.requires import Requires
from shared.domain.gates import REQUIRES
from shared.domain.sources import source_type
from shared.receivers import SENDERS


def check_requires(config: Config) -> Iterator[Problem]:
    for index, route in enumerate(config.routes):
        if route.requires is not None:
            yield from _check(f"$.routes[{index}].requires", config, route, route.requires)


def _check(path: str, config: Config, route: Route, requires: Requires) -> Iterator[Problem]:
    yield from twice(f"{path}.checks", requires.checks)
    if not seconds(requires.within):
        yield f"{path}.within", "the rollout would give up before any check could succeed"
    if source_type(route.source.url) == "oci":
        yield path, "checks are told of commits, and an artifact has none"
    elif not any(_tells_of_checks(config)):
        yield path, "no receiver accepts an event that tells of checks: name one in its events"
    for stage in config.strategy(route.strategy).stages:
        if any(gate.name == REQUIRES for gate in stage.named_gates()):
            yield path, f"stage {stage.name} has a gate named {REQUIRES} already"


def _tells_of_checks(config: Config) -> Iterator[bool]:
    for receiver in config.receivers:
        yield receiver.type in SENDERS and any(receiver.accepts(event) for event in receiver.sender.check_events)
