"""What changed in Resource Graph's table of resources: learn.microsoft.com/azure/event-grid/event-schema-resources.

It tells no caller, and of Arc's resources only what that table holds. Health is told of virtual machines alone.
"""

from datetime import datetime

import msgspec

from shared.azure_events.event import AzureEvent, Family, decode
from shared.azure_events.news import ClusterTouched, ConfigurationTouched, News
from shared.azure_events.resource_ids import resource_of

_HEALTH = frozenset({"Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged"})
_RESOURCES = frozenset(f"Microsoft.ResourceNotifications.Resources.{what}" for what in ("CreatedOrUpdated", "Deleted"))


class _Info(msgspec.Struct, rename="camel"):
    id: str


class _Data(msgspec.Struct, rename="camel"):
    resource_info: _Info


def read(event: AzureEvent, received_at: datetime) -> News | None:
    if event.type in _HEALTH:
        return None
    data: _Data = decode(event.data, _Data)
    resource = resource_of(data.resource_info.id)
    if resource is None:
        return None
    if resource.kind == "fluxConfiguration":
        return ConfigurationTouched(configuration_id=resource.id, subscription=resource.subscription)
    return ClusterTouched(cluster_id=resource.cluster_id, subscription=resource.subscription)


FAMILY = Family(read, _RESOURCES | _HEALTH)
