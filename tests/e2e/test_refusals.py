"""What is not acceptable leaves nothing behind."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio
from conftest import Start
from playground import Answer, Playground

from local.demo.push import signed_headers

pytestmark = pytest.mark.asyncio(loop_scope="module")

Headers = dict[str, str]
MARK = "do-not-remember-me"
BODY = json.dumps({"ref": f"refs/heads/{MARK}", "zen": MARK}).encode()
TOO_LARGE = b'{"zen": "' + MARK.encode() + b"." * 30 * 1024 * 1024 + b'"}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    return await start(clusters=2)


def as_signed(headers: Headers) -> Headers:
    return headers


def with_wrong_signature(headers: Headers) -> Headers:
    digest = headers["X-Hub-Signature-256"]
    return headers | {"X-Hub-Signature-256": digest[:-1] + ("0" if digest[-1] != "0" else "1")}


def without_signature(headers: Headers) -> Headers:
    return {name: value for name, value in headers.items() if name != "X-Hub-Signature-256"}


def with_empty_signature(headers: Headers) -> Headers:
    return headers | {"X-Hub-Signature-256": "sha256="}


@pytest.mark.parametrize(
    ("alter", "body", "receiver", "answer"),
    [
        pytest.param(with_wrong_signature, BODY, "platform", Answer(401, ""), id="wrong-signature"),
        pytest.param(without_signature, BODY, "platform", Answer(401, ""), id="no-signature"),
        pytest.param(with_empty_signature, BODY, "platform", Answer(401, ""), id="empty-signature"),
        pytest.param(as_signed, TOO_LARGE, "platform", Answer(413, "body-too-large: at most 26214400 bytes"), id="30-MB"),
        pytest.param(as_signed, BODY[:-5], "platform", Answer(400, "body-invalid: not valid JSON"), id="truncated"),
        pytest.param(as_signed, BODY, "platform", Answer(400, "body-invalid: Object missing required field `before`"), id="no-push"),
        pytest.param(as_signed, BODY, "nobody", Answer(404, ""), id="unknown-receiver"),
    ],
)
async def test_what_is_refused_is_told_clearly_and_leaves_nothing_behind(
    play: Playground, alter: Callable[[Headers], Headers], body: bytes, receiver: str, answer: Answer
) -> None:
    before = await play.database.everything()
    given = await play.post(body, alter(signed_headers(body, play.stack.github_secret, event="push")), receiver)
    assert (given.status, reason_in(given)) == (answer.status, answer.text)
    assert await play.queues.are_empty()
    assert await play.database.everything() == before
    assert before["changes"] == before["audit"] == []
    log = play.logged()
    assert re.search(rf"receiver\.refused .*\bstatus={answer.status}\b", log)
    assert MARK not in log
    assert play.stack.github_secret not in log


def reason_in(answer: Answer) -> str:
    body: dict[str, Any] = json.loads(answer.text) if answer.text else {"error": ""}
    return str(body["error"])
