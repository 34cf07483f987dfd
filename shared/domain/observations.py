"""What Azure says a fluxConfiguration is now."""

from datetime import datetime

from msgspec.structs import replace

from shared.domain.record import Record

COMPLIANT = "Compliant"
NON_COMPLIANT = "Non-Compliant"
SUSPENDED = "Suspended"
MISSING = "Missing"  #: ours: the fluxConfiguration is not in Azure any more
#: Connectivity of an Arc cluster whose agents do not take up changes (learn.microsoft.com, Arc connectivity modes).
AWAY = frozenset({"Offline", "Expired", "AgentNotInstalled", "Connecting"})
#: Flux follows this branch where a fluxConfiguration names none (fluxcd.io, GitRepository spec.ref).
DEFAULT_BRANCH = "master"


class Observation(Record, frozen=True):
    """One look at one fluxConfiguration. `observed_at` is our clock, `reported_at` the cluster's last report to Azure."""

    compliance: str  #: Compliant, Non-Compliant, Pending, Suspended, Unknown; Missing
    revision: str  #: synced revision as Flux writes it; "" before the first sync
    provisioning: str
    connectivity: str
    observed_at: datetime
    reported_at: datetime | None = None
    message: str = ""  #: why it is not compliant, in Flux's words
    synced_at: datetime | None = None  #: when the cluster fetched its source last, by its own clock

    @staticmethod
    def missing(now: datetime) -> "Observation":
        """A whole look at the fleet did not find it."""
        return Observation(compliance=MISSING, revision="", provisioning="", connectivity="", observed_at=now)

    @property
    def is_away(self) -> bool:
        return self.connectivity in AWAY

    def seen_after(self, earlier: "Observation | None") -> "Observation":
        """This look at Azure, with what the cluster is known to have said since: Azure hears it by and by, and shows it later still.

        A report that is newer takes the place of the earlier one, so whatever was wrong or is out of date is put right.
        """
        if earlier is None or earlier.reported_at is None or self.compliance == MISSING:
            return self
        if self.reported_at is not None and self.reported_at >= earlier.reported_at:
            return self
        return replace(
            self,
            compliance=earlier.compliance,
            revision=earlier.revision,
            reported_at=earlier.reported_at,
            message=earlier.message,
        )

    def says_same(self, other: "Observation | None") -> bool:
        """Whether nothing but the time of looking differs."""
        return other is not None and _facts(self) == _facts(other)


class FluxConfiguration(Record, frozen=True):
    """A fluxConfiguration as discovery finds it, with what routes select it by."""

    id: str  #: ARM id, lower case
    name: str
    cluster_id: str  #: ARM id, lower case
    cluster_name: str
    subscription: str
    resource_group: str
    location: str
    distribution: str
    kubernetes_version: str
    tags: dict[str, str]
    url: str  #: as Azure has it; of a bucket or a blob container as a route writes it
    branch: str
    tag: str
    commit: str
    observation: Observation
    semver: str = ""
    source_kind: str = "GitRepository"  #: GitRepository, OCIRepository, Bucket, AzureBlob
    digest: str = ""  #: OCIRepository: "sha256:" and 64 hexadecimal digits
    kustomizations: dict[str, dict[str, str]] = {}  #: by name: the values of its postBuild.substitute
    namespace: str = ""  #: of its Flux objects on the cluster


def _facts(seen: Observation) -> tuple[object, ...]:
    return (seen.compliance, seen.revision, seen.provisioning, seen.connectivity, seen.reported_at, seen.message, seen.synced_at)
