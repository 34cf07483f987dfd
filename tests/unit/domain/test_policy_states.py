"""What Azure Policy says of a cluster, and what people hear of it."""

from datetime import timedelta
from typing import Any

import pytest
from builders import NOW
from msgspec.structs import replace

from shared.domain.policy_states import PolicyState, announce_policy, follow, policy_state_id

STATE = PolicyState(
    cluster_id="/subscriptions/s/resourcegroups/edge/providers/microsoft.kubernetes/connectedclusters/berlin",
    subscription="s",
    assignment="/providers/microsoft.authorization/policyassignments/flux",
    definition="/providers/microsoft.authorization/policydefinitions/one",
    reference="",
    compliance="NonCompliant",
    at=NOW,
)


def state(seconds: float = 0, **fields: Any) -> PolicyState:
    return replace(STATE, at=NOW + timedelta(seconds=seconds), **fields)


def test_the_first_one_is_what_is_known() -> None:
    assert follow(None, STATE) == STATE


def test_a_newer_one_remembers_what_was_known() -> None:
    assert follow(STATE, state(1, compliance="Compliant")) == state(1, compliance="Compliant", before="NonCompliant")


@pytest.mark.parametrize("told", [STATE, state(-1, compliance="Compliant"), state(compliance="Compliant")])
def test_what_is_older_or_told_again_changes_nothing(told: PolicyState) -> None:
    assert follow(STATE, told) == STATE


def test_two_of_one_moment_end_the_same_in_either_order() -> None:
    other = state(compliance="Compliant")
    assert follow(follow(None, STATE), other).compliance == follow(follow(None, other), STATE).compliance


@pytest.mark.parametrize(
    ("compliance", "before", "severity"),
    [
        ("NonCompliant", "", "error"),
        ("NonCompliant", "Compliant", "error"),
        ("NonCompliant", "NonCompliant", None),
        ("Compliant", "NonCompliant", "info"),
        ("Compliant", "", None),
        ("Compliant", "Unknown", None),
        ("Unknown", "NonCompliant", None),
        ("", "NonCompliant", None),
    ],
)
def test_people_hear_of_a_conflict_and_of_its_end(compliance: str, before: str, severity: str | None) -> None:
    told = announce_policy(state(compliance=compliance, before=before))
    assert (told and told.severity) == severity


def test_the_announcement_names_cluster_assignment_and_policy() -> None:
    told = announce_policy(state(reference="fluxInstalled"))
    assert told is not None
    assert told.title == "Azure Policy: berlin is not compliant"
    assert dict(told.facts) == {"Assignment": "flux", "Policy": "one", "In the initiative as": "fluxInstalled"}
    assert [line.name for line in told.clusters] == ["berlin"]
    plain = announce_policy(STATE)
    assert plain is not None
    assert "In the initiative as" not in dict(plain.facts)
    assert plain.id != told.id


def test_each_policy_of_an_initiative_is_judged_by_itself() -> None:
    assert policy_state_id(STATE) == policy_state_id(state(5, compliance="Compliant", before="x"))
    assert len({policy_state_id(each) for each in (STATE, state(reference="r"), state(cluster_id="c"), state(assignment="a"))}) == 4
