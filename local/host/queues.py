"""Queue triggers: poll, run, delete; put back with a delay on failure; bury in the poison queue after too many tries.

Behaviour is that of the Storage queues extension v5 (github.com/Azure/azure-sdk-for-net,
Microsoft.Azure.WebJobs.Extensions.Storage.Queues: QueueListener, QueueProcessor, RandomizedExponentialBackoffStrategy).
"""

import asyncio
import base64
import enum
import json
import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient
from azure_functions_runtime.bindings.datumdef import Datum

from local.host.bindings import Function
from local.host.invocation import Invoker
from local.host.queue_outputs import send_creating
from local.host.settings import QueueSettings
from local.host.waiting import is_set_within

_log = logging.getLogger("local.host")
POISON_SUFFIX: Final = "-poison"
_SHORTEST_POLL: Final = 0.1  # seconds


class Backoff:
    """Seconds between polls of an empty queue: from 100 ms, doubling with a fifth of randomness, up to the maximum."""

    def __init__(self, longest_seconds: float) -> None:
        self._longest = longest_seconds
        self._tries = 0

    def reset(self) -> None:
        self._tries = 0

    def next_seconds(self) -> float:
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 - spreads polls, guards nothing
        seconds: float = _SHORTEST_POLL * (1 + jitter * (2**self._tries - 1))
        if seconds >= self._longest:
            return self._longest  # and the exponent stays where it is
        self._tries += 1
        return seconds


class Verdict(enum.Enum):
    """What becomes of a message after its turn."""

    DELETE = enum.auto()
    PUT_BACK = enum.auto()
    BURY = enum.auto()


@dataclass
class HeldMessage:
    """A message that this host has hidden from others; each renewal gives it a new receipt."""

    message: QueueMessage
    receipt: str


class QueueListener:
    """Serves one queue-triggered function. `lease_seconds` is how long a received message stays hidden unless renewed;
    `poison` is None for a queue that is itself a poison queue.
    """

    def __init__(
        self,
        function: Function,
        queue: QueueClient,
        poison: QueueClient | None,
        settings: QueueSettings,
        invoker: Invoker,
        lease_seconds: int,
    ) -> None:
        self._function = function
        self._queue = queue
        self._poison = poison
        self._settings = settings
        self._invoker = invoker
        self._lease_seconds = lease_seconds
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Serves the queue until the host stops; messages in progress are finished first."""
        backoff = Backoff(self._settings.max_polling_interval_seconds)
        async with asyncio.TaskGroup() as group:
            while not stopping.is_set():
                await self._wait_for_room()
                messages = [] if stopping.is_set() else await self._receive()
                if not messages:
                    await is_set_within(stopping, backoff.next_seconds())
                    continue
                backoff.reset()
                for message in messages:
                    self._start(group, message)

    async def _wait_for_room(self) -> None:
        while len(self._running) > self._settings.new_batch_threshold:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _receive(self) -> list[QueueMessage]:
        """Nothing where the queue does not exist yet: the host does not create a trigger's queue."""
        size = self._settings.batch_size
        pages = self._queue.receive_messages(messages_per_page=size, max_messages=size, visibility_timeout=self._lease_seconds)
        try:
            return [message async for message in pages]
        except ResourceNotFoundError:
            return []
        except AzureError as error:
            _log.warning("queue %s cannot be polled: %s", self._queue.queue_name, _first_line(error))
            return []

    def _start(self, group: asyncio.TaskGroup, message: QueueMessage) -> None:
        task = group.create_task(self._process(HeldMessage(message, str(message.pop_receipt))))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _process(self, held: HeldMessage) -> None:
        """Where storage refuses to settle a message, it comes back by itself when its lease ends."""
        try:
            await self._settle(held, await self._judge(held))
        except AzureError as error:
            _log.warning("queue %s: a message was not settled: %s", self._queue.queue_name, _first_line(error))

    async def _judge(self, held: HeldMessage) -> Verdict:
        tries = _dequeue_count(held.message)
        if tries > self._settings.max_dequeue_count:
            return Verdict.BURY  # tried often enough already, by a host that died each time
        try:
            body = decode_body(str(held.message.content), is_base64=self._settings.base64)
        except ValueError:
            _log.warning("queue %s: message %s is not base64", self._queue.queue_name, held.message.id)
            return Verdict.BURY
        if await self._invoke(held, body):
            return Verdict.DELETE
        return Verdict.BURY if tries == self._settings.max_dequeue_count else Verdict.PUT_BACK

    async def _invoke(self, held: HeldMessage, body: bytes) -> bool:
        done = asyncio.Event()
        renewal = asyncio.create_task(self._keep_hidden(held, done))
        try:
            is_binary = self._function.trigger.text("dataType").lower() == "binary"
            value = Datum(body, "bytes") if is_binary else Datum(body.decode("utf-8", "replace"), "string")
            outcome = await self._invoker.invoke(self._function, value, message_metadata(held.message))
        finally:
            done.set()  # a renewal on its way is let through, as only it knows the new receipt
            await renewal
        return outcome.succeeded

    async def _keep_hidden(self, held: HeldMessage, done: asyncio.Event) -> None:
        while not await is_set_within(done, self._lease_seconds / 2):
            try:
                renewed = await self._queue.update_message(held.message, held.receipt, visibility_timeout=self._lease_seconds)
                held.receipt = str(renewed.pop_receipt)
            except AzureError as error:
                _log.warning("queue %s: a lease was not renewed: %s", self._queue.queue_name, _first_line(error))

    async def _settle(self, held: HeldMessage, verdict: Verdict) -> None:
        if verdict is Verdict.DELETE:
            await self._queue.delete_message(held.message, held.receipt)
        elif self._poison is None:
            return  # left hidden until the lease ends, which keeps a poison queue from spinning
        elif verdict is Verdict.BURY:
            await self._bury(held, self._poison)
        else:
            delay = round(self._settings.visibility_timeout_seconds)
            await self._queue.update_message(held.message, held.receipt, visibility_timeout=delay)

    async def _bury(self, held: HeldMessage, poison: QueueClient) -> None:
        await send_creating(poison, [str(held.message.content)])
        await self._queue.delete_message(held.message, held.receipt)
        _log.warning("queue %s: message %s is in the poison queue", self._queue.queue_name, held.message.id)


def decode_body(content: str, *, is_base64: bool) -> bytes:
    """Raises ValueError where `content` is to be base64 and is not."""
    return base64.b64decode(content, validate=True) if is_base64 else content.encode("utf-8")


def message_metadata(message: QueueMessage) -> Mapping[str, Datum]:
    """The trigger metadata that the worker library's QueueMessage reads, each in the form the host gives it."""
    return {
        "Id": Datum(message.id, "string"),
        "PopReceipt": Datum(message.pop_receipt, "string"),
        "DequeueCount": _json(_dequeue_count(message)),
        "InsertionTime": _json(_iso(message.inserted_on)),
        "ExpirationTime": _json(_iso(message.expires_on)),
        "NextVisibleTime": _json(_iso(message.next_visible_on)),
    }


def _json(value: Any) -> Datum:
    return Datum(json.dumps(value), "json")


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _dequeue_count(message: QueueMessage) -> int:
    return int(message.dequeue_count or 0)


def _first_line(error: AzureError) -> str:
    return str(error).partition("\n")[0]
