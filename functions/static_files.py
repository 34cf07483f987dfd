"""The dashboard's files, read once: they are part of the deployed package."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parents[1] / "dashboard"
_PAGE: Final = "index.html"
_MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
#: Stands in the page where the version belongs, which makes each file's address its own: a new version is never mixed with an old one.
_PLACE: Final = b"{version}"


@dataclass(frozen=True)
class StaticFile:
    content: bytes
    media_type: str

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


@cache
def page() -> StaticFile:
    return StaticFile((_FOLDER / _PAGE).read_bytes().replace(_PLACE, version().encode()), "text/html")


@cache
def assets() -> dict[str, StaticFile]:
    """By name: these, and nothing else, are served. No path is ever made of what a request says."""
    files = sorted(path for path in _FOLDER.iterdir() if path.suffix in _MEDIA_TYPES)
    return {path.name: StaticFile(path.read_bytes(), _MEDIA_TYPES[path.suffix]) for path in files}


@cache
def version() -> str:
    """The same for the same files, on every instance."""
    digest = hashlib.sha256()
    for name, file in assets().items():
        digest.update(f"{name} {len(file.content)}\n".encode() + file.content)
    return digest.hexdigest()[:16]
