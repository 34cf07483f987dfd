"""How fast Azure Resource Manager may be written to, and how fast a receiver's deliveries are planned, shared by any number of instances.

A generic cell rate algorithm: the state is one moment in time, so one conditional write reserves any number of slots.
"""

from datetime import datetime, timedelta

from shared.domain.record import Record


class Limit(Record, frozen=True):
    """A token bucket: `burst` slots at once, then `per_second`."""

    burst: int
    per_second: float


#: ARM's bucket for writes, per principal, subscription and region: 200, and 10 a second
#: (learn.microsoft.com, request-limits-and-throttling).
#: What is left of the burst is for the moment in which ARM's bucket is full already and ours has begun: a queue that was quiet is
#: looked at again after up to 2 seconds (host.json), and by then the messages of the seconds after the burst are due as well.
ARM_WRITES = Limit(burst=185, per_second=9.98)


class Pace(Record, frozen=True):
    """`theoretical_arrival` is the moment at which the bucket is full again."""

    id: str
    theoretical_arrival: datetime | None = None


def reserve(pace: Pace, count: int, now: datetime, limit: Limit = ARM_WRITES) -> tuple[Pace, tuple[datetime, ...]]:
    """Reserves the next `count` slots: the moments, none before `now` and never more than the limit allows, and the state
    that remembers them.
    """
    interval = timedelta(seconds=1 / limit.per_second)
    tolerance = interval * (limit.burst - 1)
    arrival = max(pace.theoretical_arrival or now, now)
    slots = tuple(max(now, arrival + interval * n - tolerance) for n in range(count))
    return Pace(id=pace.id, theoretical_arrival=arrival + interval * count), slots


def take(pace: Pace, now: datetime, limit: Limit) -> tuple[Pace, timedelta]:
    """One slot at once: the state that remembers it, and no wait. Where there is none, the state as it is and how long until there is."""
    taken, (slot,) = reserve(pace, 1, now, limit)
    return (taken, timedelta()) if slot <= now else (pace, slot - now)


def room(pace: Pace, now: datetime, within: timedelta, limit: Limit = ARM_WRITES) -> int:
    """How many slots could be reserved now that lie no later than `within` from now."""
    interval = timedelta(seconds=1 / limit.per_second)
    tolerance = interval * (limit.burst - 1)
    arrival = max(pace.theoretical_arrival or now, now)
    return max(0, (now + within + tolerance - arrival) // interval + 1)


def give_back(pace: Pace, count: int, limit: Limit = ARM_WRITES) -> Pace:
    """The state after `count` reserved slots were not used: the bucket holds them again, for whoever comes next."""
    if pace.theoretical_arrival is None:
        return pace
    return Pace(id=pace.id, theoretical_arrival=pace.theoretical_arrival - timedelta(seconds=1 / limit.per_second) * count)


def push_back(pace: Pace, until: datetime, limit: Limit = ARM_WRITES) -> Pace:
    """No slot before `until`: what a 429 with Retry-After asks for. From then on the steady rate holds, without a burst."""
    tolerance = timedelta(seconds=1 / limit.per_second) * (limit.burst - 1)
    earliest = until + tolerance
    return Pace(id=pace.id, theoretical_arrival=max(pace.theoretical_arrival or earliest, earliest))
