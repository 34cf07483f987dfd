"""Events of Azure, one file a family. To add one: write its file, add its line here and its samples under tests/payloads/azure_events/."""

from shared.azure_events import key_vault, policy, registry, resource_notifications, resources, storage
from shared.azure_events.event import Family

_FAMILIES = (
    key_vault.FAMILY,
    policy.FAMILY,
    registry.FAMILY,
    resource_notifications.FAMILY,
    resources.FAMILY,
    storage.FAMILY,
)

#: By event type.
FAMILIES: dict[str, Family] = {type_: family for family in _FAMILIES for type_ in family.types}
