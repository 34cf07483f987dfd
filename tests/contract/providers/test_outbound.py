"""The outbound client and the providers against a real server over TLS."""

import asyncio
import email.utils
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from local import tls
from shared.domain.announcements import Announcement
from shared.domain.deliveries import Parcel
from shared.domain.errors import Rejected, Throttled, Unavailable, Upstream
from shared.providers import PROVIDERS
from shared.providers.http import ANSWER_LIMIT, OutboundHttp
from shared.providers.means import Means
from shared.providers.msteams import TeamsProvider
from shared.providers.slack import SlackProvider

PATH = "/workflows/a-secret-path?sig=a-secret-signature"
FAILED = Announcement(id="1", kind="stage.failed", severity="error", title="canary failed", summary="3 of 12 clusters failed")


@dataclass
class Channel:
    """Answers as told, and keeps what it was sent."""

    origin: str = ""
    status: int = 202
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.origin + PATH

    async def answer(self, request: web.Request) -> web.Response:
        self.raw.append(await request.read())
        self.sent.append((request.path_qs, dict(request.headers), await request.json()))
        await self.open.wait()
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    return tls.create(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def channel(tls_files: tls.TlsFiles, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Channel]:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_files.authority))
    channel = Channel()
    channel.open.set()
    app = web.Application()
    app.router.add_post("/{path:.*}", channel.answer)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls_files.certificate, tls_files.key)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        channel.origin = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield channel
    finally:
        channel.open.set()
        await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[OutboundHttp]:
    http = OutboundHttp(timeout_seconds=5)
    yield http
    await http.close()


async def failure(http: OutboundHttp, address: str, kind: type[Upstream]) -> Upstream:
    """The error of a post, which must not tell the address."""
    with pytest.raises(kind) as caught:
        await http.post_json(address, {})
    told = f"{caught.value!r} {caught.value.code}"
    assert "secret" not in told
    assert "127.0.0.1" not in told
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


class TestClient:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (302, Rejected),
            (400, Rejected),
            (401, Rejected),
            (404, Rejected),
            (408, Unavailable),
            (429, Throttled),
            (500, Unavailable),
            (503, Unavailable),
        ],
    )
    async def test_statuses_become_errors(self, channel: Channel, http: OutboundHttp, status: int, kind: type[Upstream]) -> None:
        channel.status = status
        assert (await failure(http, channel.address, kind)).code == str(status)

    async def test_retry_after_in_both_forms(self, channel: Channel, http: OutboundHttp) -> None:
        channel.status = 429
        channel.headers = {"Retry-After": "17"}
        assert (await failure(http, channel.address, Throttled)).retry_after == 17
        channel.headers = {"Retry-After": email.utils.formatdate(time.time() + 60, usegmt=True)}
        wait = (await failure(http, channel.address, Throttled)).retry_after
        assert wait is not None
        assert 30 < wait <= 60
        channel.headers = {}
        assert (await failure(http, channel.address, Throttled)).retry_after is None

    async def test_a_redirect_is_not_followed(self, channel: Channel, http: OutboundHttp) -> None:
        channel.status, channel.headers = 307, {"Location": f"{channel.origin}/elsewhere"}
        await failure(http, channel.address, Rejected)
        assert [path for path, _, _ in channel.sent] == [PATH]

    async def test_a_huge_answer_is_not_read(self, channel: Channel, http: OutboundHttp) -> None:
        channel.status, channel.body = 200, bytes(ANSWER_LIMIT)
        assert len((await http.post_json(channel.address, {})).body) == ANSWER_LIMIT
        channel.body = bytes(20 * ANSWER_LIMIT)
        assert (await failure(http, channel.address, Rejected)).code == "AnswerTooLong"
        channel.status = 503
        assert (await failure(http, channel.address, Unavailable)).code == "503"

    async def test_a_silent_server_is_unavailable(self, channel: Channel) -> None:
        channel.open.clear()
        impatient = OutboundHttp(timeout_seconds=0.2)
        assert (await failure(impatient, channel.address, Unavailable)).unanswered
        await impatient.close()

    @pytest.mark.parametrize(("status", "unanswered"), [(500, False), (502, True), (503, False), (504, True)])
    async def test_a_gateway_does_not_know_what_became_of_a_request(
        self, channel: Channel, http: OutboundHttp, status: int, *, unanswered: bool
    ) -> None:
        channel.status = status
        assert (await failure(http, channel.address, Unavailable)).unanswered is unanswered

    async def test_no_server_and_a_foreign_certificate_are_unavailable(
        self, channel: Channel, http: OutboundHttp, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        assert not (await failure(http, "https://127.0.0.1:1/secret", Unavailable)).unanswered
        monkeypatch.setenv("SSL_CERT_FILE", str(tls.create(tmp_path_factory.mktemp("other")).authority))
        distrustful = OutboundHttp()
        assert not (await failure(distrustful, channel.address, Unavailable)).unanswered
        await distrustful.close()
        assert channel.sent == []

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "http://127.0.0.1/secret",
            "https://user:secret@127.0.0.1/",
            "https:///secret",
            "ftp://127.0.0.1/",
            "https://[secret/",
            "secret",
        ],
    )
    async def test_other_addresses_are_rejected(self, http: OutboundHttp, address: str) -> None:
        assert (await failure(http, address, Rejected)).code == "InvalidAddress"

    async def test_it_opens_again_after_it_was_closed(self, channel: Channel, http: OutboundHttp) -> None:
        await http.post_json(channel.address, {})
        await http.close()
        await http.post_json(channel.address, {})
        assert len(channel.sent) == 2


