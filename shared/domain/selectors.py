"""Which clusters and fluxConfigurations a rule means."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

import msgspec

from shared.domain.observations import FluxConfiguration


class Selector(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """All named conditions must hold; an empty selector matches everything. Values are shell patterns, compared without case."""

    tags: dict[str, str] = {}
    location: str = "*"
    resource_group: str = "*"
    subscription: str = "*"
    distribution: str = "*"
    kubernetes_version: str = "*"
    cluster: str = "*"
    configuration: str = "*"

    def matches(self, found: FluxConfiguration) -> bool:
        tags = {key.lower(): value for key, value in found.tags.items()}
        return all(key.lower() in tags and _like(tags[key.lower()], pattern) for key, pattern in self.tags.items()) and all(
            _like(value, pattern)
            for value, pattern in (
                (found.location, self.location),
                (found.resource_group, self.resource_group),
                (found.subscription, self.subscription),
                (found.distribution, self.distribution),
                (found.kubernetes_version, self.kubernetes_version),
                (found.cluster_name, self.cluster),
                (found.name, self.configuration),
            )
        )


def matches_ref(ref: str, pattern: str) -> bool:
    """Refs keep their case, as in Git."""
    return fnmatchcase(ref, pattern)


def matches_paths(touched: tuple[str, ...] | None, patterns: Iterable[str]) -> bool:
    """Whether a change concerns any of `patterns` (`**` and `*` both cross folders). Unknown paths, or no patterns, match."""
    patterns = tuple(patterns)
    return touched is None or not patterns or any(fnmatchcase(path, pattern) for path in touched for pattern in patterns)


def matches_name(name: str, patterns: Iterable[str]) -> bool:
    """Whether a fluxConfiguration's name is one of `patterns`; no patterns match every name."""
    patterns = tuple(patterns)
    return not patterns or any(_like(name, pattern) for pattern in patterns)


def _like(value: str, pattern: str) -> bool:
    return pattern == "*" or fnmatchcase(value.lower(), pattern.lower())
