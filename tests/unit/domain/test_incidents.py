"""What opens an incident, what resolves it, and whose it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.alerting import Rule, takes_kind
from shared.domain.announcements import Announcement, Severity
from shared.domain.event_catalogue import EVENTS
from shared.domain.incidents import RESOLVING, effect, incident_key


def told(kind: str, severity: Severity = "info", subject: str = "r1", id: str = "1") -> Announcement:  # noqa: A002 -- the field's name
    return Announcement(id=id, kind=kind, severity=severity, title=kind, summary="", subject=subject)


@pytest.mark.parametrize(
    ("kind", "severity", "expected"),
    [
        ("stage.failed", "error", "opens"),
        ("target.failed", "error", "opens"),
        ("target.recovered", "info", ""),
        ("target.compliant", "info", ""),
        ("rollout.succeeded", "info", "resolves"),
        ("rollout.resumed", "info", "resolves"),
        ("rollout.superseded", "info", "resolves"),
        ("rollout.rolling-back", "error", "opens"),
        ("rollout.rolled-back", "error", "resolves"),
        ("stage.succeeded", "error", ""),
        ("stage.succeeded", "info", ""),
        ("gate.expired", "error", "opens"),
        ("gate.approved", "info", "resolves"),
        ("configuration.non-compliant", "error", "opens"),
        ("configuration.compliant", "info", "resolves"),
        ("policy.state", "error", "opens"),
        ("policy.state", "info", "resolves"),
        ("rollout.started", "info", ""),
        ("gate.waiting", "info", ""),
        ("cluster.offline", "info", ""),
    ],
)
def test_what_an_announcement_does(kind: str, severity: Severity, expected: str) -> None:
    assert effect(told(kind, severity)) == expected


def test_a_cluster_that_recovers_ends_it_when_it_is_the_last_of_its_stage() -> None:
    assert effect(replace(told("target.recovered"), fields={"failed": 2})) == ""
    assert effect(replace(told("target.recovered"), fields={"failed": 0})) == "resolves"


def test_an_alert_for_who_is_on_call_may_want_every_ending() -> None:
    rule = Rule(name="a", provider="p", severity="error", events=("stage.failed",), is_on_call=True)
    assert takes_kind(rule, "stage.failed", "error")
    assert takes_kind(rule, "target.recovered", "info")
    assert not takes_kind(rule, "target.failed", "error")
    assert not takes_kind(rule, "rollout.started", "info")


def test_what_stands_alone_opens_an_incident_and_resolves_none() -> None:
    assert effect(told("message.buried", "error", subject="")) == "opens"
    assert effect(told("configuration.compliant", subject="")) == ""


def test_an_incident_is_one_of_its_subject_and_its_app() -> None:
    opened, closed = told("stage.failed", "error"), told("rollout.succeeded", id="2")
    assert incident_key(opened, "https://a") == incident_key(closed, "https://a")
    assert incident_key(opened, "https://a") != incident_key(opened, "https://b")
    assert incident_key(opened, "https://a") != incident_key(told("stage.failed", "error", subject="r2"), "https://a")


@pytest.mark.parametrize(
    ("opened", "ended"),
    [
        ("onboarding.failed", "cluster.onboarded"),
        ("configuration.non-compliant", "configuration.compliant"),
        ("extension.missing", "extension.healthy"),
        ("cluster.expired", "cluster.connected"),
        ("policy.state", "policy.compliant"),
        ("gate.expired", "rollout.resumed"),
        ("target.failed", "rollout.succeeded"),
    ],
)
def test_trouble_and_its_end_are_one_incident(opened: str, ended: str) -> None:
    assert incident_key(told(opened), "a") == incident_key(told(ended), "a")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("extension.missing", "cluster.connected"),
        ("drift.found", "configuration.compliant"),
        ("flux.alert", "flux.supported"),
        ("onboarding.failed", "cluster.connected"),
    ],
)
def test_of_one_cluster_each_trouble_ends_apart(one: str, other: str) -> None:
    assert incident_key(told(one), "a") != incident_key(told(other), "a")


def test_what_has_no_subject_is_an_incident_of_its_own() -> None:
    one, other = (told("message.buried", "error", subject="", id=id_) for id_ in "12")
    assert incident_key(one, "") != incident_key(other, "")
    assert incident_key(one, "") == incident_key(told("message.buried", "error", subject="", id="1"), "")


@given(kind=st.text(), severity=st.sampled_from(["info", "error"]), subject=st.text())
def test_news_never_opens_and_an_error_that_is_not_over_always_does(kind: str, severity: Severity, subject: str) -> None:
    what = effect(told(kind, severity, subject))
    if severity == "info":
        assert what != "opens"
    elif kind not in ("stage.succeeded", "target.compliant") and kind.rpartition(".")[2] not in RESOLVING:
        assert what == "opens"


def test_every_ending_is_of_a_kind_that_there_is_or_that_is_agreed() -> None:
    assert {kind.rpartition(".")[2] for kind in EVENTS} | {"recovered"} >= RESOLVING
