"""Connections to Azure Storage: a binding's `connection` names a setting, which holds a connection string."""

from collections.abc import Mapping
from typing import Any, Final

from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from local.host.errors import HostError

DEFAULT_CONNECTION: Final = "AzureWebJobsStorage"
# Seconds. The SDK's own first wait of 15 s would outlast an Azurite that restarts.
_RETRY: Final[Mapping[str, Any]] = {"initial_backoff": 1, "increment_base": 2, "random_jitter_range": 1, "retry_total": 2}


def connection_string(name: str, environment: Mapping[str, str]) -> str:
    """The connection string behind the connection `name`: the setting of that name, or AzureWebJobs + name.

    Raises HostError where neither is set, also where only an identity (NAME__queueServiceUri) is.
    """
    name = name or DEFAULT_CONNECTION
    for setting in (name, f"AzureWebJobs{name}"):
        if environment.get(setting):
            return environment[setting]
    if any(key.startswith(f"{name}__") for key in environment):
        raise HostError(
            f"connection {name} is set for a managed identity ({name}__...), which this local host does not do: "
            f"set {name} to a connection string or to UseDevelopmentStorage=true"
        )
    raise HostError(f"connection {name}: the setting {name} is not set")


class StorageClients:
    """One queue client and one blob client a connection, opened on first use and closed together."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._queues: dict[str, QueueServiceClient] = {}
        self._blobs: dict[str, BlobServiceClient] = {}

    def queues(self, connection: str) -> QueueServiceClient:
        """Raises HostError where `connection` is not set or is no connection string."""
        text = connection_string(connection, self._environment)
        if text not in self._queues:
            try:
                self._queues[text] = QueueServiceClient.from_connection_string(text, **_RETRY)
            except ValueError as error:
                raise HostError(f"connection {connection or DEFAULT_CONNECTION}: {error}") from error
        return self._queues[text]

    def blobs(self, connection: str) -> BlobServiceClient:
        """Raises HostError where `connection` is not set or is no connection string."""
        text = connection_string(connection, self._environment)
        if text not in self._blobs:
            try:
                self._blobs[text] = BlobServiceClient.from_connection_string(text, **_RETRY)
            except ValueError as error:
                raise HostError(f"connection {connection or DEFAULT_CONNECTION}: {error}") from error
        return self._blobs[text]

    async def close(self) -> None:
        for queue_client in self._queues.values():
            await queue_client.close()
        for blob_client in self._blobs.values():
            await blob_client.close()
