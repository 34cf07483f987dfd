"""Sealed fields: JWE compact (RFC 7516), `dir` + `A256GCM`, bound to the place where they are stored.

The protected header is {"alg", "enc", "kid": "<scope>.<n>", "bnd": base64url(SHA-256(binding)), "crit": ["bnd"]}: GCM authenticates it,
so neither the key nor the place can be changed. IVs are random, so a data key should seal at most 2**32 fields (NIST SP 800-38D,
section 8.3): rotate long before.
"""

import functools
import hashlib
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from shared.azure.data_keys import DataKeys, DataKeyStore, KeyWrapper
from shared.domain.errors import Malformed, Sealed

if TYPE_CHECKING:
    from joserfc.jwe import JWERegistry

DATA_LIMIT = 1_500_000  # bytes; sealed, they just fit Cosmos DB's 2 MB document
_TOKEN_LIMIT = 2 * 1024 * 1024
_ALGORITHMS = ("dir", "A256GCM")
_SCOPE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_KID = re.compile(rf"({_SCOPE.pattern})\.([1-9][0-9]{{0,8}})")


class EnvelopeSealer:
    """Implements ports.Sealer.

    `key_seconds` is how long unwrapped keys are trusted, `outage_seconds` how long they go on opening (not sealing) while the vault
    or the store cannot be reached. `shred` is the store's: once a scope's record is deleted, `open` raises Sealed.
    """

    def __init__(
        self,
        store: DataKeyStore,
        wrapper: KeyWrapper,
        *,
        key_seconds: float = 10 * 60,
        outage_seconds: float = 24 * 60 * 60,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = DataKeys(store, wrapper, seconds=key_seconds, outage_seconds=outage_seconds, monotonic=monotonic, now=now)

    async def seal(self, data: bytes, *, scope: str, binding: str) -> str:
        """Raises Malformed when `data` or `scope` cannot be sealed, Throttled, Unavailable or Rejected when no key can be had."""
        from joserfc import jwe

        if len(data) > DATA_LIMIT:
            raise Malformed(f"a sealed field holds at most {DATA_LIMIT} bytes")
        if not _SCOPE.fullmatch(scope):
            raise Malformed("a scope is 1 to 128 letters, digits, - and _")
        n, key = await self._keys.newest(scope)
        return jwe.encrypt_compact(_header(f"{scope}.{n}", binding), data, key, registry=_registry())

    async def open(self, token: str, *, binding: str) -> bytes:
        """Raises Sealed, and Throttled, Unavailable or Rejected when the key is not in memory and cannot be had."""
        from joserfc import jwe
        from joserfc.errors import JoseError

        kid, scope, n = _expected(token, binding)
        key = await self._keys.find(scope, n)
        try:
            opened = jwe.decrypt_compact(token, key, registry=_registry())
        except (JoseError, ValueError):
            raise Sealed("the sealed field was changed, or its key was replaced") from None
        if opened.protected != _header(kid, binding) or opened.plaintext is None or not _is_canonical(token):
            raise Sealed("the sealed field belongs to another place, or was changed")
        return opened.plaintext

    async def rotate(self, scope: str) -> int:
        """Adds a data key version; what older versions sealed still opens. Raises Conflict, NotFound and the vault's errors."""
        return await self._keys.rotate(scope)

    async def rewrap(self, scope: str) -> None:
        """Moves the scope's data keys to the newest version of the key-encryption key. Raises as `rotate` does."""
        await self._keys.rewrap(scope)


def _header(kid: str, binding: str) -> dict[str, object]:
    return {"alg": "dir", "enc": "A256GCM", "kid": kid, "bnd": _fingerprint(binding), "crit": ["bnd"]}


def _fingerprint(binding: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(binding.encode()).digest()).rstrip(b"=").decode()


def _expected(token: str, binding: str) -> tuple[str, str, int]:
    """The kid, its scope and version, after a cheap look at the place. Nothing here is trusted until GCM has agreed."""
    if len(token) > _TOKEN_LIMIT:
        raise Sealed("the sealed field is too long")
    try:
        header = msgspec.convert(msgspec.json.decode(_decoded(token.partition(".")[0])), dict[str, object])
    except (ValueError, msgspec.MsgspecError):
        raise Sealed("not a sealed field") from None
    kid = header.get("kid")
    match = _KID.fullmatch(kid) if isinstance(kid, str) else None
    if match is None or header.get("bnd") != _fingerprint(binding):
        raise Sealed("the sealed field belongs to another place")
    return match[0], match[1], int(match[2])


def _is_canonical(token: str) -> bool:
    """Whether there is no other spelling of the same bytes: base64 decoders skip foreign characters and ignore spare bits."""
    _, encrypted_key, *segments = token.split(".")
    return not encrypted_key and all(urlsafe_b64encode(_decoded(part)).rstrip(b"=") == part.encode() for part in segments)


def _decoded(segment: str) -> bytes:
    from joserfc.util import urlsafe_b64decode

    return urlsafe_b64decode(segment.encode())


@functools.cache
def _registry() -> "JWERegistry":
    """The limits that joserfc has are made for tokens in headers (64 KB); ours hold documents."""
    from joserfc.jwe import JWERegistry
    from joserfc.registry import HeaderParameter

    registry = JWERegistry({"bnd": HeaderParameter("Binding", "str", required=True)}, algorithms=_ALGORITHMS)
    registry.max_ciphertext_length = _TOKEN_LIMIT
    return registry
