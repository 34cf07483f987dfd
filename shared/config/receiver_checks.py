"""Checks of what a route's action needs: a Receiver to call, a revision to set, a way back."""

from collections.abc import Iterator

from shared.config.fields import Problem
from shared.config.models import FluxReceiver, Route
from shared.config.strategies import Strategy
from shared.domain.errors import Malformed
from shared.domain.flux_receivers import check_address
from shared.domain.sources import is_bucket, source_type
from shared.domain.templates import parse_template


def check_receiver(path: str, route: Route, strategy: Strategy) -> Iterator[Problem]:
    """What is wrong between a route's action, its source and its strategy."""
    if route.action == "pin" and is_bucket(source_type(route.source.url)):
        yield f"{path}.action", "a bucket has no revision that Azure could be asked for: notify-receiver or observe"
    if route.action != "notify-receiver":
        if route.receiver is not None:
            yield f"{path}.receiver", f"action {route.action} calls no Receiver"
        return
    if route.receiver is None:
        yield f"{path}.action", "notify-receiver needs to know whom to notify: receiver"
    else:
        yield from _check_address(f"{path}.receiver", route.receiver)
    if route.substitute:
        yield f"{path}.substitute", "notify-receiver writes nothing, and so no values"
    if _goes_back(strategy):
        yield f"{path}.strategy", f"{strategy.name} has onFailure rollback, and notify-receiver writes nothing that could be taken back"


def _check_address(path: str, receiver: FluxReceiver) -> Iterator[Problem]:
    if (receiver.name is None) != (receiver.namespace is None):
        yield path, "a Receiver's path is made of both name and namespace"
    try:
        check_address(parse_template(receiver.address), receiver.allowed_hosts)
    except Malformed as error:
        yield f"{path}.address", str(error)


def _goes_back(strategy: Strategy) -> bool:
    return any(stage.success.over(strategy.success).on_failure == "rollback" for stage in strategy.stages)
