"""What is written to a fluxConfiguration: a revision of its source, and the values that its kustomizations are given with it."""

from typing import Literal

from shared.domain.record import Record

#: Microsoft.KubernetesConfiguration's sourceKind, as far as it can be pinned to a revision: buckets and blobs have no reference.
SourceKind = Literal["GitRepository", "OCIRepository"]

#: Values by name, by kustomization. None takes a name away, as in a JSON merge patch (RFC 7396).
Substitutions = dict[str, dict[str, str | None]]


class Pin(Record, frozen=True):
    """A revision of a source, and how the source refers to it. One PATCH writes all of it."""

    revision: str  #: commit, or the hexadecimal part of an OCI digest: what Flux will report as synced
    kind: SourceKind = "GitRepository"
    branch: str | None = None  #: GitRepository: written together with the commit
    tag: str | None = None  #: GitRepository: takes the place of branch and commit; OCIRepository: written together with the digest
    substitutions: Substitutions = {}
