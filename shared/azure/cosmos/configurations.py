"""Container `configurations`: what Sluice last asked each fluxConfiguration to be."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.configurations import Configuration
from shared.ports import Sealer

CONFIGURATION: Document[Configuration] = Document(
    struct=Configuration,
    kind="configuration",
    version=1,
    container="configurations",
    place=lambda configuration: (configuration.cluster_id, configuration.id),
    clear=frozenset({"id", "clusterId", "subscription", "sequence", "rolloutId", "revision", "appliedAt", "holder", "heldUntil"}),
    scope=lambda configuration: configuration.subscription,
)


@dataclass(frozen=True)
class CosmosConfigurations:
    """Implements ports.Configurations and ports.AskedStates."""

    database: Database
    sealer: Sealer

    async def get(self, cluster_id: str, configuration_id: str) -> tuple[Configuration, str]:
        found = await self._shelf.get(cluster_id, configuration_id)
        return found or (Configuration(id=configuration_id, cluster_id=cluster_id, subscription=""), "")

    async def save(self, configuration: Configuration, etag: str) -> str:
        return await self._shelf.save(configuration, etag)

    async def asked_since(self, since: datetime | None) -> AsyncIterator[Configuration]:
        """Of the partitions only those that hold a match cost anything: `appliedAt` is indexed."""
        text = "SELECT * FROM c WHERE c.type = 'configuration' AND c.appliedAt >= @since"
        earliest = msgspec.to_builtins(since) if since else ""
        async for document in self.database.query("configurations", text, {"@since": earliest}):
            yield await self._shelf.decode(document)

    @property
    def _shelf(self) -> Shelf[Configuration]:
        return Shelf(self.database, self.sealer, CONFIGURATION)
