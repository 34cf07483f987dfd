"""Container `configurations`: what Azure Policy says of a cluster, one document a policy of an assignment."""

from dataclasses import dataclass

from shared.azure.cosmos.database import Database
from shared.azure.cosmos.documents import Document, Shelf
from shared.domain.configurations import cluster_id
from shared.domain.errors import Conflict
from shared.domain.policy_states import PolicyState, follow, policy_state_id
from shared.ports import Sealer

POLICY_STATE: Document[PolicyState] = Document(
    struct=PolicyState,
    kind="policy-state",
    version=1,
    container="configurations",
    place=lambda state: (cluster_id(state.cluster_id), policy_state_id(state)),
    clear=frozenset({"subscription", "compliance", "at", "before"}),
    scope=lambda state: state.subscription,
)


@dataclass(frozen=True)
class CosmosPolicyStates:
    """Implements ports.PolicyStates."""

    database: Database
    sealer: Sealer

    async def record(self, state: PolicyState) -> PolicyState:
        shelf = Shelf(self.database, self.sealer, POLICY_STATE)
        while True:
            found = await shelf.get(*POLICY_STATE.place(state))
            known = follow(found[0] if found else None, state)
            if found and known == found[0]:
                return known
            try:
                await shelf.save(known, found[1] if found else "")
            except Conflict:
                continue
            return known
