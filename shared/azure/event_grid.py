"""Azure Event Grid's custom topics, through Microsoft's client."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.azure.errors import azure_errors
from shared.domain.errors import Rejected

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.eventgrid.aio import EventGridPublisherClient


class EventGridTopics:
    """Implements ports.EventTopics. One client a topic and key, for the life of the process."""

    def __init__(self, credential: "AsyncTokenCredential") -> None:
        self._credential = credential
        self._clients: dict[tuple[str, str], EventGridPublisherClient] = {}

    async def publish(self, topic: str, events: Sequence[Mapping[str, object]], *, key: str = "") -> None:
        """One request. It is not tried again here: messages are, for a day."""
        if not topic.startswith("https://"):
            raise Rejected("the topic's address is not an https address", code="InvalidAddress")
        given: list[Any] = [dict(event) for event in events]  # the client takes CloudEvents as they are written in JSON, too
        with azure_errors("Event Grid"):
            await self._connect(topic, key).send(given)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    def _connect(self, topic: str, key: str) -> "EventGridPublisherClient":
        known = self._clients.get((topic, key))
        if known is None:
            from azure.core.credentials import AzureKeyCredential
            from azure.eventgrid.aio import EventGridPublisherClient

            credential = AzureKeyCredential(key) if key else self._credential
            known = EventGridPublisherClient(
                topic, credential, connection_timeout=5, read_timeout=15, retry_total=0, permit_redirects=False
            )
            self._clients[topic, key] = known
        return known