class TestTeams:
    async def test_it_posts_the_card(self, channel: Channel, http: OutboundHttp) -> None:
        await TeamsProvider(http, channel.address).post(Parcel(id="1", announcements=(FAILED,)))
        ((path, headers, body),) = channel.sent
        assert path == PATH
        assert headers["Content-Type"].startswith("application/json")
        assert body["attachments"][0]["content"]["fallbackText"] == "canary failed"


class TestSlack:
    async def test_a_webhook_gets_the_blocks(self, channel: Channel, http: OutboundHttp) -> None:
        channel.status, channel.body = 200, b"ok"
        await SlackProvider(http, channel.address).post(Parcel(id="1", announcements=(FAILED,)))
        ((path, headers, body),) = channel.sent
        assert path == PATH
        assert "channel" not in body
        assert "Authorization" not in headers
        assert body["blocks"][0]["type"] == "header"

    async def test_a_token_posts_to_the_channel(self, channel: Channel, http: OutboundHttp) -> None:
        channel.status, channel.body = 200, b'{"ok": true, "ts": "1.2"}'
        await PROVIDERS["slack"](Means(http, address=channel.address, token="xoxb-1", channel="C1")).post(
            Parcel(id="1", announcements=(FAILED,))
        )
        ((_, headers, body),) = channel.sent
        assert headers["Authorization"] == "Bearer xoxb-1"
        assert body["channel"] == "C1"

    @pytest.mark.parametrize(
        ("body", "kind", "code"),
        [
            (b'{"ok": false, "error": "ratelimited"}', Throttled, "ratelimited"),
            (b'{"ok": false, "error": "internal_error"}', Unavailable, "internal_error"),
            (b'{"ok": false, "error": "service_unavailable"}', Unavailable, "service_unavailable"),
            (b'{"ok": false, "error": "channel_not_found"}', Rejected, "channel_not_found"),
            (b'{"ok": false, "error": "invalid_auth"}', Rejected, "invalid_auth"),
            (b'{"ok": false, "error": {"x": 1}}', Rejected, "unknown"),
            (b"{}", Rejected, "unknown"),
            (b"[]", Unavailable, "NotJson"),
            (b"\xff", Unavailable, "NotJson"),
        ],
    )
    async def test_a_200_may_be_a_failure(self, channel: Channel, http: OutboundHttp, body: bytes, kind: type[Upstream], code: str) -> None:
        channel.status, channel.body, channel.headers = 200, body, {"Retry-After": "3"}
        with pytest.raises(kind) as caught:
            await SlackProvider(http, channel.address, "xoxb-1", "C1").post(Parcel(id="1", announcements=(FAILED,)))
        assert caught.value.code == code
        assert caught.value.unanswered == (code in ("internal_error", "NotJson"))
        assert caught.value.retry_after == (3 if kind is not Rejected and code != "NotJson" else None)


class TestGates:
    async def test_a_signed_body_arrives_byte_for_byte(self, channel: Channel, http: OutboundHttp) -> None:
        body = b'{"data":  {"title":"\\u00e9 \xc3\xa9"}}'
        await http.post_bytes(channel.address, body, headers={"webhook-id": "gate_1", "webhook-signature": "v1,c2lnbmF0dXJl"})
        ((path, headers, _),) = channel.sent
        assert (path, channel.raw) == (PATH, [body])
        assert (headers["webhook-id"], headers["webhook-signature"]) == ("gate_1", "v1,c2lnbmF0dXJl")
        assert headers["Content-Type"].startswith("application/json")

    @pytest.mark.parametrize(("status", "kind"), [(307, Rejected), (410, Rejected), (429, Throttled), (503, Unavailable)])
    async def test_a_service_that_does_not_take_the_question(
        self, channel: Channel, http: OutboundHttp, status: int, kind: type[Upstream]
    ) -> None:
        channel.status, channel.headers = status, {"Location": f"{channel.origin}/elsewhere", "Retry-After": "7"}
        with pytest.raises(kind) as caught:
            await http.post_bytes(channel.address, b"{}", headers={})
        assert "secret" not in str(caught.value)
        assert len(channel.sent) == 1
