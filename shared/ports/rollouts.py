"""Rollouts and their targets, and how fast they may go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.crowd import Scope
from shared.domain.pace import Pace
from shared.domain.rollouts import Glance, Rollout, Target
from shared.domain.turns import Turn


class Rollouts(Protocol):
    """Rollouts with their targets. Every save raises Conflict when the document changed since it was read."""

    async def create(self, rollout: Rollout) -> bool:
        """False when it exists already."""
        ...

    async def create_targets(self, targets: Sequence[Target]) -> bool:
        """Stores them all; False when some were there already (those stay as they are)."""
        ...

    async def get(self, rollout_id: str) -> tuple[Rollout, str] | None:
        """The rollout and its ETag."""
        ...

    async def save(self, rollout: Rollout, etag: str) -> str:
        """The new ETag."""
        ...

    async def target(self, rollout_id: str, target_id: str) -> tuple[Target, str] | None: ...

    async def save_target(self, target: Target, etag: str) -> str: ...

    async def glances(self, rollout_id: str, scope: Scope) -> list[Glance]:
        """What can be seen, without opening them, of the targets that `scope` covers."""
        ...

    async def open(self, rollout_id: str, target_ids: Sequence[str]) -> list[tuple[Target, str]]:
        """Those targets as they are now, with their ETags, in any order."""
        ...

    async def commit(self, rollout: Rollout, etag: str, targets: Sequence[tuple[Target, str]]) -> str:
        """Saves a rollout and at most `advance.MOST_CHANGES` of its targets, each at its ETag, all or none; the rollout's new ETag.

        Raises Conflict when any of them was changed since it was read.
        """
        ...

    async def save_targets(self, targets: Sequence[tuple[Target, str]]) -> list[Target]:
        """Saves targets of one rollout, each at its ETag; gives back those that were changed by someone else and so are not saved."""
        ...

    async def targets(self, rollout_id: str, *, stage: int | None = None, states: Sequence[str] = ()) -> list[Target]: ...

    async def some_targets(
        self, rollout_id: str, *, stage: int | None = None, states: Sequence[str] = (), after: int = -1, limit: int
    ) -> list[Target]:
        """The first `limit` of those whose `order` comes after `after`, in order: for people."""
        ...

    async def mark_active(self, rollout_id: str) -> None:
        """Puts a rollout on the list that the sweeps read. Done before it is created, so that none is ever missed."""
        ...

    async def unmark_active(self, rollout_id: str) -> None: ...

    async def turn(self, rollout_id: str) -> tuple[Turn, str] | None:
        """Whose turn it is, and its ETag; None for a rollout that is not on the list."""
        ...

    async def save_turn(self, rollout_id: str, turn: Turn, etag: str) -> None:
        """Raises Conflict when it changed since it was read, NotFound when the rollout has left the list."""
        ...

    async def active(self) -> list[tuple[str, datetime]]:
        """Rollouts that can still change, and since when they are listed."""
        ...

    async def recent(self, limit: int, continuation: str | None) -> tuple[list[Rollout], str | None]:
        """Newest first, across all partitions: for people."""
        ...


class PaceStore(Protocol):
    """The next free slot: of each subscription's writes, and of each receiver's deliveries."""

    async def get(self, pace_id: str) -> tuple[Pace, str]: ...

    async def save(self, pace: Pace, etag: str) -> None: ...
