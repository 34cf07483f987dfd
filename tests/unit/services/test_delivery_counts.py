"""Whatever the channels answer, and whenever instances die: nothing is lost, and nothing is sent twice but where nobody could know."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from builders import NOW
from chats import Chats
from fakes import Killed, Sent
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.deliveries import GIVE_UP_AFTER, Parcel
from shared.domain.errors import Rejected, Throttled, Unavailable

Answer = Literal["taken", "429", "500", "refused for good", "lost before", "lost after", "dies after"]
ANSWERS: tuple[Answer, ...] = ("taken", "429", "500", "refused for good", "lost before", "lost after", "dies after")


@dataclass
class Troubled:
    """A channel that answers as it is told, message by message; then it takes everything, or nothing."""

    answers: list[Answer]
    comes_back: bool
    shown: Counter[str] = field(default_factory=Counter)
    unheard: Counter[str] = field(default_factory=Counter)  #: shown, and the app could not know it

    async def post(self, parcel: Parcel) -> None:
        await asyncio.sleep(0)
        answer = self.answers.pop() if self.answers else "taken" if self.comes_back else "500"
        if answer in ("taken", "lost after", "dies after"):
            self.shown[parcel.id] += 1
        if answer == "lost after":
            self.unheard[parcel.id] += 1
        match answer:
            case "429":
                raise Throttled("slow down", code="429", retry_after=3)
            case "500":
                raise Unavailable("down", code="500")
            case "refused for good":
                raise Rejected("no", code="404")
            case "lost before" | "lost after":
                raise Unavailable("late", code="TimeoutError", unanswered=True)
            case "dies after":
                raise Killed


class Instances(Chats):
    """Instances of the app that take messages at once, and die."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.deaths: Counter[str] = Counter()  #: by the delivery that was worked on

    async def work(self, crashes: list[int]) -> None:
        while self.queue.waiting:
            now = min(sent.not_before or NOW for sent in self.queue.waiting)
            self.clock.now = max(self.clock.now, now)
            if crashes:
                self.faults.die_at = self.faults.writes + crashes.pop()
            await asyncio.gather(*(self._take(sent) for sent in self.queue.visible()[:8]))

    async def _take(self, sent: Sent) -> None:
        """A message leaves the queue when its work is done; one whose instance died stays."""
        try:
            await self.deliver(sent.queue, sent.message)
        except Killed:
            self.faults.die_at = None
            self.deaths[sent.message.delivery_id] += 1
        else:
            self.queue.waiting.remove(sent)


@given(
    count=st.integers(1, 12),
    answers=st.lists(st.sampled_from(ANSWERS), max_size=30),
    second=st.lists(st.sampled_from(ANSWERS), max_size=10),
    back=st.tuples(st.booleans(), st.booleans()),
    crashes=st.lists(st.integers(1, 12), max_size=12),
    repeats=st.integers(0, 2),
)
def test_every_message_is_shown_or_known_to_be_undelivered(
    count: int, answers: list[Answer], second: list[Answer], back: tuple[bool, bool], crashes: list[int], repeats: int
) -> None:
    asyncio.run(_run(count, answers, second, back, crashes, repeats))


async def _run(count: int, answers: list[Answer], second: list[Answer], back: tuple[bool, bool], crashes: list[int], repeats: int) -> None:
    world = Instances()
    ops, spare = Troubled(answers, back[0]), Troubled(second, back[1])
    world.chats = {"ops": ops, "second": spare, "third": Troubled([], comes_back=False)}
    for number in range(count):
        message = await world.told(str(number))
        for _ in range(repeats):
            await world.queue.send("notifications", message)
    await world.work(crashes)
    kept = {delivery.id: delivery for delivery in world.deliveries.kept.all()}
    roots = [delivery for delivery in kept.values() if not delivery.missed]
    assert len(roots) == count
    assert {delivery.state for delivery in kept.values()} <= {"sent", "handed-over", "failed"}
    shown = ops.shown + spare.shown
    for delivery in kept.values():
        if delivery.state == "sent":
            assert shown[delivery.id] >= 1
        doubtful = ops.unheard[delivery.id] + spare.unheard[delivery.id] + world.deaths[delivery.id]
        assert shown[delivery.id] <= 1 + doubtful
    handed = [delivery for delivery in kept.values() if delivery.state == "handed-over"]
    failed = [delivery for delivery in kept.values() if delivery.state == "failed"]
    assert len(kept) == count + len(handed)
    actions = Counter(world.audit.actions())
    assert (actions["notification.handed-over"], actions["notification.failed"]) == (len(handed), len(failed))
    assert world.clock.now <= NOW + 3 * GIVE_UP_AFTER + timedelta(hours=1)
