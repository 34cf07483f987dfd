"""The Storage queues between the functions."""

import contextlib
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.azure.errors import azure_errors
from shared.domain.clock import Clock
from shared.domain.messages import QUEUES, encode
from shared.domain.record import Record

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.queue.aio import QueueClient

_LONGEST_DELAY_SECONDS = 7 * 24 * 3600 - 1  #: a message's longest invisibility
# A webhook has 8 seconds, and the SDK's own first retry waits 15; a queued message comes back by itself.
_PATIENCE: dict[str, Any] = {
    "retry_total": 2,
    "initial_backoff": 0.5,
    "increment_base": 1,  # 1.5 s before each retry: 0.5 s and this to the power of its number
    "random_jitter_range": 0.5,  # seconds; the SDK's own 3 would outweigh the rest
    "connection_timeout": 5,
    "read_timeout": 10,
}
_FOREVER = -1  #: a message that waits is never dropped


class StorageQueue:
    """Implements ports.Queue, with a connection string (emulators) or an account's address and a credential."""

    def __init__(self, connection_string: str, queue_uri: str, credential: "AsyncTokenCredential | None", clock: Clock) -> None:
        self._connection_string = connection_string
        self._queue_uri = queue_uri
        self._credential = credential
        self._clock = clock
        self._clients: dict[str, QueueClient] = {}

    async def send(self, queue: str, message: Record, *, not_before: datetime | None = None) -> None:
        await self.send_text(queue, encode(message), not_before=not_before)

    async def send_text(self, queue: str, text: str, *, not_before: datetime | None = None) -> None:
        """A queue that was never made, or was deleted, is made: the message must not be lost for that."""
        from azure.core.exceptions import ResourceNotFoundError

        delay = max(0, math.ceil((not_before - self._clock()).total_seconds())) if not_before else 0
        with azure_errors("Azure Storage"):
            try:
                await self._send(queue, text, delay)
            except ResourceNotFoundError:
                await self._client(queue).create_queue()
                await self._send(queue, text, delay)

    async def _send(self, queue: str, text: str, delay_seconds: int) -> None:
        visibility_timeout = min(delay_seconds, _LONGEST_DELAY_SECONDS)
        await self._client(queue).send_message(text, visibility_timeout=visibility_timeout, time_to_live=_FOREVER)

    async def create(self) -> list[str]:
        """Makes every queue and its poison queue where they are missing; safe to repeat. Answers with their names."""
        from azure.core.exceptions import ResourceExistsError

        names = [name for queue in QUEUES for name in (queue, f"{queue}-poison")]
        for name in names:
            with azure_errors("Azure Storage"), contextlib.suppress(ResourceExistsError):
                await self._client(name).create_queue()
        return names

    async def check(self) -> None:
        """Raises when the queues cannot be reached."""
        with azure_errors("Azure Storage"):
            await self._client(QUEUES[0]).get_queue_properties()

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    def _client(self, queue: str) -> "QueueClient":
        if queue not in self._clients:
            from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy
            from azure.storage.queue.aio import QueueClient

            # The Functions host reads base64 (host.json, messageEncoding).
            policies: dict[str, Any] = {
                **_PATIENCE,
                "message_encode_policy": TextBase64EncodePolicy(),
                "message_decode_policy": TextBase64DecodePolicy(),
            }
            self._clients[queue] = (
                QueueClient.from_connection_string(self._connection_string, queue, **policies)
                if self._connection_string
                else QueueClient(self._queue_uri, queue, credential=self._credential, **policies)
            )
        return self._clients[queue]
