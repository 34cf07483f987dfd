"""The alerts of sluice.yaml: who hears of what, when, and in how many messages."""

from datetime import timedelta
from typing import Annotated, Literal

from msgspec import Meta

from shared.config.channels import is_on_call
from shared.config.fields import Duration, Name, Section, seconds
from shared.config.strategies import Window
from shared.domain.alerting import Rule
from shared.domain.deliveries import MOST_ANNOUNCEMENTS
from shared.domain.expressions import MAX_EXPRESSION
from shared.domain.selectors import Selector

#: Types of providers that hand events on to programs, one by one.
PROGRAMS = frozenset({"webhook", "eventgrid"})

Cel = Annotated[
    str,
    Meta(
        max_length=MAX_EXPRESSION,
        description="CEL over the fields of an event (docs/alerts.md)",
        examples=['event.tags.ring == "prod" && event.failed > 2'],
    ),
]


class Group(Section, frozen=True):
    """Events that become one message: those alike in `by`, within `interval` of the first."""

    by: tuple[Literal["rollout", "stage", "route", "baseline"], ...] = ("rollout", "stage")
    interval: Duration = "0s"
    maximum: Annotated[int, Meta(ge=1, le=MOST_ANNOUNCEMENTS)] = MOST_ANNOUNCEMENTS  #: events in one message; then it goes out


class QuietHours(Section, frozen=True):
    """When nothing is told. What happens meanwhile is told together when they end."""

    windows: Annotated[tuple[Window, ...], Meta(min_length=1)]
    errors: Literal["hold", "tell"] = "hold"  #: whether severity error waits too


class Alert(Section, frozen=True):
    """Which events go to which provider. `info` takes errors too, as in Flux."""

    name: Name
    provider: Name
    severity: Literal["info", "error"] = "info"
    events: tuple[str, ...] = ("*",)  #: event types, may hold * and ?
    routes: tuple[str, ...] = ("*",)
    selector: Selector | None = None  #: of events about a cluster, those about a cluster that it selects
    include: Cel | None = None  #: only events for which it is true
    exclude: Cel | None = None  #: no events for which it is true
    group: Group = Group()
    quiet_hours: QuietHours | None = None
    repeat: Duration | None = None  #: how often what lasts is told again

    def rule(self, provider_type: str) -> Rule:
        quiet = self.quiet_hours
        return Rule(
            name=self.name,
            provider=self.provider,
            severity=self.severity,
            events=self.events,
            routes=self.routes,
            selector=self.selector,
            include=self.include or "",
            exclude=self.exclude or "",
            by=self.group.by,
            interval=timedelta(seconds=seconds(self.group.interval)),
            maximum=self.group.maximum,
            quiet=tuple(window.as_window() for window in quiet.windows) if quiet else (),
            holds_errors=quiet is None or quiet.errors == "hold",
            repeat=timedelta(seconds=seconds(self.repeat or "0s")),
            is_for_programs=provider_type in PROGRAMS,
            is_on_call=is_on_call(provider_type),
        )
