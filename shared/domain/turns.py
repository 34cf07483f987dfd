"""Whose turn it is to step a rollout: one instance at a time, so that none does in vain what another is doing."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.record import Record

#: Longer than a message's steps take; whoever dies loses the turn after it.
TURN_LASTS = timedelta(seconds=60)


class Turn(Record, frozen=True):
    """Nobody has it where `held_until` is None or past."""

    since: datetime  #: when the rollout was put on the list of those that can still change
    held_until: datetime | None = None
    is_asked_for: bool = False  #: someone else came meanwhile: whoever has the turn looks once more


def take(turn: Turn, now: datetime) -> tuple[bool, Turn]:
    """Whether the turn is free, and what to keep: it is taken, or its holder is asked to look once more."""
    if turn.held_until and now < turn.held_until:
        return False, replace(turn, is_asked_for=True)
    return True, Turn(since=turn.since, held_until=now + TURN_LASTS)
