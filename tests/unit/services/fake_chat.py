"""A chat whose messages can be edited, in memory, and the dialogs of one."""

from datetime import datetime

from fakes import Faults

from shared.domain.conversations import Place
from shared.domain.deliveries import Parcel
from shared.domain.errors import NotFound
from shared.domain.interactions import Answering, Asked
from shared.domain.overviews import Overview
from shared.domain.rollouts import Rollout


class FakeChat:
    """`answers`: what the next calls raise, one by one (None = done). `may_look`: whether messages can be found again."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.heads: dict[str, Overview] = {}  #: by ts
        self.keys: dict[str, str] = {}
        self.opened_with: list[str] = []
        self.edits = 0
        self.replies: list[tuple[str, list[str], bool]] = []  #: ts of the head, ids, broadcast
        self.alone: list[list[str]] = []
        self.answers: list[Exception | None] = []
        self.may_look = True

    async def post(self, parcel: Parcel) -> None:
        self._answer()
        self.alone.append([each.id for each in parcel.announcements])

    async def open(self, overview: Overview, *, key: str, opens_with: str) -> Place:
        self._answer()
        ts = f"{len(self.keys) + 1}.0"
        self.heads[ts], self.keys[ts] = overview, key
        self.opened_with.append(opens_with)
        return Place(channel="C1", ts=ts)

    async def edit(self, head: Place, overview: Overview) -> None:
        self._answer()
        if head.ts not in self.heads:
            raise NotFound("gone")
        self.heads[head.ts] = overview
        self.edits += 1

    async def reply(self, head: Place, parcel: Parcel, *, broadcast: bool) -> None:
        self._answer()
        if head.ts not in self.heads:
            raise NotFound("gone")
        self.replies.append((head.ts, [each.id for each in parcel.announcements], broadcast))

    async def find(self, key: str, since: datetime) -> Place | None:
        known = [ts for ts, name in self.keys.items() if name == key and ts in self.heads]
        return Place(channel="C1", ts=known[0]) if self.may_look and known else None

    def _answer(self) -> None:
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer


class FakeDialog:
    """`refuses`: what opening a dialog raises."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Answering, Asked, str]] = []
        self.whispers: list[tuple[str, str, str]] = []
        self.refuses: Exception | None = None

    async def ask(self, trigger: str, answering: Answering, asked: Asked, rollout: Rollout) -> None:
        if self.refuses:
            raise self.refuses
        self.asked.append((trigger, answering, asked, rollout.id))

    async def whisper(self, channel: str, user: str, text: str) -> None:
        self.whispers.append((channel, user, text))
