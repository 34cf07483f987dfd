"""Azure Monitor's Logs Ingestion API, through Microsoft's client."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.azure.errors import azure_errors

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.monitor.ingestion.aio import LogsIngestionClient


class LogsIngestion:
    """Implements ports.LogRows. `endpoint` is the rule's or a data collection endpoint's, `rule` the rule's immutable id (dcr-...)."""

    def __init__(self, credential: "AsyncTokenCredential", endpoint: str, rule: str) -> None:
        self._credential = credential
        self._endpoint = endpoint
        self._rule = rule
        self._client: LogsIngestionClient | None = None

    async def add(self, stream: str, rows: Sequence[Mapping[str, object]]) -> None:
        """One call; the client waits and tries again where the service answers 429 or 5xx, three times."""
        given: list[Any] = [dict(row) for row in rows]
        with azure_errors("Azure Monitor"):
            await self._connect().upload(rule_id=self._rule, stream_name=stream, logs=given)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _connect(self) -> "LogsIngestionClient":
        if self._client is None:
            from azure.monitor.ingestion.aio import LogsIngestionClient

            self._client = LogsIngestionClient(self._endpoint, self._credential, connection_timeout=5, read_timeout=30, retry_total=3)
        return self._client
