"""What an event of Azure can mean to Sluice."""

from datetime import datetime

from shared.domain.buckets import ObjectEvent
from shared.domain.changes import Change
from shared.domain.foreign_writes import ForeignWrite
from shared.domain.policy_states import PolicyState
from shared.domain.record import Record


class ConfigurationTouched(Record, frozen=True):
    """Someone wrote or deleted a fluxConfiguration, or tried to: what it is now is worth a look."""

    configuration_id: str  #: ARM id, lower case
    subscription: str
    write: ForeignWrite | None = None  #: what was done, as by someone else; None where the event does not tell, or nothing was done
    identities: frozenset[str] = frozenset()  #: application and object ids of the caller, lower case: one of ours means that it was us


class ClusterTouched(Record, frozen=True):
    """A cluster, or an extension on it, was written or deleted: what it lacks is worth a check."""

    cluster_id: str  #: ARM id, lower case
    subscription: str


class ObjectsChanged(Record, frozen=True):
    """Blobs of one container were written or removed, and the change that this is."""

    change: Change
    objects: tuple[ObjectEvent, ...]


class SecretExpiry(Record, frozen=True):
    """A secret's current version has expired, or will within 30 days."""

    vault: str
    name: str
    version: str
    expired: bool
    expires_at: datetime | None = None


News = ConfigurationTouched | ClusterTouched | Change | ObjectsChanged | PolicyState | SecretExpiry
