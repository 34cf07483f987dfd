"""What a baseline wants of one cluster: the Flux extension, and fluxConfigurations in their order."""

from typing import Any, Literal

import msgspec

from shared.domain.record import Record, digest

Json = dict[str, Any]
#: What becomes of that which a baseline made, on a cluster that it no longer selects, or that it no longer names.
OnRemoval = Literal["keep", "suspend", "delete"]
Kind = Literal["extension", "configuration"]

FLUX_EXTENSION = "microsoft.flux"
#: Azure's own name for it, which the fluxConfigurations' automatic installation takes too (learn.microsoft.com, conceptual GitOps Flux v2).
EXTENSION_NAME = "flux"
#: Where a fluxConfiguration says what it follows, by its sourceKind.
SOURCES = {"GitRepository": "gitRepository", "Bucket": "bucket", "AzureBlob": "azureBlob", "OCIRepository": "ociRepository"}


class Piece(Record, frozen=True):
    """One resource on the cluster. `properties` are ARM's own, as a PUT takes them."""

    kind: Kind
    name: str
    properties: Json
    secrets: dict[str, str] = {}  #: where in the properties (names joined by dots), and the reference of what belongs there

    @property
    def key(self) -> str:
        """Unlike every other of the cluster, and fit to be shown."""
        return piece_key(self.kind, self.name)


class Wanted(Record, frozen=True):
    """All that one baseline wants of one cluster."""

    baseline: str
    pieces: tuple[Piece, ...]
    on_removal: OnRemoval = "keep"
    compliance_within_seconds: float = 1800.0

    @property
    def fingerprint(self) -> str:
        """Another one as soon as anything else is wanted."""
        return digest("wanted", msgspec.json.encode(self, order="deterministic").decode())


def piece_key(kind: Kind, name: str) -> str:
    return "extension" if kind == "extension" else f"configuration {name}"
