"""What the receivers of registries have in common: which tag of which repository a sender means, and the change that a push of it is."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.domain.changes import Change, change_id
from shared.domain.errors import Malformed, Refused
from shared.domain.record import Record
from shared.domain.sources import canonical_url, source_id
from shared.receivers.inbound import Inbound
from shared.receivers.payloads import invalid
from shared.receivers.verification import verify_token

_MAX_ARTIFACTS = 50  #: in one delivery; each may have to be looked up in its registry before the sender is answered
_MAX_NAME = 512  #: characters of registry and repository
#: github.com/opencontainers/distribution-spec, Pulling manifests; a little wider, since registries are.
_REPOSITORY = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
#: Under a tag made of its digest, things are attached to an artifact: signatures, attestations (same source, Referrers Tag Schema; cosign).
_ATTACHED = re.compile(r"sha256-[0-9a-f]{64}(\..*)?")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class Artifact(Record, frozen=True):
    """One tag of one repository in a registry, and the digest that it names."""

    repository: str  #: host/path, as the sender writes it
    tag: str  #: "", or a digest, where the artifact has no tag
    digest: str = ""  #: sha256:<hex>; anything else counts as unknown


def verify_header(inbound: Inbound, secrets: Sequence[str]) -> None:
    """Checks the header that the sender was told to send: the secret alone, or after `Bearer`. Raises Refused 401."""
    given = inbound.headers.get(inbound.header or "authorization", "")
    scheme, _, token = given.partition(" ")
    verify_token(token.strip() if scheme.lower() == "bearer" else given, secrets)


def own_registry(inbound: Inbound, usual: str = "") -> str:
    """The registry that the receiver's `url` names, which no payload can change: the credentials to ask it may go to no other."""
    return inbound.url.removeprefix("https://").strip("/") or usual


def split_image(image: str) -> Artifact:
    """Reads `host/path:tag` and `host/path@sha256:<hex>`."""
    named, _, digest = image.partition("@")
    head, slash, name = named.rpartition("/")
    name, _, tag = name.partition(":")
    return Artifact(repository=f"{head}{slash}{name}", tag=tag, digest=digest)


def changes(
    inbound: Inbound, delivery: str, artifacts: Iterable[Artifact], *, at: datetime | None = None, author: str = "", deleted: bool = False
) -> tuple[Change, ...]:
    """A change for each tag; none for what has no tag, or is attached to something else.

    Where the sender does not tell the digest, the revision is "", to be looked up. Raises Refused 400 for names that no registry has.
    """
    named = {
        (artifact.repository, artifact.tag): artifact
        for artifact in artifacts
        if _TAG.fullmatch(artifact.tag) and not _ATTACHED.fullmatch(artifact.tag)
    }
    if len(named) > _MAX_ARTIFACTS:
        raise Refused(400, f"body-invalid: more than {_MAX_ARTIFACTS} tags", explain=True)
    return tuple(_change(inbound, delivery, artifact, at or inbound.received_at, author, deleted=deleted) for artifact in named.values())


def is_unresolved(change: Change) -> bool:
    """Whether a tag was pushed, and its digest is still to be asked of the registry."""
    return change.source_kind == "oci" and change.kind != "deleted" and not change.revision


def _change(inbound: Inbound, delivery: str, artifact: Artifact, at: datetime, author: str, *, deleted: bool) -> Change:
    url = f"oci://{artifact.repository}"
    ref = f"refs/tags/{artifact.tag}"
    try:
        canonical = canonical_url(url)
    except Malformed as error:
        raise invalid(error) from None
    if len(canonical) > _MAX_NAME or not _REPOSITORY.fullmatch(artifact.repository.lower().partition("/")[2]):
        raise Refused(400, "body-invalid: not the name of a repository in a registry", explain=True)
    digest = _DIGEST.fullmatch(artifact.digest)
    return Change(
        id=change_id(inbound.receiver, delivery, url, ref),
        source=source_id(url),
        source_kind="oci",
        url=canonical,
        ref=ref,
        kind="deleted" if deleted else "updated",
        before="",
        revision=digest[1] if digest and not deleted else "",
        forced=False,
        pushed_at=at,
        received_at=inbound.received_at,
        receiver=inbound.receiver,
        delivery=delivery,
        paths=None,
        author=author,
        title="",
    )
