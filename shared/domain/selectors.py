"""Which clusters and fluxConfigurations a rule means."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

import msgspec

from shared.domain.clusters import OnCluster


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

    def matches(self, found: OnCluster) -> bool:
        # Spelt out, since a plan asks this of tens of thousands.
        return (
            _like(found.location, self.location)
            and _like(found.resource_group, self.resource_group)
            and _like(found.subscription, self.subscription)
            and _like(found.distribution, self.distribution)
            and _like(found.kubernetes_version, self.kubernetes_version)
            and _like(found.cluster_name, self.cluster)
            and _like(found.name, self.configuration)
            and (not self.tags or self._has_tags(found.tags))
        )

    def _has_tags(self, found: dict[str, str]) -> bool:
        tags = {key.lower(): value for key, value in found.items()}
        return all(key.lower() in tags and _like(tags[key.lower()], pattern) for key, pattern in self.tags.items())


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
