"""What Flux itself says of a cluster becomes an observation of the target."""

from typing import Any

import pytest
from builders import NOW, RULES, a_target, an_observation, at, resource_id, sha
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.flux_reports import FluxReport, owners
from shared.domain.pins import Pin
from shared.domain.reported import concerns, is_early, reported
from shared.domain.rollouts import Target
from shared.domain.targets import judge

ASKED = f"main@sha1:{sha(1)}"
CLUSTER = resource_id(0).partition("/providers/microsoft.kubernetesconfiguration")[0]


def a_report(seconds: float = 10, **fields: Any) -> FluxReport:
    """Success of kustomization apps on what was asked."""
    values: dict[str, Any] = {
        "cluster_id": CLUSTER,
        "namespace": "cluster-config",
        "kind": "Kustomization",
        "name": "platform-apps",
        "revision": ASKED,
        "severity": "info",
        "reason": "ReconciliationSucceeded",
        "message": "Reconciliation finished",
        "at": at(seconds),
    }
    return FluxReport(**values | fields)


def a_failure(seconds: float = 10, **fields: Any) -> FluxReport:
    values = {"severity": "error", "reason": "HealthCheckFailed", "message": "timeout waiting for Deployment/shop"}
    return a_report(seconds, **values | fields)


def waiting(*kustomizations: str, **fields: Any) -> Target:
    """A target that was updated at NOW."""
    values: dict[str, Any] = {"state": "applied", "applied_at": NOW, "kustomizations": kustomizations or ("apps",)}
    return a_target(**values | fields)


def compliance(target: Target) -> str:
    return target.observation.compliance if target.observation else ""


def test_a_target_is_compliant_when_its_only_kustomization_succeeded() -> None:
    told = reported(waiting(), "apps", a_report(10), at(12))
    assert told.observation == an_observation(12, revision=ASKED, reported_at=at(10), provisioning="")
    assert judge(told, RULES, at(12)).state == "compliant"


def test_a_target_is_compliant_when_all_of_its_kustomizations_succeeded_and_not_before() -> None:
    one = reported(waiting("apps", "infra"), "apps", a_report(10), at(12))
    assert one.observation is None
    both = reported(one, "infra", a_report(9), at(13))
    assert (compliance(both), both.observation and both.observation.reported_at) == ("Compliant", at(10))


def test_one_failure_is_enough_and_lasts_through_its_grace() -> None:
    told = reported(waiting("apps", "infra"), "apps", a_failure(10), at(12))
    assert (compliance(told), told.observation and told.observation.message) == (
        "Non-Compliant",
        "apps: timeout waiting for Deployment/shop",
    )
    judged = judge(told, RULES, at(12))
    assert (judged.state, judge(judged, RULES, at(72)).state) == ("applied", "failed")


def test_a_failure_without_a_message_tells_its_reason() -> None:
    told = reported(waiting(), "apps", a_failure(message=""), at(12))
    assert told.observation is not None
    assert told.observation.message == "apps: HealthCheckFailed"


def test_what_had_failed_and_is_well_again_is_pending_until_the_others_are_heard_of() -> None:
    failed = reported(waiting("apps", "infra"), "apps", a_failure(10), at(12))
    well = reported(failed, "apps", a_report(20), at(21))
    assert (compliance(well), judge(well, RULES, at(300)).state) == ("Pending", "applied")
    assert compliance(reported(well, "infra", a_report(15), at(22))) == "Compliant"


@pytest.mark.parametrize(
    "report",
    [
        a_report(revision=f"main@sha1:{sha(0)}"),
        a_report(revision=""),
        a_report(-1),
        a_report(reason="ArtifactUpToDate"),
        a_report(severity="trace"),
        a_failure(reason="Progressing"),
        a_failure(reason="DependencyNotReady"),
    ],
)
def test_a_report_that_says_nothing_of_what_was_asked_changes_nothing(report: FluxReport) -> None:
    target = waiting()
    assert reported(target, "apps", report, at(12)) is target


@pytest.mark.parametrize("target", [waiting("infra"), waiting(applied_at=None, state="queued"), waiting(goal="back", previous=None)])
def test_a_target_that_the_report_does_not_concern_is_left_alone(target: Target) -> None:
    assert reported(target, "apps", a_report(), at(12)) is target


def test_a_report_that_came_before_or_is_older_changes_nothing() -> None:
    told = reported(waiting(), "apps", a_report(10), at(12))
    assert reported(told, "apps", a_report(10), at(13)) is told
    assert reported(told, "apps", a_failure(9), at(13)) is told


