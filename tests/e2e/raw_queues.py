"""The stack's queues, past the app: how full they are, and messages that nobody of ours has sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from shared.domain.messages import QUEUES

ALL_QUEUES = (*QUEUES, *(f"{queue}-poison" for queue in QUEUES))


class RawQueues:
    def __init__(self, connection_string: str) -> None:
        self._connection_string = connection_string

    async def are_empty(self, *names: str) -> bool:
        """Whether these queues (all when none is named) hold no message, nor a hidden one."""
        return not any([await self._length(name) for name in names or ALL_QUEUES])

    async def send(self, queue: str, text: str) -> None:
        async with self._open(queue) as client:
            await client.send_message(text)

    async def use_up(self, queue: str, tries: int) -> None:
        """Takes every message in the queue out and puts it back, `tries` times: as handlers do that fail."""
        async with self._open(queue) as client:
            for _ in range(tries):
                messages = [message async for message in client.receive_messages(max_messages=32, visibility_timeout=60)]
                for message in messages:
                    await client.update_message(message, visibility_timeout=0)

    async def _length(self, queue: str) -> int:
        async with self._open(queue) as client:
            return int((await client.get_queue_properties()).approximate_message_count or 0)

    @asynccontextmanager
    async def _open(self, queue: str) -> AsyncIterator[QueueClient]:
        client = QueueClient.from_connection_string(
            self._connection_string,
            queue,
            message_encode_policy=TextBase64EncodePolicy(),
            message_decode_policy=TextBase64DecodePolicy(),
        )
        async with client:
            yield client
