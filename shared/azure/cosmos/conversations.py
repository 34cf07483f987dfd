"""Container `rollouts`: what a provider shows of a rollout, in a partition of its own. It lives as long as the rollouts do."""

from dataclasses import dataclass

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.conversations import Conversation
from shared.ports import Sealer

_ITEM = "conversation"

CONVERSATION: Document[Conversation] = Document(
    struct=Conversation,
    kind="conversation",
    version=1,
    container="rollouts",
    place=lambda conversation: (conversation.id, _ITEM),
    clear=frozenset({"openingSince", "shownAt", "attempts", "failingSince", "heldUntil", "wakeAt"}),
)


@dataclass(frozen=True)
class CosmosConversations:
    """Implements ports.Conversations."""

    database: Database
    sealer: Sealer

    async def get(self, conversation_id: str) -> tuple[Conversation, str] | None:
        return await self._shelf.get(conversation_id, _ITEM)

    async def save(self, conversation: Conversation, etag: str) -> str:
        return await self._shelf.save(conversation, etag)

    @property
    def _shelf(self) -> Shelf[Conversation]:
        return Shelf(self.database, self.sealer, CONVERSATION)
