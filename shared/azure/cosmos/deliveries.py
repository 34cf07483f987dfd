"""Container `notifications`: grouped messages on their way to a channel."""

from dataclasses import dataclass

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.deliveries import Delivery
from shared.domain.errors import Conflict
from shared.ports import Sealer

DELIVERY: Document[Delivery] = Document(
    struct=Delivery,
    kind="delivery",
    version=1,
    container="notifications",
    place=lambda delivery: (delivery.channel, delivery.id),
    clear=frozenset({"id", "channel", "dueAt", "createdAt", "state", "attempts", "heldUntil"}),
)


@dataclass(frozen=True)
class CosmosDeliveries:
    """Implements ports.Deliveries."""

    database: Database
    sealer: Sealer

    async def get(self, channel: str, delivery_id: str) -> tuple[Delivery, str] | None:
        return await self._shelf.get(channel, delivery_id)

    async def create(self, delivery: Delivery) -> bool:
        try:
            await self._shelf.save(delivery, "")
        except Conflict:
            return False
        return True

    async def save(self, delivery: Delivery, etag: str) -> str:
        return await self._shelf.save(delivery, etag)

    async def count_failed(self) -> int:
        """Implements ports.GivenUp."""
        text = "SELECT c.id FROM c WHERE c.type = 'delivery' AND c.state = 'failed'"
        return len([document async for document in self.database.query("notifications", text, {})])

    @property
    def _shelf(self) -> Shelf[Delivery]:
        return Shelf(self.database, self.sealer, DELIVERY)
