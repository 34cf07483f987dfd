"""A DataKeyStore in memory, and a key wrapper that can be cut off."""

from shared.azure.data_keys import KeyRecord, KeyWrapper
from shared.azure.key_vault import Wrapped
from shared.domain.errors import Conflict, Unavailable


class MemoryKeyStore:
    def __init__(self) -> None:
        self.records: dict[str, tuple[KeyRecord, str]] = {}
        self.created = 0
        self.is_down = False

    async def get(self, scope: str) -> tuple[KeyRecord, str] | None:
        if self.is_down:
            raise Unavailable("store")
        return self.records.get(scope)

    async def create(self, record: KeyRecord) -> None:
        if record.scope in self.records:
            raise Conflict(record.scope)
        self.created += 1
        self.records[record.scope] = (record, "1")

    async def replace(self, record: KeyRecord, etag: str) -> None:
        if self.records[record.scope][1] != etag:
            raise Conflict(record.scope)
        self.records[record.scope] = (record, str(int(etag) + 1))

    def shred(self, scope: str) -> None:
        del self.records[scope]


class CuttableWrapper:
    """Passes everything on to the real wrapper until it is cut off."""

    def __init__(self, inner: KeyWrapper) -> None:
        self._inner = inner
        self.is_down = False
        self.wraps = 0
        self.unwraps = 0

    async def wrap(self, data_key: bytes) -> Wrapped:
        self._check()
        self.wraps += 1
        return await self._inner.wrap(data_key)

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        self._check()
        self.unwraps += 1
        return await self._inner.unwrap(wrapped)

    def _check(self) -> None:
        if self.is_down:
            raise Unavailable("vault")


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds
