"""When clusters may be updated: windows that allow it and freezes that forbid it, in their own time zones. Pure."""

from shared.domain.record import Record


class Window(Record, frozen=True):
    """A span of time that comes again every week, or once.

    Weekly: `days` (0 = Monday) from `start` to `end`, "HH:MM" on the wall clock of `time_zone`; an end that is not after the start
    is on the next day. Once: `first` and `last`, "YYYY-MM-DDTHH:MM" on that wall clock; `days`, `start` and `end` are then empty.
    """

    time_zone: str  #: IANA name
    days: tuple[int, ...] = ()
    start: str = ""
    end: str = ""
    first: str = ""
    last: str = ""
    name: str = ""  #: shown to people


class Calendar(Record, frozen=True):
    """When a target may start: in any of `windows` (always, where there are none), and in none of `freezes`."""

    windows: tuple[Window, ...] = ()
    freezes: tuple[Window, ...] = ()
