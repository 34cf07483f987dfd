"""What is wrong with the strategies of a file though each field by itself is right."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from shared.config.fields import Problem, seconds, twice
from shared.config.models import Config, Route
from shared.config.strategies import Approval, Checks, Stage, Webhook, Window, weekdays
from shared.domain.errors import Malformed
from shared.domain.sources import canonical_url
from shared.domain.windows import zone


def check_strategies(config: Config) -> Iterator[Problem]:
    for index, strategy in enumerate(config.strategies):
        path = f"$.strategies[{index}]"
        yield from check_windows(f"{path}.windows", strategy.windows)
        yield from check_windows(f"{path}.freezes", strategy.freezes)
        for number, stage in enumerate(strategy.stages):
            yield from _check_stage(f"{path}.stages[{number}]", stage)
            reason = _promotion_problem(config, strategy.name, stage.promote_from) if stage.promote_from else None
            if reason:
                yield f"{path}.stages[{number}].promoteFrom", reason


def _check_stage(path: str, stage: Stage) -> Iterator[Problem]:
    yield from check_windows(f"{path}.windows", stage.windows or ())
    yield from check_windows(f"{path}.freezes", stage.freezes)
    for index, gate in enumerate(stage.gates):
        yield from _check_gate(f"{path}.gates[{index}]", gate)
    names = [gate.name for gate in stage.named_gates()]
    promotions = len(names) - len(stage.gates)
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"{path}.gates[{index - promotions}]", f"there are two gates named {name}"


def _check_gate(path: str, gate: Approval | Checks | Webhook) -> Iterator[Problem]:
    if gate.expires_after is not None and not seconds(gate.expires_after):
        yield f"{path}.expiresAfter", "the gate would expire before anyone could open it"
    match gate:
        case Approval():
            yield from twice(f"{path}.approvers", gate.approvers)
        case Checks():
            yield from twice(f"{path}.checks", gate.checks)
        case Webhook() if not _is_https(gate.url):
            yield f"{path}.url", "an address begins with https://, and has a host but no user name"


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc


def check_windows(path: str, listed: Sequence[Window]) -> Iterator[Problem]:
    """Also those of alerts."""
    for index, window in enumerate(listed):
        yield from _check_window(f"{path}[{index}]", window)


def _check_window(path: str, window: Window) -> Iterator[Problem]:
    yield from _check(f"{path}.timeZone", zone, window.time_zone)
    if window.days is not None:
        yield from _check(f"{path}.days", weekdays, window.days)
    dated = ["T" in moment for moment in (window.start, window.end)]
    if window.days is not None and any(dated):
        yield f"{path}.{'from' if dated[0] else 'to'}", "with days, from and to are times of the day, for example 08:00"
    elif window.days is None and not all(dated):
        yield (
            f"{path}.{'to' if dated[0] else 'from'}",
            "without days, from and to are dates with times, for example 2026-12-20T00:00; every day is days: daily",
        )
    elif window.days is None:
        yield from _check_dates(path, window)
    elif window.start == window.end:
        yield f"{path}.to", "from and to are the same; a whole day is from 00:00 to 24:00"


def _check(path: str, read: Callable[[Any], object], text: object) -> Iterator[Problem]:
    try:
        read(text)
    except Malformed as error:
        yield path, str(error)


def _check_dates(path: str, window: Window) -> Iterator[Problem]:
    moments = []
    for name, moment in (("from", window.start), ("to", window.end)):
        try:
            moments.append(datetime.fromisoformat(moment))
        except ValueError:
            yield f"{path}.{name}", f"there is no day {moment.partition('T')[0]}"
    if len(moments) == 2 and moments[1] <= moments[0]:
        yield f"{path}.to", "to is not after from"


def _promotion_problem(config: Config, strategy: str, promoted: str) -> str | None:
    """Why nothing could ever be promoted from the route `promoted` to those with this strategy."""
    routes = {route.name: route for route in config.routes}
    if promoted not in routes:
        return f"there is no route named {promoted}"
    if routes[promoted].action == "observe":
        return f"route {promoted} only observes, so nothing is ever proved there"
    for route in config.routes:
        if route.strategy != strategy or route.action == "observe":
            continue
        if route.name == promoted:
            return f"route {promoted} has this strategy itself, and would wait for itself"
        if route.name in _awaited(config, promoted):
            return f"route {promoted} waits for route {route.name}, which has this strategy: each would wait for the other"
        if not _same_repository(route, routes[promoted]):
            return f"route {route.name}, which has this strategy, follows another repository than route {promoted}"
    return None


def _awaited(config: Config, name: str) -> set[str]:
    """The routes for which a route waits, and those for which these wait in turn."""
    strategies = {route.name: config.strategy(route.strategy) for route in config.routes}
    found: set[str] = set()
    ahead = [name]
    while ahead:
        route = ahead.pop()
        stages = strategies[route].stages if route in strategies else ()
        new = {stage.promote_from for stage in stages if stage.promote_from} - found
        found |= new
        ahead.extend(new)
    return found


def _same_repository(one: Route, other: Route) -> bool:
    try:
        return canonical_url(one.source.url) == canonical_url(other.source.url)
    except Malformed:
        return True  # it is told where it stands
