"""A message that failed too often."""

import pytest
from builders import at
from worlds import World

from shared.domain.errors import Malformed, NotFound, Unavailable
from shared.domain.messages import CONFIG_UPDATES, NOTIFICATIONS, QUEUES, ApplyUpdate, encode
from shared.services.bury import STREAM, Bury
from shared.services.tell import Tell

MESSAGE = ApplyUpdate(rollout_id="r", target_id="t", dispatch=1)


async def grave(world: World) -> str:
    (entry,) = await world.replay().buried()
    return entry.id


async def test_it_is_recorded_whole_and_told(world: World) -> None:
    await world.bury()(CONFIG_UPDATES, "message-1", encode(MESSAGE))
    (entry,) = await world.replay().buried()
    assert (entry.stream, entry.action, entry.resource, entry.cause) == (STREAM, "message.buried", CONFIG_UPDATES, "message-1")
    assert entry.detail == {"body": encode(MESSAGE)}
    world.clock.pass_(120)  # many that fail at once are one message
    await world.deliver(NOTIFICATIONS, world.queue.sent[-1].message)
    ((announcement,),) = world.provider.sent
    assert (announcement.severity, announcement.kind) == ("error", "message.buried")
    assert announcement.clusters[0].name == entry.id


async def test_the_same_message_twice_is_one_grave(world: World) -> None:
    for _ in range(3):
        await world.bury()(CONFIG_UPDATES, "message-1", encode(MESSAGE))
    assert len(await world.replay().buried()) == 1
    world.clock.pass_(120)
    for sent in list(world.queue.sent):
        await world.deliver(NOTIFICATIONS, sent.message)
    assert len(world.provider.sent) == 1


async def test_a_notification_that_failed_is_not_told_by_a_notification(world: World) -> None:
    await world.bury()(NOTIFICATIONS, "message-1", "{}")
    assert len(await world.replay().buried()) == 1
    assert world.queue.sent == []


async def test_what_cannot_be_recorded_now_is_put_back(world: World) -> None:
    world.faults.fail_next = [Unavailable("database")]
    await world.bury()(CONFIG_UPDATES, "message-1", "whatever it holds")
    (sent,) = world.queue.sent
    assert (sent.queue, sent.text, sent.not_before) == ("config-updates-poison", "whatever it holds", at(300))
    assert await world.replay().buried() == []


async def test_it_is_buried_though_it_cannot_be_told(world: World) -> None:
    async def tell() -> Tell:
        raise Malformed("sluice.yaml:1: broken")

    bury = Bury(world.audit, tell, world.queue, world.clock)
    await bury(CONFIG_UPDATES, "message-1", encode(MESSAGE))
    assert len(await world.replay().buried()) == 1
    assert world.queue.sent == []


async def test_a_buried_message_is_put_back_into_its_queue(world: World) -> None:
    await world.bury()(CONFIG_UPDATES, "message-1", encode(MESSAGE))
    assert await world.replay()(await grave(world)) == CONFIG_UPDATES
    assert world.queue.messages(CONFIG_UPDATES) == [MESSAGE]


@pytest.mark.parametrize("queue", QUEUES)
async def test_what_cannot_be_read_is_not_put_back(world: World, queue: str) -> None:
    await world.bury()(queue, "message-1", "\ufffd\x00")
    with pytest.raises(Malformed):
        await world.replay()(await grave(world))
    assert not [sent for sent in world.queue.sent if sent.queue == queue and sent.text == "\ufffd\x00"]


async def test_an_unknown_grave_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await world.replay()("0" * 32)
