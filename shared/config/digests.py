"""Section `digests` of sluice.yaml: who is told regularly how the fleet is."""

from datetime import timedelta
from typing import Annotated, Literal

from msgspec import Meta

from shared.config.fields import Name, Section
from shared.config.strategies import Zone
from shared.domain.periods import Schedule
from shared.domain.selectors import Selector

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Time = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", description="on the wall clock", examples=["08:00"])]


class DigestSection(Section, frozen=True):
    """One message a day or a week, at `at` on the wall clock of `timeZone`."""

    name: Name
    provider: Name
    schedule: Literal["daily", "weekly"]
    at: Time = "08:00"
    day: Weekday | None = None  #: weekly: monday, where none is named
    time_zone: Zone = "UTC"
    selector: Selector = Selector()  #: the clusters and fluxConfigurations that it counts
    routes: tuple[str, ...] = ("*",)  #: whose rollouts it tells of

    @property
    def trend_span(self) -> timedelta:
        """How far back its trend goes."""
        return timedelta(days=14) if self.schedule == "daily" else timedelta(weeks=12)

    @property
    def trend_parts(self) -> int:
        """A character of the trend for each day, or week."""
        return 14 if self.schedule == "daily" else 12

    @property
    def trend_words(self) -> str:
        return "14 days" if self.schedule == "daily" else "12 weeks"

    def when(self) -> Schedule:
        day = WEEK.index(self.day or "monday") if self.schedule == "weekly" else None
        return Schedule(at=self.at, time_zone=self.time_zone, weekday=day)
