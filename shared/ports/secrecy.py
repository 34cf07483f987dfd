"""Secrets, and what seals records."""

from datetime import datetime
from typing import Protocol


class Secrets(Protocol):
    """Where secret references lead."""

    async def get(self, reference: str) -> str:
        """The value behind `kv://vault/name`, `kv://vault/name/version` or `env://NAME`.

        Raises NotFound when there is none, Malformed when the reference has another form, Unavailable when the vault
        cannot be reached.
        """
        ...


class SecretExpiries(Protocol):
    """Until when secrets are good."""

    async def expires_at(self, reference: str) -> datetime | None:
        """None where it has no end, as every `env://NAME`. Asked anew each time. Raises as `Secrets.get`, and Rejected or Throttled."""
        ...


class Sealer(Protocol):
    """Encrypts what a document holds beside ids, hashes, states and times."""

    async def seal(self, data: bytes, *, scope: str, binding: str) -> str:
        """A JWE (RFC 7516, compact) of `data` under the newest data key of `scope`; it opens only with the same `binding`."""
        ...

    async def open(self, token: str, *, binding: str) -> bytes:
        """The data again. Raises Sealed when the token was made for another binding, was changed, or its key is gone."""
        ...
