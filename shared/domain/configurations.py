"""What Sluice last asked a fluxConfiguration to be, and whose turn it is to write it."""

from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from shared.domain.pins import Pin
from shared.domain.record import Record, digest
from shared.domain.targets import ARM_KEEPS_UPDATE

Claim = Literal["granted", "newer", "held", "done"]


class Configuration(Record, frozen=True):
    """The desired state of one fluxConfiguration. Writers take turns: `holder` has it until `held_until`."""

    id: str
    cluster_id: str  #: digest of the cluster's ARM id
    subscription: str
    resource_id: str = ""  #: ARM id
    sequence: int = 0  #: order number of the newest change that may write it
    rollout_id: str = ""
    dispatch: int = 0  #: which of the rollout's updates of it
    retry: int = 0  #: for which of the rollout's retries
    revision: str = ""
    ref: str = ""
    pin: Pin | None = None  #: all that was asked for; None in records of versions that knew no values
    calls: bool = False  #: nothing was written to Azure: the cluster's Receiver was called
    route: str = ""  #: of the rollout; "" in records of versions that did not keep it, as `source`
    source: str = ""  #: id of the source that `revision` is of
    restored: str = ""  #: key of the newest order to put it back that was carried out
    applied_at: datetime | None = None  #: when ARM, or the Receiver, accepted `revision`
    holder: str = ""
    held_until: datetime | None = None


def configuration_id(resource_id: str) -> str:
    return digest("configuration", resource_id.lower())


def cluster_id(resource_id: str) -> str:
    """The partition of a cluster: a digest of its ARM id, so that no name stands readable in the database."""
    return digest("cluster", cluster_of(resource_id))


def cluster_of(resource_id: str) -> str:
    """The ARM id of its cluster, lower case."""
    return resource_id.lower().partition("/providers/microsoft.kubernetesconfiguration/")[0]


def claim(found: Configuration, wanted: Configuration, *, lease: timedelta, now: datetime) -> tuple[Claim, Configuration]:
    """Whether `wanted` (with its holder) may write now, and the record to save if so.

    "newer": a later change has it, so the asked revision must never be written. "held": someone is writing, come back after
    `held_until`. "done": ARM has accepted just this for this rollout, and still keeps it for a cluster that is away. A rollback
    asks for something else within the same rollout, and a retry for the same once more. Nobody keeps a call for a cluster that is
    away, so each dispatch is one of its own.
    """
    if found.sequence > wanted.sequence or (found.rollout_id == wanted.rollout_id and found.dispatch > wanted.dispatch):
        return "newer", found
    if is_held(found, now):
        return "held", found
    if _is_same(found, wanted) and found.applied_at and now <= found.applied_at + ARM_KEEPS_UPDATE:
        return "done", found
    return "granted", replace(wanted, applied_at=None, held_until=now + lease)


def _is_same(found: Configuration, wanted: Configuration) -> bool:
    if wanted.calls and found.dispatch != wanted.dispatch:
        return False
    return (found.rollout_id, found.retry, found.revision, found.pin) == (wanted.rollout_id, wanted.retry, wanted.revision, wanted.pin)


def release(held: Configuration, *, applied_at: datetime | None) -> Configuration:
    """The record after the write: free for the next, with the time at which ARM accepted it, if it did."""
    return replace(held, holder="", held_until=None, applied_at=applied_at)


def hold(found: Configuration, holder: str, *, lease: timedelta, now: datetime) -> Configuration:
    """The record in the hands of one who writes once more what it asks for already."""
    return replace(found, holder=holder, held_until=now + lease)


def is_held(found: Configuration, now: datetime) -> bool:
    """Whether someone is writing at this moment."""
    return bool(found.holder) and found.held_until is not None and now < found.held_until
