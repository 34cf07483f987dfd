"""GitHub's deliveries that tell how a check ended."""

import hmac
import json
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import NOW, sha
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.checks import CheckResult
from shared.domain.errors import Refused
from shared.receivers import github
from shared.receivers.github_checks import EVENTS, read
from shared.receivers.inbound import Inbound

PAYLOADS = Path(__file__).parents[2] / "payloads" / "github"
REPOSITORY = {"clone_url": "https://github.com/contoso/platform.git"}


def test_every_event_has_recorded_deliveries_that_tell_of_a_check() -> None:
    recorded = [json.loads(path.read_text()) for path in PAYLOADS.glob("*/*/expected.json")]
    assert {delivery["event"] for delivery in recorded if delivery.get("checks")} == set(EVENTS)


@pytest.mark.parametrize("body", [b"{}", b'{"sha": "private", "context": "c", "state": "success", "repository": {"clone_url": "x"}}'])
def test_a_signed_body_that_is_no_such_event_is_refused_with_the_reason(body: bytes) -> None:
    headers = {
        "x-github-event": "status",
        "x-github-delivery": "d",
        "x-hub-signature-256": f"sha256={hmac.digest(b's', body, 'sha256').hex()}",
    }
    with pytest.raises(Refused, match="body-invalid: ") as refused:
        github.receive(Inbound(receiver="platform", headers=headers, body=body, received_at=NOW), ["s"])
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
    with suppress(Refused) if event in EVENTS else nullcontext():
        assert all(len(check.revision) in (40, 64) for check in read(event, body, NOW))


def test_a_run_that_is_started_again_is_newer_than_its_end_and_a_late_start_is_not() -> None:
    def run(action: str, **fields: Any) -> CheckResult:
        body = {"name": "ci/build", "head_sha": sha(1), **fields}
        return the_check(msgspec.json.encode({"action": action, "check_run": body, "repository": REPOSITORY}), "check_run")

    begun = run("created", started_at="2026-11-23T11:00:00Z")
    ended = run("completed", conclusion="success", started_at="2026-11-23T11:00:00Z", completed_at="2026-11-23T11:05:00Z")
    again = run("created", started_at="2026-11-23T11:06:00Z")
    assert [each.state for each in (begun, ended, again)] == ["pending", "success", "pending"]
    assert begun.at < ended.at < again.at