def test_what_was_reported_of_an_earlier_update_counts_no_more() -> None:
    again = waiting("apps", "infra", applied_at=at(60), reports={"infra": a_report(10)})
    assert reported(again, "apps", a_report(70), at(72)).observation is None


def test_a_later_report_that_azure_shows_already_is_not_undone() -> None:
    known = an_observation(30, compliance="Non-Compliant", revision=ASKED)
    told = reported(waiting(observation=known), "apps", a_report(10), at(31))
    assert (told.observation, told.reports) == (known, {"apps": a_report(10)})


def test_a_cluster_that_azure_thinks_away_is_back_when_it_speaks() -> None:
    away = waiting(state="offline", away="Offline", observation=an_observation(5, connectivity="Offline"))
    told = reported(away, "apps", a_report(10), at(12))
    assert judge(told, RULES, at(12)).state == "compliant"


def test_an_oci_digest_is_what_was_asked() -> None:
    digest = "ab" * 32
    target = waiting(pin=Pin(revision=digest, branch="latest"))
    assert compliance(reported(target, "apps", a_report(revision=f"latest@sha256:{digest}"), at(12))) == "Compliant"


REPORTS = st.tuples(
    st.sampled_from(["apps", "infra"]),
    st.builds(lambda make, seconds: make(seconds), st.sampled_from([a_report, a_failure]), st.integers(0, 3)),
)


@given(st.lists(REPORTS, max_size=8).flatmap(lambda given: st.tuples(st.just(given), st.permutations(given))))
def test_order_and_repetition_do_not_matter_to_what_is_known(orders: tuple[list[Any], list[Any]]) -> None:
    first, second = waiting("apps", "infra"), waiting("apps", "infra")
    for name, report in orders[0]:
        first = reported(first, name, report, at(12))
    for name, report in [*orders[1], *orders[0]]:
        second = reported(second, name, report, at(12))
    assert {name: (r.at, r.has_failed) for name, r in first.reports.items()} == {
        name: (r.at, r.has_failed) for name, r in second.reports.items()
    }
    if compliance(first) in {"Compliant", "Non-Compliant"}:
        assert compliance(second) == compliance(first)


def test_every_hyphen_may_be_where_the_two_names_meet() -> None:
    assert owners(a_report(name="edge-apps-eu")) == {"edge": "apps-eu", "edge-apps": "eu"}
    assert owners(a_report(name="-apps-")) == {}
    assert len(owners(a_report(name="-".join("a" * 40)))) == 16


def test_a_source_is_named_like_its_fluxconfiguration_and_other_objects_belong_to_none() -> None:
    assert owners(a_report(kind="GitRepository", name="edge-apps")) == {"edge-apps": ""}
    assert owners(a_report(kind="HelmRelease", name="edge-apps")) == {}


@pytest.mark.parametrize(
    ("kustomization", "namespace", "expected"),
    [("apps", "cluster-config", True), ("", "cluster-config", True), ("infra", "cluster-config", False), ("apps", "default", False)],
)
def test_a_report_concerns_the_objects_of_a_fluxconfiguration_in_its_namespace(kustomization: str, namespace: str, expected: bool) -> None:
    assert concerns(waiting("apps"), kustomization, a_report(namespace=namespace)) is expected


@pytest.mark.parametrize(
    ("fields", "report", "expected"),
    [
        ({}, a_report(10), True),
        ({"slot": at(9.9)}, a_report(9), True),  # whole seconds
        ({"slot": at(13)}, a_report(13), False),
        ({"slot": None}, a_report(10), False),
        ({"slot": at(11)}, a_report(10), False),
        ({"state": "applied"}, a_report(10), False),
        ({}, a_report(10, revision=f"main@sha1:{sha(0)}"), False),
        ({}, a_report(10, reason="Progressing"), False),
    ],
)
def test_an_outcome_of_an_update_that_is_under_way_is_early(fields: dict[str, Any], report: FluxReport, expected: bool) -> None:
    queued = waiting(**{"state": "queued", "applied_at": None, "slot": at(5)} | fields)
    assert is_early(queued, report, at(12)) is expected


def test_a_report_within_the_second_of_the_update_is_of_after_it() -> None:
    told = reported(waiting(applied_at=at(10.7)), "apps", a_failure(10), at(12))
    assert told.observation is not None
    assert told.observation.reported_at == at(10.7)
    assert judge(told, RULES, at(12)).failing_since == at(12)


def test_a_clock_that_is_ahead_is_not_believed() -> None:
    told = reported(waiting(), "apps", a_report(200), at(12))
    assert told.observation is not None
    assert told.observation.reported_at == at(12)
    assert reported(told, "apps", a_report(200), at(13)) is told
