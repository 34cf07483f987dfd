"""Documents by id, each with a counter as its ETag."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from shared.domain.errors import Conflict

T = TypeVar("T")


class Table(Generic[T]):
    """ETag "" stands for a document that is not there."""

    def __init__(self) -> None:
        self._saved: dict[str, tuple[T, int]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._saved

    def __iter__(self) -> Iterator[T]:
        return (document for document, _ in self._saved.values())

    def items(self) -> Iterator[tuple[str, T]]:
        return ((key, document) for key, (document, _) in self._saved.items())

    def drop(self, key: str) -> None:
        self._saved.pop(key, None)

    def get(self, key: str) -> tuple[T, str] | None:
        found = self._saved.get(key)
        return (found[0], str(found[1])) if found else None

    def check(self, key: str, etag: str) -> None:
        """Raises Conflict when what is saved is not at `etag`."""
        found = self._saved.get(key)
        if (str(found[1]) if found else "") != etag:
            raise Conflict(key)

    def put(self, key: str, document: T) -> str:
        """Saves it whatever is there; the new ETag."""
        found = self._saved.get(key)
        version = found[1] + 1 if found else 1
        self._saved[key] = document, version
        return str(version)

    def save(self, key: str, document: T, etag: str) -> str:
        self.check(key, etag)
        return self.put(key, document)
