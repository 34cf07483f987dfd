"""Run as a process with the app settings of a stack: puts messages to people on their way, as `Tell` does, many of them at once.

On stdin, JSON: the name of a provider to the titles of its messages.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

MOST_AT_ONCE = 16


async def put(wanted: dict[str, list[str]]) -> None:
    from shared.bootstrap import App
    from shared.config.settings import read

    app, turns = App(read()), asyncio.Semaphore(MOST_AT_ONCE)

    async def put_one(provider: str, title: str) -> None:
        from shared.adapters import now
        from shared.domain.announcements import Announcement
        from shared.domain.deliveries import Delivery
        from shared.domain.messages import NOTIFICATIONS, Deliver
        from shared.domain.record import digest

        told = Announcement(id=digest(title), kind="stage.failed", severity="error", title=title, summary="A message that is counted")
        channel, delivery_id = digest("channel", provider), digest("counted", title)
        async with turns:
            due = now()
            await app.deliveries.create(
                Delivery(id=delivery_id, channel=channel, provider=provider, due_at=due, created_at=due, announcements=(told,))
            )
            await app.queue.send(NOTIFICATIONS, Deliver(channel=channel, delivery_id=delivery_id))

    try:
        await asyncio.gather(*(put_one(provider, title) for provider, titles in wanted.items() for title in titles))
    finally:
        await app.close()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    os.environ.update(json.loads(Path(sys.argv[1]).read_text()))  # before anything of Azure is imported
    asyncio.run(put(json.load(sys.stdin)))
