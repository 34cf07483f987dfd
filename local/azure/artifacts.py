"""OCI artifacts that fluxConfigurations may name: which digest each tag of a repository stands for."""

from local.azure.git_source import Resolved, SourceError
from local.azure.semver import highest


class Artifacts:
    def __init__(self) -> None:
        self._tags: dict[str, dict[str, str]] = {}
        self._pushed: set[tuple[str, str]] = set()

    def register(self, url: str, tag: str, digest: str) -> None:
        """Points a tag at a digest, as a push does. Raises ValueError unless the digest is `sha256:` and its hex."""
        algorithm, _, value = digest.partition(":")
        if algorithm != "sha256" or len(value) != 64:
            raise ValueError(f"digest must be sha256:<64 hex digits>, not {digest!r}")
        self._tags.setdefault(url.lower(), {})[tag] = value
        self._pushed.add((url.lower(), value))

    def resolve(self, url: str, reference: dict[str, str | None]) -> Resolved:
        """Follows Flux's precedence: digest, then semver, then tag, which is latest by default. Raises SourceError."""
        tags = self._tags.get(url.lower(), {})
        tag = reference.get("tag") or "latest"
        if digest := reference.get("digest"):
            value = digest.removeprefix("sha256:")
            if (url.lower(), value) not in self._pushed:
                raise SourceError(f"failed to determine artifact digest: GET {url}: MANIFEST_UNKNOWN: manifest unknown")
            return Resolved(value, str(reference.get("tag") or ""), "sha256")
        if constraint := reference.get("semver"):
            tag = highest(list(tags), constraint) or ""
        if tag not in tags:
            raise SourceError(f"failed to determine artifact digest: GET {url}: MANIFEST_UNKNOWN: manifest unknown")
        return Resolved(tags[tag], tag, "sha256")
