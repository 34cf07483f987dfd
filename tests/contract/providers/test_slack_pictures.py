"""A picture in Slack: three calls and a message that names the file; and whatever Slack answers, the message itself comes, once."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from git_hosts import Serve

from shared.domain.announcements import Announcement, Picture
from shared.domain.deliveries import Parcel
from shared.domain.errors import Rejected
from shared.providers.http import OutboundHttp
from shared.providers.slack import SlackProvider

PICTURE = Picture(png=b"\x89PNG of the trend", text="98 % of 3,000")
DIGEST = Announcement(id="1", kind="digest.daily", severity="info", title="All is well", summary="", picture=PICTURE)
TOKEN = "xoxb-a-secret"
OK = {"ok": True}


@dataclass
class FakeSlack:
    """Answers of each method in turn, the last one again and again."""

    origin: str = ""
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    uploaded: list[bytes] = field(default_factory=list)
    upload_status: int = 200
    calls: list[tuple[str, Any]] = field(default_factory=list)

    async def upload(self, request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers, "the token is for the API only"
        self.uploaded.append(await request.read())
        return web.Response(status=self.upload_status, text="OK")

    async def call(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        method = request.match_info["method"]
        is_message = method == "chat.postMessage"
        self.calls.append((method, await request.json() if is_message else dict(await request.post())))
        usual = {"ok": True, "file_id": "F0123456", "upload_url": f"{self.origin}/upload/1"}
        answers = self.answers.get(method, [usual])
        return web.json_response(answers.pop(0) if len(answers) > 1 else answers[0])

    @property
    def messages(self) -> list[list[str]]:
        """The kinds of blocks of each message."""
        return [[block["type"] for block in body["blocks"]] for method, body in self.calls if method == "chat.postMessage"]


@pytest.fixture
async def slack(serve: Serve) -> FakeSlack:
    fake, app = FakeSlack(), web.Application()
    app.add_routes([web.post("/upload/1", fake.upload), web.post("/api/{method}", fake.call)])
    fake.origin = await serve(app)
    return fake


def provider(slack: FakeSlack, http: OutboundHttp) -> SlackProvider:
    return SlackProvider(http, f"{slack.origin}/api/chat.postMessage", TOKEN, "#ops")


async def test_the_message_names_the_file(slack: FakeSlack, git_http: OutboundHttp) -> None:
    await provider(slack, git_http).post(Parcel(id="p", announcements=(DIGEST,)))
    assert slack.uploaded == [PICTURE.png]
    asked, finished, posted = slack.calls
    assert asked == ("files.getUploadURLExternal", {"filename": "compliance.png", "length": str(len(PICTURE.png))})
    assert json.loads(finished[1]["files"]) == [{"id": "F0123456", "title": "Compliance"}]
    assert "channel_id" not in finished[1], "or it would be a message of its own"
    assert posted[1]["blocks"][-1] == {"type": "image", "slack_file": {"id": "F0123456"}, "alt_text": PICTURE.text}


async def test_a_file_that_slack_still_works_on_is_named_again_a_moment_later(slack: FakeSlack, git_http: OutboundHttp) -> None:
    slack.answers["chat.postMessage"] = [{"ok": False, "error": "invalid_blocks"}, OK]
    await provider(slack, git_http).post(Parcel(id="p", announcements=(DIGEST,)))
    assert slack.messages == [["header", "image"], ["header", "image"]]


async def test_a_file_that_slack_never_shows_is_left_out(slack: FakeSlack, git_http: OutboundHttp) -> None:
    slack.answers["chat.postMessage"] = [*([{"ok": False, "error": "invalid_blocks"}] * 4), OK]
    await provider(slack, git_http).post(Parcel(id="p", announcements=(DIGEST,)))
    assert slack.messages == [*([["header", "image"]] * 4), ["header"]]


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("files.getUploadURLExternal", {"ok": False, "error": "missing_scope", "needed": "files:write"}),
        ("files.getUploadURLExternal", {"ok": True, "file_id": "../F1", "upload_url": "https://127.0.0.1/"}),
        ("files.getUploadURLExternal", {"ok": True, "file_id": "F0123456", "upload_url": "http://127.0.0.1/"}),
        ("files.getUploadURLExternal", {"ok": True}),
        ("files.completeUploadExternal", {"ok": False, "error": {"not": "a code"}}),
    ],
)
async def test_without_an_upload_the_message_comes_without_its_picture(
    slack: FakeSlack, git_http: OutboundHttp, method: str, answer: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    slack.answers[method] = [answer]
    await provider(slack, git_http).post(Parcel(id="p", announcements=(DIGEST,)))
    assert slack.messages == [["header"]]
    assert TOKEN not in caplog.text


async def test_an_upload_that_fails_costs_the_picture_only(slack: FakeSlack, git_http: OutboundHttp) -> None:
    slack.upload_status = 500
    await provider(slack, git_http).post(Parcel(id="p", announcements=(DIGEST,)))
    assert slack.messages == [["header"]]


async def test_another_refusal_is_one(slack: FakeSlack, git_http: OutboundHttp) -> None:
    slack.answers["chat.postMessage"] = [{"ok": False, "error": "channel_not_found"}]
    with pytest.raises(Rejected) as refused:
        await provider(slack, git_http).post(Parcel(id="p", announcements=(DIGEST,)))
    assert refused.value.code == "channel_not_found"
    assert len(slack.messages) == 1


async def test_a_webhook_has_no_way_to_upload(slack: FakeSlack, git_http: OutboundHttp, serve: Serve) -> None:
    taken: list[dict[str, Any]] = []

    async def hook(request: web.Request) -> web.Response:
        taken.append(await request.json())
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.post("/services/secret", hook)])
    await SlackProvider(git_http, f"{await serve(app)}/services/secret").post(Parcel(id="p", announcements=(DIGEST,)))
    assert [block["type"] for block in taken[0]["blocks"]] == ["header"]
    assert slack.calls == []
