"""Azure Resource Manager took, refused or gave up a write: learn.microsoft.com/azure/event-grid/event-schema-subscriptions.

An event tells who asked for what, never what the resource is now. What a cluster reports of itself goes another way and raises none.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from shared.azure_events.event import AzureEvent, Family
from shared.azure_events.news import ClusterTouched, ConfigurationTouched, News
from shared.azure_events.resource_ids import Resource, resource_of
from shared.domain.foreign_writes import ForeignWrite, Operation

_OPERATIONS: dict[str, Operation] = {
    "Microsoft.Resources.ResourceWriteSuccess": "write",
    "Microsoft.Resources.ResourceDeleteSuccess": "delete",
}
#: Nothing was written, but an attempt may have changed what the resource says of itself.
_ATTEMPTS = frozenset(f"Microsoft.Resources.Resource{what}{how}" for what in ("Write", "Delete") for how in ("Failure", "Cancel"))
_ACTIONS = frozenset(f"Microsoft.Resources.ResourceAction{how}" for how in ("Success", "Failure", "Cancel"))

#: Claims of the caller's token, in the order in which they name a caller best to people.
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_CALLERS = (
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "upn",
    "appid",
    _OBJECT_ID,
)
_MAX_CALLER = 256  #: characters


def read(event: AzureEvent, received_at: datetime) -> News | None:
    """An action (POST) changes nothing that Sluice looks at."""
    resource = resource_of(event.subject)
    if resource is None or event.type in _ACTIONS:
        return None
    if resource.kind != "fluxConfiguration":
        return ClusterTouched(cluster_id=resource.cluster_id, subscription=resource.subscription)
    return _configuration(event, resource)


def _configuration(event: AzureEvent, resource: Resource) -> ConfigurationTouched:
    claims = _object(event.data.get("claims"))
    evidence = _object(_object(event.data.get("authorization")).get("evidence"))
    given = (claims.get("appid"), claims.get(_OBJECT_ID), evidence.get("principalId"))
    identities = frozenset(normal_identity(each) for each in given if isinstance(each, str) and each)
    write = None
    if operation := _OPERATIONS.get(event.type):
        told = [claims[name] for name in _CALLERS if isinstance(claims.get(name), str) and claims[name]]
        write = ForeignWrite(
            configuration_id=resource.id,
            subscription=resource.subscription,
            operation=operation,
            caller=next(iter([*told, *sorted(identities)]), "")[:_MAX_CALLER],
            at=event.at,
            event_id=event.id,
        )
    return ConfigurationTouched(configuration_id=resource.id, subscription=resource.subscription, write=write, identities=identities)


def normal_identity(identity: str) -> str:
    """An application's or a principal's id as it is compared: events write the same one with hyphens and without."""
    return identity.strip().lower().replace("-", "")


def _object(value: Any) -> Mapping[str, Any]:
    """An object; older versions of the data hold it as JSON text. Anything else tells nothing."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


FAMILY = Family(read, frozenset(_OPERATIONS) | _ATTEMPTS | _ACTIONS)
