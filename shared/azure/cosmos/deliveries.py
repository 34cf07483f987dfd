"""Container `notifications`: grouped messages on their way to a channel."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.azure.cosmos.database import Database, Json
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.deliveries import KEPT_UNDELIVERED, Delivery, DeliveryState
from shared.domain.errors import Conflict
from shared.ports import Sealer

DELIVERY: Document[Delivery] = Document(
    struct=Delivery,
    kind="delivery",
    version=1,
    container="notifications",
    place=lambda delivery: (delivery.channel, delivery.id),
    clear=frozenset({"id", "channel", "dueAt", "createdAt", "state", "attempts", "heldUntil"}),
    lives_seconds=lambda delivery: int(KEPT_UNDELIVERED.total_seconds()) if delivery.state == "failed" else None,
)
_END_OF_TIME = "9999"  #: later than every time, as text


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

    async def newest(self, state: DeliveryState, limit: int, continuation: str) -> tuple[list[Delivery], str | None]:
        """For people, so it may cross partitions. The continuation is the last one's time of creation and those of that very time that
        were given, since many are created at once.
        """
        before, *given = (continuation or _END_OF_TIME).split(",")
        older = "(c.createdAt < @before OR (c.createdAt = @before AND NOT ARRAY_CONTAINS(@given, c.id)))"
        wanted = f"c.type = 'delivery' AND c.state = @state AND {older} ORDER BY c.createdAt DESC"
        text = f"SELECT TOP {int(limit)} * FROM c WHERE {wanted}"  # noqa: S608 -- our own fields' names
        parameters = {"@state": state, "@before": before, "@given": given}
        documents = [document async for document in self.database.query("notifications", text, parameters)]
        more = _continuation(documents, before, given) if len(documents) == limit else None
        return [await self._shelf.decode(document) for document in documents], more

    async def count_failed(self) -> int:
        """Implements ports.GivenUp."""
        text = "SELECT c.id FROM c WHERE c.type = 'delivery' AND c.state = 'failed'"
        return len([document async for document in self.database.query("notifications", text, {})])

    @property
    def _shelf(self) -> Shelf[Delivery]:
        return Shelf(self.database, self.sealer, DELIVERY)


def _continuation(documents: Sequence[Json], before: str, given: Sequence[str]) -> str:
    last = documents[-1]["createdAt"]
    same = [document["id"] for document in documents if document["createdAt"] == last]
    return ",".join([last, *(given if last == before else ()), *same])
