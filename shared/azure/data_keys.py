"""Data keys: one random 256-bit key a scope and version, stored wrapped, unwrapped in memory for minutes."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import msgspec

from shared.azure.key_vault import Wrapped
from shared.azure.remembered import Remembered
from shared.domain.errors import Conflict, NotFound, Sealed

if TYPE_CHECKING:
    from joserfc.jwk import OctKey

KEY_BYTES = 32  # A256GCM, RFC 7518 section 5.3


class KeyVersion(msgspec.Struct, frozen=True, rename={"created_at": "createdAt"}):
    """One data key of a scope; `n` counts from 1 and is never used twice within a record."""

    n: int
    kid_of_kek: str
    wrapped: bytes
    created_at: datetime


class KeyRecord(msgspec.Struct, frozen=True):
    """The data keys of one scope, oldest first, as they are stored."""

    scope: str
    versions: tuple[KeyVersion, ...]

    def find(self, n: int) -> KeyVersion | None:
        return next((version for version in self.versions if version.n == n), None)

    def with_version(self, version: KeyVersion) -> "KeyRecord":
        return KeyRecord(self.scope, (*self.versions, version))


class KeyGone(Sealed):
    """The data key was destroyed, and with it what it sealed."""


class DataKeyStore(Protocol):
    """Where wrapped data keys are kept. Deleting a scope's record shreds everything that was sealed under it."""

    async def get(self, scope: str) -> tuple[KeyRecord, str] | None:
        """The record and its ETag. Raises Throttled or Unavailable."""
        ...

    async def create(self, record: KeyRecord) -> None:
        """Raises Conflict when the scope has a record already."""
        ...

    async def replace(self, record: KeyRecord, etag: str) -> None:
        """Raises Conflict when the record is not the one that `etag` names."""
        ...


class KeyWrapper(Protocol):
    """What wraps data keys: KeyEncryptionKey."""

    async def wrap(self, data_key: bytes) -> Wrapped: ...

    async def unwrap(self, wrapped: Wrapped) -> bytes: ...


class DataKeys:
    """Finds, creates and rotates data keys.

    What is in memory is trusted for `seconds`, then read and unwrapped again; while the store or the vault is unreachable it goes on
    opening for up to `outage_seconds`, but makes no new seals, so that a revoked key is not used for new data. A record that was
    deleted is noticed within `seconds`.
    """

    def __init__(
        self,
        store: DataKeyStore,
        wrapper: KeyWrapper,
        *,
        seconds: float,
        outage_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._wrapper = wrapper
        self._now = now
        self._creating = asyncio.Lock()
        self._records = Remembered(self._read, seconds=seconds, stale_seconds=outage_seconds, monotonic=monotonic)
        self._keys = Remembered(self._unwrap, seconds=seconds, stale_seconds=outage_seconds, monotonic=monotonic)

    async def newest(self, scope: str) -> "tuple[int, OctKey]":
        """The key to seal with; the first one of a scope is created here. Raises the store's and the vault's errors."""
        try:
            record = await self._records.get(scope, allow_stale=False)
        except NotFound:
            record = await self._create(scope)
        version = record.versions[-1]
        return version.n, await self._keys.get(version, allow_stale=False)

    async def find(self, scope: str, n: int) -> "OctKey":
        """The key to open with. Raises KeyGone when the scope's keys were destroyed, Sealed when there is no such version."""
        try:
            version = (await self._records.get(scope)).find(n)
            if version is None:
                self._records.forget(scope)  # another process may have rotated since
                version = (await self._records.get(scope)).find(n)
        except NotFound:
            raise KeyGone("the data key is gone") from None
        if version is None:
            raise Sealed("the data key is unknown")
        return await self._keys.get(version)

    async def rotate(self, scope: str) -> int:
        """Adds a version and answers its number. Raises Conflict when the record changed meanwhile, NotFound when there is none."""
        record, etag = await self._stored(scope)
        version = await self._new_version(record.versions[-1].n + 1)
        await self._store.replace(record.with_version(version), etag)
        self._records.forget(scope)
        return version.n

    async def rewrap(self, scope: str) -> None:
        """Wraps every version with the newest key-encryption key; nothing needs sealing again. Raises as `rotate` does."""
        record, etag = await self._stored(scope)
        versions = tuple([await self._rewrapped(version) for version in record.versions])
        await self._store.replace(KeyRecord(scope, versions), etag)
        self._records.forget(scope)

    async def _create(self, scope: str) -> KeyRecord:
        async with self._creating:
            if await self._store.get(scope) is None:
                with contextlib.suppress(Conflict):  # another process was first: its key is the key
                    await self._store.create(KeyRecord(scope, (await self._new_version(1),)))
            self._records.forget(scope)
            return await self._records.get(scope, allow_stale=False)

    async def _new_version(self, n: int) -> KeyVersion:
        wrapped = await self._wrapper.wrap(secrets.token_bytes(KEY_BYTES))
        return KeyVersion(n, wrapped.kid, wrapped.ciphertext, self._now())

    async def _rewrapped(self, version: KeyVersion) -> KeyVersion:
        wrapped = await self._wrapper.wrap(await self._wrapper.unwrap(Wrapped(version.kid_of_kek, version.wrapped)))
        return KeyVersion(version.n, wrapped.kid, wrapped.ciphertext, version.created_at)

    async def _stored(self, scope: str) -> tuple[KeyRecord, str]:
        stored = await self._store.get(scope)
        if stored is None:
            raise NotFound("the scope has no data key")
        return stored

    async def _read(self, scope: str) -> KeyRecord:
        return (await self._stored(scope))[0]

    async def _unwrap(self, version: KeyVersion) -> "OctKey":
        from joserfc.jwk import OctKey

        key = await self._wrapper.unwrap(Wrapped(version.kid_of_kek, version.wrapped))
        if len(key) != KEY_BYTES:
            raise Sealed("the data key has the wrong length")
        return OctKey.import_key(key)
