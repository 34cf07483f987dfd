"""Revisions as Flux writes them."""

import re

from shared.domain.record import Record

_DIGEST = re.compile(r"(?:^|[@/])(?:sha1:|sha256:)?(?P<hash>[0-9a-f]{40}|[0-9a-f]{64})$")
NO_COMMIT = "0" * 40


class Revision(Record, frozen=True):
    """A parsed revision: `name` is the branch or tag ("" where none is given), `hash` the commit or digest in hexadecimal."""

    name: str
    hash: str


def parse_revision(text: str | None) -> Revision | None:
    """Reads `main@sha1:<hex>`, `main/<hex>` (before Flux 2.0), `sha1:<hex>`, `sha256:<hex>` and a bare hash; None for anything else.

    Source: Flux RFC-0005, and the sample responses of Microsoft.KubernetesConfiguration.
    """
    match = _DIGEST.search((text or "").strip().lower())
    if not match or text is None:
        return None
    return Revision(name=text.strip()[: match.start()], hash=match["hash"])


def contains_commit(text: str | None, commit: str) -> bool:
    """Whether a synced revision is the asked commit."""
    revision = parse_revision(text)
    return revision is not None and revision.hash == commit.lower()
