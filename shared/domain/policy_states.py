"""What Azure Policy says of a cluster."""

from datetime import datetime

from msgspec.structs import replace

from shared.domain.announcements import Announcement, ClusterLine, Severity
from shared.domain.event_fields import of_cluster
from shared.domain.record import Record, digest

NON_COMPLIANT = "NonCompliant"
COMPLIANT = "Compliant"


class PolicyState(Record, frozen=True):
    """How a cluster stands with one policy of one assignment. `before` is what was known last, and is followed by `follow`."""

    cluster_id: str  #: ARM id, lower case
    subscription: str
    assignment: str  #: ARM id, lower case
    definition: str  #: ARM id, lower case
    reference: str  #: which policy of an initiative; "" where the assignment is of one policy
    compliance: str  #: Azure Policy's word: Compliant, NonCompliant, ...; "" where it is judged no more
    at: datetime  #: when Azure Policy judged it
    before: str = ""


def policy_state_id(state: PolicyState) -> str:
    """The id of what is judged, whatever the judgement."""
    return digest("policy-state", state.cluster_id, state.assignment, state.definition, state.reference)


def follow(known: PolicyState | None, told: PolicyState) -> PolicyState:
    """What is known after `told`: the newest, with what was known before it. Nothing changes by what is older, or told again."""
    if known is None:
        return told
    if (told.at, told.compliance) <= (known.at, known.compliance):
        return known
    return replace(told, before=known.compliance)


def announce_policy(state: PolicyState) -> Announcement | None:
    """What people are told of it: that a cluster has come into conflict with a policy, and that it is out of it. Else nothing."""
    if state.compliance == state.before:
        return None
    if state.compliance == NON_COMPLIANT:
        return _announcement(state, "error", "is not compliant")
    if state.compliance == COMPLIANT and state.before == NON_COMPLIANT:
        return _announcement(state, "info", "is compliant again")
    return None


def _announcement(state: PolicyState, severity: Severity, what: str) -> Announcement:
    cluster, assignment, definition = (_name(each) for each in (state.cluster_id, state.assignment, state.definition))
    facts = [("Assignment", assignment), ("Policy", definition)]
    if state.reference:
        facts.append(("In the initiative as", state.reference))
    return Announcement(
        id=digest("policy.state", policy_state_id(state), state.compliance, state.at.isoformat()),
        kind="policy.state",
        severity=severity,
        title=f"Azure Policy: {cluster} {what}",
        summary=f"The assignment {assignment} found so at {state.at:%Y-%m-%d %H:%M} UTC.",
        facts=tuple(facts),
        clusters=(ClusterLine(name=cluster, reason="", id=state.cluster_id),),
        many=f"Azure Policy: {{n}} clusters: {what} ({assignment}, {definition})",
        at=state.at,
        subject=state.cluster_id,
        next_step="Look at the assignment's reasons in Azure Policy." if severity == "error" else "",
        fields={**of_cluster(state.cluster_id), "policy": assignment, "reason": what},
    )


def _name(arm_id: str) -> str:
    return arm_id.rsplit("/", 1)[-1]
