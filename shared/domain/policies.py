"""Clusters whose Flux is Azure Policy's: what an assignment of the built-in definitions writes is left to it."""

from collections.abc import Iterable

from shared.domain.baselines import Piece, piece_key
from shared.domain.record import Record

#: "Configure installation of Flux extension on Kubernetes cluster" (github.com/Azure/azure-policy, as all that follow).
EXTENSION_DEFINITION = "f9175d5f-abc8-1dc3-bd3c-5d7476ada3d1"
#: "Configure Kubernetes clusters with Flux v2 configuration using ..." and "... with specified Flux v2 Bucket source ...".
CONFIGURATION_DEFINITIONS = frozenset(
    {
        "83ea2fd1-9eaf-2f6d-f672-cd7b2ac798f6",
        "9e980dca-f3e1-8da3-6717-ad37b1ca6b27",
        "bf1a31be-3b79-5ba8-c9e0-9a8c9ad9f749",
        "2630c91f-8a20-8f43-14a2-2485b648e2a9",
        "b6c7fd52-4723-5f4d-a157-3d39bd16a1d7",
        "5174c1db-ca42-e0d4-b320-4f1cf6a1fa93",
        "b8c1d6c1-6137-97c6-9c34-d4627e54ca26",
    }
)


class Policy(Record, frozen=True):
    """An assignment of one of these definitions, where it was made or where it was found to apply."""

    assignment: str  #: as people read it
    definition: str  #: the definition's name, a GUID in lower case
    scope: str  #: ARM id in lower case: of a subscription, a resource group, or one cluster that it was evaluated for
    not_scopes: tuple[str, ...] = ()
    configuration: str = ""  #: the fluxConfiguration that it writes; "" where that cannot be told: in an initiative

    def applies_to(self, cluster_id: str) -> bool:
        return _is_within(cluster_id, self.scope) and not any(_is_within(cluster_id, scope) for scope in self.not_scopes)


class Governed(Record, frozen=True):
    """What of one cluster is Azure Policy's, each with the name of the assignment."""

    pieces: dict[str, str] = {}  #: by the key of the piece
    every_configuration: str = ""  #: an assignment that does not say which one it writes

    def by(self, piece: Piece) -> str:
        """The assignment that writes this; "" for none."""
        return self.pieces.get(piece.key, "") or (self.every_configuration if piece.kind == "configuration" else "")


def governed(policies: Iterable[Policy], cluster_id: str) -> Governed:
    pieces: dict[str, str] = {}
    every = ""
    for policy in policies:
        if not policy.applies_to(cluster_id):
            continue
        if policy.definition == EXTENSION_DEFINITION:
            pieces[piece_key("extension", "")] = policy.assignment
        elif policy.configuration:
            pieces[piece_key("configuration", policy.configuration)] = policy.assignment
        elif policy.definition in CONFIGURATION_DEFINITIONS:
            every = policy.assignment
    return Governed(pieces=pieces, every_configuration=every)


def _is_within(resource_id: str, scope: str) -> bool:
    """An empty scope is none, not all."""
    return bool(scope) and (resource_id == scope or resource_id.startswith(f"{scope.rstrip('/')}/"))
