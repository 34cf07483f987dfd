"""GitHub's deliveries that tell how a check ended."""

import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import NOW, sha
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.checks import CheckResult
from shared.domain.errors import Malformed, Refused
from shared.domain.sources import source_id
from shared.receivers import RECEIVERS
from shared.receivers.github_checks import read
from shared.receivers.inbound import Inbound

PAYLOADS = Path(__file__).parents[2] / "payloads" / "github"
EVENTS = ("status", "check_run", "check_suite", "workflow_run", "deployment_status")
RECORDED = sorted(str(path.parent.relative_to(PAYLOADS)) for event in EVENTS for path in PAYLOADS.glob(f"{event}/*/headers.json"))
REPOSITORY = {"clone_url": "https://github.com/contoso/platform.git"}


@pytest.mark.parametrize("name", RECORDED)
def test_a_delivery_tells_of_its_check_or_of_none(name: str) -> None:
    headers = json.loads((PAYLOADS / name / "headers.json").read_text())
    inbound = Inbound(
        receiver="platform",
        headers={key.lower(): value for key, value in headers.items()},
        body=(PAYLOADS / name / "body.json").read_bytes(),
        received_at=NOW,
    )
    received = RECEIVERS["github"](inbound, ["correct horse battery staple"])
    expected = PAYLOADS / name / "check.json"
    told = [json.loads(msgspec.json.encode(check)) for check in received.checks]
    source = {"source": source_id("https://github.com/contoso/platform")}
    assert told == ([source | json.loads(expected.read_text())] if expected.exists() else [])
    assert (received.event, received.changes) == (name.partition("/")[0], ())


def test_every_event_has_recorded_deliveries_that_tell_of_a_check() -> None:
    assert {name.partition("/")[0] for name in RECORDED if (PAYLOADS / name / "check.json").exists()} == set(EVENTS)


@pytest.mark.parametrize("body", [b"{}", b'{"sha": "private", "context": "c", "state": "success", "repository": {"clone_url": "x"}}'])
def test_a_signed_body_that_is_no_such_event_is_refused_with_the_reason(body: bytes) -> None:
    headers = {
        "x-github-event": "status",
        "x-github-delivery": "d",
        "x-hub-signature-256": f"sha256={hmac.digest(b's', body, 'sha256').hex()}",
    }
    with pytest.raises(Refused, match="body-invalid: ") as refused:
        RECEIVERS["github"](Inbound(receiver="platform", headers=headers, body=body, received_at=NOW), ["s"])
    assert refused.value.status == 400
    assert "private" not in refused.value.reason


def a_status(**fields: Any) -> bytes:
    return msgspec.json.encode({"sha": sha(1), "context": "ci/build", "state": "success", "repository": REPOSITORY} | fields)


def the_check(body: bytes, event: str = "status") -> CheckResult:
    (check,) = read(event, body, NOW)
    return check


@pytest.mark.parametrize(
    ("updated_at", "expected"),
    [
        (None, NOW),
        ("2026-11-23T11:00:00Z", datetime(2026, 11, 23, 11, tzinfo=UTC)),
        ("2026-11-23T12:00:00+01:00", datetime(2026, 11, 23, 11, tzinfo=UTC)),
        ("2026-11-23T11:00:00", datetime(2026, 11, 23, 11, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", NOW),
    ],
)
def test_the_time_is_the_sender_s_or_else_ours(updated_at: str | None, expected: datetime) -> None:
    assert the_check(a_status(updated_at=updated_at)).at == expected


@pytest.mark.parametrize("url", ["http://ci.example", "javascript:alert(1)", "https://ci.example/" + "x" * 2000, "", None])
def test_a_link_that_nobody_should_follow_is_left_out(url: str | None) -> None:
    assert the_check(a_status(target_url=url)).url == ""


@pytest.mark.parametrize("fields", [{"context": ""}, {"context": "x" * 256}, {"state": "unheard-of"}])
def test_what_names_no_check_or_no_known_state_tells_of_none(fields: dict[str, Any]) -> None:
    assert read("status", a_status(**fields), NOW) == ()


@pytest.mark.parametrize(
    ("conclusion", "state"),
    [
        ("success", "success"),
        ("neutral", "success"),
        ("skipped", "success"),
        ("failure", "failure"),
        ("timed_out", "failure"),
        ("cancelled", "failure"),
        ("action_required", "failure"),
        ("startup_failure", "failure"),
        ("stale", "pending"),
        (None, None),
        ("unheard-of", None),
    ],
)
@pytest.mark.parametrize("event", ["check_run", "workflow_run", "check_suite"])
def test_a_conclusion_counts_as_it_does_for_pull_requests(event: str, conclusion: str | None, state: str | None) -> None:
    run = {"name": "ci/build", "head_sha": sha(1), "conclusion": conclusion, "app": {"slug": "ci/build"}}
    body = msgspec.json.encode({"action": "completed", event: run, "repository": REPOSITORY})
    assert [(check.name, check.state) for check in read(event, body, NOW)] == ([("ci/build", state)] if state else [])


def test_a_suite_without_its_app_has_no_name() -> None:
    suite = {"head_sha": sha(1), "conclusion": "success", "app": None}
    assert read("check_suite", msgspec.json.encode({"action": "completed", "check_suite": suite, "repository": REPOSITORY}), NOW) == ()


@given(st.sampled_from([*EVENTS, "push", "star"]), st.binary(max_size=60) | st.builds(a_status, sha=st.text(), state=st.text()))
def test_whatever_comes_is_read_or_refused(event: str, body: bytes) -> None:
    try:
        assert all(len(check.revision) in (40, 64) for check in read(event, body, NOW))
    except (msgspec.DecodeError, UnicodeDecodeError, Malformed):
        assert event in EVENTS
