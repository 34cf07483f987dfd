"""The `queue` output binding: what a function returns or sets goes to a queue, which is created if it is missing."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient
from azure_functions_runtime.bindings.datumdef import Datum

from local.host.bindings import Function
from local.host.errors import HostError
from local.host.storage import StorageClients


def encode_body(body: bytes, *, as_base64: bool) -> str:
    return base64.b64encode(body).decode("ascii") if as_base64 else body.decode("utf-8")


def message_bodies(datum: Datum) -> list[bytes]:
    """The messages that one output value stands for: JSON lists are one message an item, and the library writes a
    func.QueueMessage as {"id", "body"}.
    """
    if datum.type == "bytes":
        return [datum.value]
    if datum.type == "string":
        return [datum.value.encode("utf-8")]
    value = json.loads(datum.value)
    return [_body(item) for item in (value if isinstance(value, list) else [value])]


def _body(item: Any) -> bytes:
    if isinstance(item, dict):
        item = item["body"]
    return str(item).encode("utf-8")


async def send_creating(queue: QueueClient, contents: Sequence[str]) -> None:
    """Sends raw message texts; creates the queue when the service says that it is missing."""
    for content in contents:
        try:
            await queue.send_message(content)
        except ResourceNotFoundError:
            await create_if_missing(queue)
            await queue.send_message(content)


async def create_if_missing(queue: QueueClient) -> None:
    try:
        await queue.create_queue()
    except ResourceExistsError:
        return  # somebody else was faster, which is as good


class QueueOutputs:
    """Sends the queue outputs of every function; connections are resolved when it is made, so that errors come early."""

    def __init__(self, functions: Sequence[Function], storage: StorageClients, *, as_base64: bool) -> None:
        self._as_base64 = as_base64
        self._queues = {
            (function.name, output.name): _open(function, output.name, storage)
            for function in functions
            for output in function.outputs
            if output.type == "queue"
        }

    async def send(self, function: Function, outputs: Mapping[str, Datum]) -> None:
        """Raises AzureError where the storage service does not take a message."""
        for name, datum in outputs.items():
            queue = self._queues.get((function.name, name))
            if queue is not None and datum.value is not None:
                bodies = message_bodies(datum)
                await send_creating(queue, [encode_body(body, as_base64=self._as_base64) for body in bodies])


def _open(function: Function, output_name: str, storage: StorageClients) -> QueueClient:
    output = next(output for output in function.outputs if output.name == output_name)
    try:
        return storage.queues(output.text("connection")).get_queue_client(output.text("queueName"))
    except (HostError, ValueError) as error:
        raise HostError(f"function {function.name}, binding {output_name}: {error}") from error
