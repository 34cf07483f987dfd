"""A world with three channels, each the fallback of the one before."""

import asyncio
from datetime import timedelta

from builders import NOW
from fakes import Killed
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.config.models import Provider as ProviderConfig
from shared.domain.announcements import Announcement
from shared.domain.deliveries import Delivery, Parcel
from shared.domain.messages import Deliver
from shared.ports import Provider
from shared.services.report_deliveries import ReportDeliveries

CHANNELS = """
providers:
  - {name: ops, type: msteams, addressRef: kv://sluice/teams, fallback: second}
  - {name: second, type: slack, channel: "#ops", tokenRef: kv://sluice/slack, fallback: third}
  - {name: third, type: msteams, addressRef: kv://sluice/third}
alerts:
  - {name: all, provider: ops}
"""


class Chat:
    """A channel that takes messages, unless it is told to fail."""

    def __init__(self) -> None:
        self.got: list[Parcel] = []
        self.fails: Exception | None = None
        self.calls = 0

    async def post(self, parcel: Parcel) -> None:
        await asyncio.sleep(0)
        self.calls += 1
        if self.fails:
            raise self.fails
        self.got.append(parcel)


class Chats(World):
    """Three channels, each the fallback of the one before."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config = load_text(CONFIG.partition("providers:")[0] + CHANNELS.lstrip())
        self.chats = {name: Chat() for name in ("ops", "second", "third")}
        self.unusable: dict[str, Exception] = {}

    async def connect(self, provider: ProviderConfig) -> Provider:
        if provider.name in self.unusable:
            raise self.unusable[provider.name]
        return self.chats[provider.name]

    async def told(self, name: str = "a") -> Deliver:
        """Something was told; the message that waits for it."""
        await self.tell()(Announcement(id=name, kind="stage.failed", severity="error", title=f"Stage {name}", summary="It failed"))
        message = self.queue.sent[-1].message
        assert isinstance(message, Deliver)
        return message

    async def run(self, *, until: timedelta = timedelta(days=9)) -> None:
        """Until nothing waits any more. An instance that dies leaves its message, as the host does."""
        while self.queue.waiting:
            sent = min(self.queue.waiting, key=lambda each: each.not_before or NOW)
            if sent.not_before and sent.not_before > NOW + until:
                return
            self.clock.now = max(self.clock.now, sent.not_before or NOW)
            try:
                await self.deliver(sent.queue, sent.message)
            except Killed:
                self.faults.die_at = None
                continue
            self.queue.waiting.remove(sent)

    def states(self) -> dict[str, str]:
        return {kept.provider: kept.state for kept in self.deliveries.kept.all()}

    def got(self) -> dict[str, int]:
        return {name: len(chat.got) for name, chat in self.chats.items()}

    def delivery(self, provider: str = "ops") -> Delivery:
        (found,) = [kept for kept in self.deliveries.kept.all() if kept.provider == provider]
        return found

    def report(self) -> ReportDeliveries:
        return ReportDeliveries(self.deliveries)
