"""Sending to Storage queues, on Azurite."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from adapter_fleet import now
from adapter_servers import until
from azure.storage.queue.aio import QueueClient

from local.stack.storage import StorageUrls
from shared.azure.queues import StorageQueue
from shared.domain.errors import Rejected, Unavailable
from shared.domain.messages import CHANGES, QUEUES, PlanChange

MESSAGE = PlanChange(source="s", change_id="c")


@pytest.fixture
async def queue(storage: StorageUrls) -> AsyncIterator[StorageQueue]:
    made = StorageQueue(storage.connection_string(), "", None, now)
    await made.create()
    yield made
    await made.close()


@pytest.fixture
async def raw(storage: StorageUrls, queue: StorageQueue) -> AsyncIterator[QueueClient]:
    async with QueueClient.from_connection_string(storage.connection_string(), CHANGES) as client:
        await client.clear_messages()
        yield client


async def test_a_message_is_json_in_base64_and_stays_until_it_is_read(queue: StorageQueue, raw: QueueClient) -> None:
    await queue.send(CHANGES, MESSAGE)
    message = await raw.receive_message()
    assert message is not None
    assert json.loads(base64.b64decode(message.content)) == {"source": "s", "changeId": "c"}
    assert message.expires_on is not None
    assert message.expires_on.year == 9999


async def test_a_message_for_later_is_not_seen_before(queue: StorageQueue, raw: QueueClient) -> None:
    await queue.send(CHANGES, MESSAGE, not_before=now() + timedelta(minutes=5))
    await queue.send(CHANGES, MESSAGE, not_before=now() + timedelta(days=30))
    assert (await raw.get_queue_properties()).approximate_message_count == 2
    assert await raw.receive_message() is None


async def test_a_part_of_a_second_is_waited_for_as_a_whole_one(storage: StorageUrls, raw: QueueClient) -> None:
    sent_at = now()
    queue = StorageQueue(storage.connection_string(), "", None, lambda: sent_at)
    await queue.send(CHANGES, MESSAGE, not_before=sent_at + timedelta(milliseconds=1))
    await queue.close()
    assert await raw.receive_message() is None
    await until(raw.receive_message)
    assert now() - sent_at >= timedelta(seconds=1)


async def test_a_message_for_earlier_is_seen_at_once(queue: StorageQueue, raw: QueueClient) -> None:
    await queue.send(CHANGES, MESSAGE, not_before=now() - timedelta(days=1))
    assert await raw.receive_message() is not None


async def test_text_of_any_kind_goes_through_and_too_much_of_it_is_refused(queue: StorageQueue, raw: QueueClient) -> None:
    await queue.send_text(CHANGES, 'not "JSON" \0 <ü🛒>')
    message = await raw.receive_message()
    assert message is not None
    assert base64.b64decode(message.content).decode() == 'not "JSON" \0 <ü🛒>'
    with pytest.raises(Rejected):
        await queue.send_text(CHANGES, "x" * 64 * 1024)


async def test_a_queue_that_is_gone_is_made_again(queue: StorageQueue, raw: QueueClient) -> None:
    await raw.delete_queue()
    await queue.send(CHANGES, MESSAGE)
    assert await raw.receive_message() is not None


async def test_making_the_queues_again_changes_nothing(queue: StorageQueue) -> None:
    assert await queue.create() == [name for each in QUEUES for name in (each, f"{each}-poison")]


async def test_without_a_server_it_is_an_outage(storage: StorageUrls) -> None:
    gone = StorageQueue(storage.connection_string().replace(storage.queue, "http://127.0.0.1:1/devstoreaccount1"), "", None, now)
    for call in (gone.send(CHANGES, MESSAGE), gone.create(), gone.check()):
        with pytest.raises(Unavailable):
            await call
    await gone.close()
