"""What is written to a fluxConfiguration: a revision of its source, and the values that its kustomizations are given with it."""

from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from shared.domain.changes import Change
from shared.domain.observations import COMPLIANT, DEFAULT_BRANCH, FluxConfiguration
from shared.domain.record import Record
from shared.domain.revisions import parse_revision
from shared.domain.sources import SourceType, is_bucket

#: Microsoft.KubernetesConfiguration's sourceKind. Buckets and blob containers have no reference that could be written.
SourceKind = Literal["GitRepository", "OCIRepository", "Bucket", "AzureBlob"]
SOURCE_KINDS: dict[SourceType, SourceKind] = {
    "git": "GitRepository",
    "oci": "OCIRepository",
    "bucket": "Bucket",
    "azureblob": "AzureBlob",
}

#: Values by name, by kustomization. None takes a name away, as in a JSON merge patch (RFC 7396).
Substitutions = dict[str, dict[str, str | None]]


class Pin(Record, frozen=True):
    """A revision of a source, and how the source refers to it. One PATCH writes all of it, where it is written at all."""

    revision: str  #: commit, or the hexadecimal part of an OCI digest: what Flux will report as synced
    kind: SourceKind = "GitRepository"
    branch: str | None = None  #: GitRepository: written together with the commit
    tag: str | None = None  #: GitRepository: takes the place of branch and commit; OCIRepository: written together with the digest
    substitutions: Substitutions = {}
    since: datetime | None = None  #: Bucket, AzureBlob: to have fetched it since then is all that can be asked for

    @property
    def ref(self) -> str:
        """The ref that it is a revision of, in full; "" for a digest without a tag."""
        if self.tag:
            return f"refs/tags/{self.tag}"
        return f"refs/heads/{self.branch}" if self.branch else ""


def asked_pin(change: Change, substitutions: Substitutions) -> Pin:
    """What a change asks of a fluxConfiguration that follows its source."""
    return Pin(
        revision=change.revision,
        kind=SOURCE_KINDS[change.source_kind],
        branch=change.branch,
        tag=change.tag,
        substitutions=substitutions,
        since=change.pushed_at if is_bucket(change.source_kind) else None,
    )


def previous_pin(found: FluxConfiguration, asked: Pin, known: Pin | None = None) -> Pin | None:
    """What a rollback asks for: what the cluster had synced, if it was Compliant, and the values that it had.

    One that was not is rolled back to `known`, which an earlier rollout knew to be good. None where there is neither, and where
    only a Git tag led to the revision and the tag has moved on: nothing can be asked for that would lead back.
    """
    pin = _synced_pin(found, asked)
    had = _values_of(found, asked.substitutions)
    if pin is None and known is not None and known.kind == asked.kind:
        pin, had = known, _over(had, known.substitutions)
    if pin is None or (pin.kind == "GitRepository" and pin.tag and pin.tag == asked.tag and pin.revision != asked.revision):
        return None
    return replace(pin, substitutions=had)


def _synced_pin(found: FluxConfiguration, asked: Pin) -> Pin | None:
    """Refers to the revision as the configuration does. One that followed a semver range is held at the version that it had."""
    synced = parse_revision(found.observation.revision)
    if synced is None or found.observation.compliance != COMPLIANT:
        return None
    tag = (found.tag or (synced.name if found.semver else "")) or None
    if asked.kind == "OCIRepository":
        return Pin(revision=synced.hash, kind="OCIRepository", tag=tag)
    if tag and not found.commit:
        return Pin(revision=synced.hash, tag=tag)
    return Pin(revision=synced.hash, branch=found.branch or DEFAULT_BRANCH)


def _values_of(found: FluxConfiguration, names: Substitutions) -> Substitutions:
    """The values that it has now for every name in `names`; None where it has none, so that a rollback takes the name away."""
    return {
        kustomization: {name: found.kustomizations.get(kustomization, {}).get(name) for name in values}
        for kustomization, values in names.items()
    }


def _over(had: Substitutions, known: Substitutions) -> Substitutions:
    return {kustomization: had.get(kustomization, {}) | known.get(kustomization, {}) for kustomization in had | known}
