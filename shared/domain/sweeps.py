"""Whose turn it is to look at the whole fleet, and how far the looks are."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.record import Record

#: As long as a function may run (host.json, functionTimeout): whoever dies loses the turn after it.
TURN_LASTS = timedelta(minutes=10)
#: How long before a sweep an update may have begun that was not recorded by its end: leases, and clocks that differ.
_OVERLAP = timedelta(minutes=15)


class Sweep(Record, frozen=True):
    """The newest sweep. Where `finished` is not `number`, it is running, or its instance has died."""

    number: int = 0
    holder: str = ""
    held_until: datetime | None = None
    began_at: datetime | None = None
    finished: int = 0  #: the newest sweep whose news was told
    finished_at: datetime | None = None
    asked_until: datetime | None = None  #: what was asked before is known


def take(sweep: Sweep, holder: str, now: datetime) -> Sweep | None:
    """The next sweep; None while another instance is at it."""
    if sweep.held_until and now < sweep.held_until:
        return None
    return replace(sweep, number=sweep.number + 1, holder=holder, held_until=now + TURN_LASTS, began_at=now)


def finish(sweep: Sweep, now: datetime) -> Sweep:
    return replace(sweep, holder="", held_until=None, finished=sweep.number, finished_at=now, asked_until=sweep.began_at)


def give_up(sweep: Sweep) -> Sweep:
    """The turn is free again, and what this sweep had to say is left to the next one."""
    return replace(sweep, holder="", held_until=None)


def asked_since(sweep: Sweep) -> datetime | None:
    """From when on updates must be read; None = all of them."""
    return sweep.asked_until - _OVERLAP if sweep.asked_until else None
