"""Values that differ from cluster to cluster: a template of text and fields, filled in for one fluxConfiguration."""

import re
from collections.abc import Callable
from functools import lru_cache

from shared.domain.clusters import OnCluster
from shared.domain.errors import Malformed
from shared.domain.record import Record

#: What Flux accepts as the name of a post-build variable (fluxcd.io, Kustomization: post build variable substitution).
NAME_PATTERN = r"^[_A-Za-z][_A-Za-z0-9]*$(?!\n)"
_TAGS = "tags."
_FIELDS: dict[str, Callable[[OnCluster], str]] = {
    "cluster": lambda found: found.cluster_name,
    "clusterId": lambda found: found.cluster_id,
    "location": lambda found: found.location,
    "resourceGroup": lambda found: found.resource_group,
    "subscription": lambda found: found.subscription,
    "distribution": lambda found: found.distribution,
    "kubernetesVersion": lambda found: found.kubernetes_version,
}
_MAX_LENGTH = 1024
_PIECE = re.compile(r"\{\{|\}\}|\{(?P<field>[^{}:]*)(?P<default>:[^{}]*)?\}|(?P<text>[^{}]+)")


class Unfilled(Exception):
    """A template has no value for this cluster; the text says why, and holds nothing that the cluster's tags hold."""


class Field(Record, frozen=True):
    """A part that the cluster gives. `default` takes the place of what it does not have; None = there is none."""

    name: str
    default: str | None

    def value(self, found: OnCluster) -> str:
        """Raises Unfilled. The names of tags are compared without case, as Azure does."""
        if self.name.startswith(_TAGS):
            wanted = self.name.removeprefix(_TAGS).lower()
            value = next((value for name, value in found.tags.items() if name.lower() == wanted), None)
        else:
            value = _FIELDS[self.name](found) or None
        if value is None and self.default is None:
            raise Unfilled(f"the cluster has no {self.name}")
        return self.default or "" if value is None else value


Template = tuple[str | Field, ...]


@lru_cache(maxsize=256)
def parse_template(text: str) -> Template:
    """The parts of a template: text, with `{location}`, `{tags.site}` or `{tags.site:default}` in it; `{{` and `}}` are braces.

    Raises Malformed.
    """
    if len(text) > _MAX_LENGTH or not text.isprintable():
        raise Malformed(f"a value is one line of at most {_MAX_LENGTH} characters")
    parts: list[str | Field] = []
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise Malformed(f"a brace at character {at + 1} has no other end; a brace itself is written twice")
        parts.append(_part(piece))
        at = piece.end()
    return tuple(parts)


def fill(template: Template, found: OnCluster) -> str:
    """The value for one cluster. Raises Unfilled.

    Flux puts values into YAML by replacing text, and whoever may tag a cluster writes tags: what could begin a line is refused.
    """
    value = "".join(part if isinstance(part, str) else part.value(found) for part in template)
    if not value.isprintable():
        raise Unfilled("it would hold characters that cannot be printed")
    if len(value) > _MAX_LENGTH:
        raise Unfilled(f"it would be longer than {_MAX_LENGTH} characters")
    return value


def _part(piece: re.Match[str]) -> str | Field:
    if piece["text"] is not None:
        return piece["text"]
    name, default = piece["field"], piece["default"]
    if name is None:
        return piece[0][0]
    if name not in _FIELDS and not (name.startswith(_TAGS) and len(name) > len(_TAGS)):
        raise Malformed(f"there is no field {{{name}}}; there are {', '.join(_FIELDS)} and tags.NAME")
    return Field(name=name, default=default and default[1:])
