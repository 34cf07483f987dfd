"""Azure Policy judged a resource: learn.microsoft.com/azure/event-grid/event-schema-policy.

Events are ordered by `data.timestamp`. Their own `id` is no help: in the documented samples one that creates a state and one that
changes it share it.
"""

from datetime import datetime

import msgspec

from shared.azure_events.event import AzureEvent, Family, decode
from shared.azure_events.resource_ids import resource_of
from shared.domain.errors import Refused
from shared.domain.policy_states import PolicyState
from shared.receivers.payloads import time_of

_DELETED = "Microsoft.PolicyInsights.PolicyStateDeleted"
_TYPES = frozenset({_DELETED, "Microsoft.PolicyInsights.PolicyStateCreated", "Microsoft.PolicyInsights.PolicyStateChanged"})


class _Data(msgspec.Struct, rename="camel"):
    timestamp: str
    policy_assignment_id: str
    policy_definition_id: str
    compliance_state: str
    policy_definition_reference_id: str | None = None


def read(event: AzureEvent, received_at: datetime) -> PolicyState | None:
    """Of clusters alone: policies that Sluice has anything to do with judge the cluster, not what is on it."""
    resource = resource_of(event.subject)
    if resource is None or resource.kind != "cluster":
        return None
    data: _Data = decode(event.data, _Data)
    at = time_of(data.timestamp)
    if at is None:
        raise Refused(400, "event-invalid: `timestamp` is not a time")
    return PolicyState(
        cluster_id=resource.id,
        subscription=resource.subscription,
        assignment=data.policy_assignment_id.lower(),
        definition=data.policy_definition_id.lower(),
        reference=data.policy_definition_reference_id or "",
        compliance="" if event.type == _DELETED else data.compliance_state,
        at=at,
    )


FAMILY = Family(read, _TYPES)
