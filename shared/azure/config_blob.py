"""sluice.yaml in Blob Storage, so that a new version needs no deployment."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from shared.azure.errors import azure_errors
from shared.config.loader import MAX_CONFIG_BYTES
from shared.config.models import Config
from shared.config.source import ConfigInForce
from shared.domain.errors import Malformed, Rejected, Upstream

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import BlobClient

_LOOK_EVERY_SECONDS = 10.0
_NOT_MODIFIED = 304


class ConfigBlob:
    """A blob by its https address, with the app's identity, or with the address' own SAS. Asked for at most every 10 seconds, and
    sent again by the service only when its ETag changed.
    """

    def __init__(self, url: str, credential: "AsyncTokenCredential", monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._name = urlsplit(url).path.rsplit("/", 1)[-1]
        self._credential = None if "sig" in parse_qs(urlsplit(url).query) else credential
        self._monotonic = monotonic
        self._client: BlobClient | None = None
        self._etag = ""
        self._looked_at = float("-inf")
        self._in_force = ConfigInForce()

    @property
    def problem(self) -> str:
        return self._in_force.problem

    async def latest(self) -> Config:
        """The configuration in force. Raises Malformed when there has never been a good one."""
        if not self._in_force.is_loaded or self._monotonic() - self._looked_at >= _LOOK_EVERY_SECONDS:
            self._looked_at = self._monotonic()
            await self._look()
        return self._in_force.current()

    async def check(self) -> None:
        """Raises Malformed when there is no configuration, or when its newest version is refused."""
        await self.latest()
        if self.problem:
            raise Malformed(self.problem)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _look(self) -> None:
        """An outage of the storage is no reason to stop: what is in force stays."""
        try:
            found = await self._download()
        except Upstream as error:
            self._etag = ""  # so that the next answer is the whole version again, which clears the problem
            self._in_force.refuse(f"{self._name} cannot be read: {type(error).__name__} {error.code}; app setting SLUICE_CONFIG names it")
            return
        if found is not None:
            content, self._etag = found
            self._in_force.offer(content, self._name)

    async def _download(self) -> tuple[bytes, str] | None:
        """The content and its ETag; None where it is the one that we have."""
        from azure.core import MatchConditions

        condition: dict[str, Any] = {"etag": self._etag, "match_condition": MatchConditions.IfModified} if self._etag else {}
        try:
            with azure_errors("Blob Storage"):
                stream = await self._connect().download_blob(length=MAX_CONFIG_BYTES + 1, offset=0, **condition)
                return await stream.readall(), str(stream.properties.etag)
        except Rejected as error:
            if error.code in ("ConditionNotMet", str(_NOT_MODIFIED)):
                return None
            raise

    def _connect(self) -> "BlobClient":
        if self._client is None:
            from azure.storage.blob.aio import BlobClient

            self._client = BlobClient.from_blob_url(
                self._url,
                credential=self._credential,
                retry_total=1,
                initial_backoff=1,
                increment_base=1,
                connection_timeout=5,
                read_timeout=10,
            )
        return self._client
