"""Revisions as Flux writes them."""

import re

from shared.domain.record import Record

_DIGEST = re.compile(r"(?:^|[@/])(?:sha1:|sha256:)?(?P<hash>[0-9a-f]{40}|[0-9a-f]{64})$", re.ASCII | re.IGNORECASE)


class Revision(Record, frozen=True):
    """A parsed revision: `name` is the branch or tag ("" where none is given), `hash` the commit or digest in hexadecimal."""

    name: str
    hash: str


def is_no_commit(commit: str) -> bool:
    """Whether Git means "none" (gitrepository-layout's zero id, of 40 or 64 digits)."""
    return not commit.strip("0")


def parse_revision(text: str | None) -> Revision | None:
    """Reads `main@sha1:<hex>`, `main/<hex>` (before Flux 2.0), `sha1:<hex>`, `sha256:<hex>` and a bare hash; None for anything else.

    Source: Flux RFC-0005, and the sample responses of Microsoft.KubernetesConfiguration.
    """
    written = (text or "").strip()
    match = _DIGEST.search(written)
    return Revision(name=written[: match.start()], hash=match["hash"].lower()) if match else None


def contains_commit(text: str | None, commit: str) -> bool:
    """Whether a synced revision is the asked commit."""
    revision = parse_revision(text)
    return revision is not None and revision.hash == commit.lower()
