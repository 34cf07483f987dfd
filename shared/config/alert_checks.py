"""What is wrong with the alerts of a file though each field by itself is right."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from shared.config.alerts import Alert, QuietHours
from shared.config.fields import Problem, seconds
from shared.config.models import Config
from shared.config.strategy_checks import check_windows
from shared.domain.errors import Malformed
from shared.domain.expressions import expression
from shared.domain.selectors import Selector
from shared.domain.windows import Calendar, opens_at

#: The fleet is looked at every five minutes; what is sent is remembered for a week.
_REPEAT = (timedelta(minutes=15), timedelta(days=7))


def check_alerts(config: Config) -> Iterator[Problem]:
    for index, alert in enumerate(config.alerts):
        path = f"$.alerts[{index}]"
        yield from _check_expressions(path, alert)
        if alert.quiet_hours is not None:
            yield from _check_quiet(f"{path}.quietHours", alert.quiet_hours)
        if alert.repeat is not None and not _REPEAT[0] <= timedelta(seconds=seconds(alert.repeat)) <= _REPEAT[1]:
            yield f"{path}.repeat", "what lasts is told again every 15m at most, and every 7d at least"


def _check_expressions(path: str, alert: Alert) -> Iterator[Problem]:
    for name, text in (("include", alert.include), ("exclude", alert.exclude)):
        if text is None:
            continue
        try:
            expression(text)
        except Malformed as error:
            yield f"{path}.{name}", str(error)


def _check_quiet(path: str, quiet: QuietHours) -> Iterator[Problem]:
    problems = list(check_windows(f"{path}.windows", quiet.windows))
    yield from problems
    for index, window in enumerate(quiet.windows):
        if window.selector != Selector():
            yield f"{path}.windows[{index}].selector", "quiet hours are those of people, not of clusters: selector stands beside them"
    if not problems and _never_ends(quiet):
        yield f"{path}.windows", "these hours never end, so nothing would ever be told"


def _never_ends(quiet: QuietHours) -> bool:
    """Of weekly windows any moment tells; dated ones have an end."""
    weekly = tuple(window.as_window() for window in quiet.windows if window.days is not None)
    return bool(weekly) and opens_at(Calendar(freezes=weekly), datetime(2026, 1, 1, tzinfo=UTC)) is None
