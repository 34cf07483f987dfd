"""Azure Policy as Resource Graph shows it: assignments, and the states of the clusters that they were evaluated for.

Nothing is deployed. Shapes: learn.microsoft.com, Resource Graph samples for Azure Policy (table policyresources).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Assignment:
    """`scope` is a subscription, a resource group or a management group; `evaluated` are ids of clusters."""

    name: str
    definition: str
    scope: str
    display_name: str = ""
    not_scopes: list[str] = field(default_factory=list)
    parameters: JsonObject = field(default_factory=dict)
    enforcement_mode: str = "Default"
    evaluated: list[str] = field(default_factory=list)
    member: str = ""  #: the definition that states name, where `definition` is an initiative

    @classmethod
    def from_json(cls, body: JsonObject) -> "Assignment":
        """Raises TypeError for a field that is unknown or missing."""
        renamed = {"displayName": "display_name", "notScopes": "not_scopes", "enforcementMode": "enforcement_mode"}
        return cls(**{renamed.get(name, name): value for name, value in body.items()})

    @property
    def id(self) -> str:
        return f"{self.scope}/providers/Microsoft.Authorization/policyAssignments/{self.name}"

    def rows(self) -> Iterator[JsonObject]:
        if self.scope.lower().startswith("/subscriptions/"):
            yield self._assignment_row()
        for cluster_id in self.evaluated:
            yield self._state_row(cluster_id)

    def _assignment_row(self) -> JsonObject:
        return {
            "id": self.id,
            "name": self.name,
            "type": "microsoft.authorization/policyassignments",
            "subscriptionId": self.scope.split("/")[2].lower(),
            "properties": {
                "displayName": self.display_name or None,
                "policyDefinitionId": self.definition,
                "scope": self.scope,
                "notScopes": self.not_scopes,
                "enforcementMode": self.enforcement_mode,
                "parameters": self.parameters,
            },
        }

    def _state_row(self, cluster_id: str) -> JsonObject:
        return {
            "id": f"{cluster_id}/providers/Microsoft.PolicyInsights/policyStates/{self.name}",
            "name": self.name,
            "type": "microsoft.policyinsights/policystates",
            "subscriptionId": cluster_id.split("/")[2].lower(),
            "properties": {
                "complianceState": "NonCompliant",
                "resourceId": cluster_id,
                "policyAssignmentId": self.id.lower(),
                "policyAssignmentName": self.name,
                "policyAssignmentScope": self.scope,
                "policyDefinitionId": (self.member or self.definition).lower(),
                "policyDefinitionReferenceId": "",
            },
        }


class Policies:
    def __init__(self) -> None:
        self._assigned: dict[str, Assignment] = {}
        self._changed = True

    @property
    def rows(self) -> Iterator[JsonObject]:
        return (row for assignment in self._assigned.values() for row in assignment.rows())

    def assign(self, assignment: Assignment) -> None:
        self._assigned[assignment.id.lower()] = assignment
        self._changed = True

    def take_changed(self) -> bool:
        """Whether anything was assigned since this was asked last."""
        changed, self._changed = self._changed, False
        return changed
