"""Deliveries that tell of checks, of all senders but GitHub, which has its own tests."""

import json
from contextlib import suppress
from typing import Any

import pytest
from builders import NOW, sha
from hypothesis import given
from hypothesis import strategies as st
from proofs import an_inbound, secret_of
from recorded import DELIVERIES, Delivery

from shared.config.models import Receiver
from shared.domain.checks import CheckResult
from shared.domain.errors import Refused
from shared.receivers import SENDERS, azure_pipelines, bitbucket_checks, generic_checks, gitea_checks, gitlab_checks

TELLING = [delivery for delivery in DELIVERIES if delivery.expected.get("checks")]
OWN = {"repository": "https://git.contoso.example/edge/platform.git", "revision": sha(1), "check": "ci/build", "state": "success"}


def of(name: str, **fields: Any) -> tuple[CheckResult, ...]:
    """What a recorded delivery tells with other values; `a__b` is a field of a field."""
    delivery = next(each for each in DELIVERIES if each.name == name)
    body = json.loads(delivery.body)
    for path, value in fields.items():
        *folders, last = path.split("__")
        place = body
        for folder in folders:
            place = place[folder]
        place[last] = value
    return received(delivery, json.dumps(body).encode())


def received(delivery: Delivery, body: bytes) -> tuple[CheckResult, ...]:
    sent = an_inbound(delivery.sender, delivery.headers, body, **delivery.options)
    return SENDERS[delivery.sender].receive(sent, [secret_of(delivery.sender)]).checks


@pytest.mark.parametrize("name", [name for name, sender in SENDERS.items() if sender.check_events])
def test_every_event_that_tells_of_checks_is_recorded_and_accepted_only_where_it_is_named(name: str) -> None:
    sender = SENDERS[name]
    kin = {other for other, each in SENDERS.items() if each is sender}  # Gitea and Forgejo are read by one sender
    assert {delivery.expected["event"] for delivery in TELLING if delivery.sender in kin} == sender.check_events
    assert sender.check_events <= set(sender.events)
    plain = Receiver(name="plain", type=name, secret_ref="kv://sluice/secret")
    asking = Receiver(name="asking", type=name, secret_ref="kv://sluice/secret", events=sender.events)
    assert not any(plain.accepts(event) for event in sender.check_events)
    assert all(asking.accepts(event) for event in sender.check_events)


@pytest.mark.parametrize("delivery", TELLING, ids=lambda delivery: delivery.name)
def test_a_delivery_that_comes_again_tells_the_same(delivery: Delivery) -> None:
    assert received(delivery, delivery.body) == received(delivery, delivery.body)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("gitlab/pipeline/succeeded", "object_attributes__sha", "main"),
        ("gitlab/job/succeeded", "build_id", "380"),
        ("gitlab/pipeline/succeeded", "project__git_http_url", "nowhere"),
        ("azure-devops/build_complete/succeeded", "resource__definition", None),
        ("azure-devops/run_state_changed/succeeded", "resource__run", []),
        ("bitbucket-cloud/commit_status_updated/succeeded", "commit_status__state", 1),
        ("gitea/status/succeeded", "sha", "ABC"),
        ("gitea/status/succeeded", "updated_at", "yesterday"),
        ("forgejo/action_run_success/push", "run", None),
        ("generic-hmac/check/whole", "state", "good"),
        ("generic-hmac/check/whole", "check", ""),
        ("generic-hmac/check/whole", "check", None),
    ],
)
def test_what_is_no_such_event_is_refused_with_the_reason(name: str, field: str, value: Any) -> None:
    with pytest.raises(Refused, match="body-invalid: ") as refused:
        of(name, **{field: value})
    assert (refused.value.status, refused.value.explain) == (400, True)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("gitlab/job/succeeded", {"build_name": "x" * 256}),
        ("azure-devops/build_complete/succeeded", {"resource__result": "none"}),
        ("azure-devops/build_complete/succeeded", {"resource__repository": None}),
        ("azure-devops/run_state_changed/succeeded", {"resource__run__state": "unknown"}),
        ("bitbucket-cloud/commit_status_updated/succeeded", {"commit_status__commit": {"hash": "352f782"}}),
        ("bitbucket-cloud/commit_status_updated/succeeded", {"commit_status__state": "PONDERING"}),
        ("gitea/workflow_run/succeeded", {"workflow__name": ""}),
        ("forgejo/action_run_success/push", {"run__status": "blocked"}),
    ],
)
def test_what_names_no_check_no_commit_or_no_known_state_tells_of_none(name: str, fields: dict[str, Any]) -> None:
    assert of(name, **fields) == ()


@pytest.mark.parametrize(
    ("told", "seconds"), [("2026-11-23 11:59:00 UTC", -60), ("2026-11-23T11:59:00Z", -60), ("2026-11-23T12:59:00+01:00", -60), ("soon", 0)]
)
def test_gitlab_writes_times_in_its_own_way(told: str, seconds: int) -> None:
    (check,) = of("gitlab/pipeline/succeeded", object_attributes__finished_at=told)
    assert (check.at - NOW).total_seconds() == seconds


def test_a_retried_pipeline_is_newer_than_its_first_end() -> None:
    (failed,) = of("gitlab/pipeline/failed")
    (retried,) = of("gitlab/pipeline/succeeded", object_attributes__finished_at="2026-11-23 11:59:00 UTC")
    (late,) = of("gitlab/pipeline/running")
    assert late.at < failed.at < retried.at
    assert failed.name == retried.name


def test_azure_s_run_that_is_run_again_is_newer() -> None:
    (first,) = of("azure-devops/run_state_changed/succeeded")
    (again,) = of("azure-devops/run_state_changed/in-progress", createdDate="2026-11-23T11:59:59Z")
    assert (first.name, first.revision) == (again.name, again.revision)
    assert first.at < again.at


def test_a_build_and_its_run_tell_of_one_check() -> None:
    build, run = of("azure-devops/build_complete/succeeded"), of("azure-devops/run_state_changed/succeeded")
    assert build == run


own_bodies = st.fixed_dictionaries({}, optional={name: st.text() for name in OWN}).map(lambda body: json.dumps(body).encode())


@given(
    st.sampled_from([*gitlab_checks.EVENTS, *bitbucket_checks.EVENTS, *gitea_checks.EVENTS, "star"]),
    st.binary(max_size=60) | st.sampled_from([delivery.body for delivery in TELLING]),
)
def test_whatever_comes_is_read_or_refused(event: str, body: bytes) -> None:
    for read in (gitlab_checks.read, bitbucket_checks.read, gitea_checks.read):
        with suppress(Refused):
            assert all(len(check.revision) in (40, 64) for check in read(event, body, NOW))


@given(st.sampled_from([*azure_pipelines.EVENTS, "git.push"]), st.binary(max_size=60), st.none() | st.text(max_size=20))
def test_whatever_azure_sends_is_read_or_refused(event: str, resource: bytes, created: str | None) -> None:
    with suppress(Refused):
        assert azure_pipelines.read(event, resource, created, NOW) == () or event in azure_pipelines.EVENTS


@given(st.binary(max_size=60) | own_bodies)
def test_whatever_a_script_sends_is_read_or_refused(body: bytes) -> None:
    with suppress(Refused):
        assert not generic_checks.is_check(body) or generic_checks.read(body, NOW)


def test_a_script_s_check_without_a_time_is_one_of_now() -> None:
    (check,) = generic_checks.read(json.dumps(OWN).encode(), NOW)
    assert (check.at, check.url, check.state) == (NOW, "", "success")
