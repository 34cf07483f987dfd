"""The base of every value that is stored or sent."""

from hashlib import sha256

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=False):
    """An immutable value with camelCase names on the wire.

    Unknown fields are ignored, so that an older version can read a newer document.
    """


def digest(*parts: str) -> str:
    """A stable id of `parts`: 32 hexadecimal characters of a SHA-256 over their length-prefixed join, so that no two lists collide."""
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()[:32]
