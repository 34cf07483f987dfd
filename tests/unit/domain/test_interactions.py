"""What somebody did in Slack: read as it is documented, and refused where it is anything else."""

import contextlib
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Refused
from shared.domain.interactions import Asked, Click, Nothing, SlackUser, Submission, dialog_id, read_interaction

ASKED = Asked(rollout="r-1", stage="prod", gate="go")
USER = {"id": "U1", "username": "alice", "team_id": "T1"}


def body(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def a_click(**fields: Any) -> dict[str, Any]:
    """As docs.slack.dev/reference/interaction-payloads/block_actions-payload shows one, in part."""
    return {
        "type": "block_actions",
        "team": {"id": "T1", "domain": "contoso"},
        "user": USER,
        "api_app_id": "A1",
        "token": "old",
        "container": {"type": "message", "message_ts": "1.0", "channel_id": "C1", "is_ephemeral": False},
        "trigger_id": "12.34.56",
        "channel": {"id": "C1", "name": "ops"},
        "message": {"blocks": []},
        "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "actions": [{"action_id": "approve", "block_id": "gate.0", "value": ASKED.encoded(), "type": "button", "action_ts": "1"}],
    } | fields


def a_submission(callback: str = "gate.reject", **fields: Any) -> dict[str, Any]:
    state = {"values": {"reason": {"text": {"type": "plain_text_input", "value": "too late"}}}}
    view = {"id": "V1", "type": "modal", "callback_id": callback, "private_metadata": ASKED.encoded(), "state": state, "hash": "1"}
    return {"type": "view_submission", "team": {"id": "T1"}, "user": USER, "view": view | fields}


def test_a_click_is_read() -> None:
    expected = Click(user=SlackUser(team="T1", id="U1"), channel="C1", answering="approve", asked=ASKED, trigger="12.34.56")
    assert read_interaction(body(a_click())) == expected


def test_a_submission_is_read() -> None:
    expected = Submission(user=SlackUser(team="T1", id="U1"), answering="reject", asked=ASKED, reason="too late")
    assert read_interaction(body(a_submission())) == expected
    approved = read_interaction(body(a_submission(dialog_id("approve"))))
    assert isinstance(approved, Submission)
    assert approved.answering == "approve"


@pytest.mark.parametrize("state", [{}, {"values": 1}, {"values": {"reason": {"text": {"value": None}}}}])
def test_a_missing_reason_is_an_empty_one(state: dict[str, Any]) -> None:
    read = read_interaction(body(a_submission(state=state)))
    assert isinstance(read, Submission)
    assert read.reason == ""


def test_a_guest_from_another_workspace_is_of_that_workspace() -> None:
    read = read_interaction(body(a_click(user={"id": "U1", "team_id": "T9"})))
    assert isinstance(read, Click)
    assert read.user == SlackUser(team="T9", id="U1")
    read = read_interaction(body(a_click(user={"id": "U1"})))
    assert isinstance(read, Click)
    assert read.user.team == "T1"
    read = read_interaction(body(a_click(user={"id": "U1"}, team=None)))
    assert isinstance(read, Click)
    assert read.user.team == ""


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "view_closed", "user": USER},
        a_click(actions=[]),
        a_click(actions=[{"action_id": "page", "value": "anything"}]),
        a_submission("another"),
        {"type": "view_submission", "user": USER},
    ],
)
def test_what_needs_no_work_is_nothing(payload: object) -> None:
    assert read_interaction(body(payload)) == Nothing()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"payload=",
        b"payload=%7B",
        b"payload=[]",
        b"other=1",
        b"&".join([b"a=1"] * 20),
        b"payload=" + b"[" * 10_000,
        body({"type": "block_actions"}),
        body({"type": "block_actions", "user": {"id": "U1 <!channel>"}}),
        body(a_click(channel=None)),
        body(a_click(trigger_id="")),
        body(a_click(actions=[{"action_id": "approve", "value": "not ours"}])),
        body(a_click(actions=[{"action_id": "approve", "value": "[" * 900}])),
        body(a_click(actions=[{"action_id": "approve", "value": '{"rollout": "../x", "stage": "a", "gate": "b"}'}])),
        body(a_submission(private_metadata="{}")),
    ],
)
def test_everything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_interaction(raw)
    assert (refused.value.status, refused.value.explain) == (400, False)


@given(raw=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: urlencode({"payload": text}).encode()))
def test_anything_is_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(Refused):
        read_interaction(raw)
