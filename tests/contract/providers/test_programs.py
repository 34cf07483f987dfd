"""Webhooks, PagerDuty and Opsgenie against servers that answer as their documentation says."""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from aiohttp import web
from git_hosts import Serve
from msgspec.structs import replace
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.cloud_events import event_id
from shared.domain.deliveries import Parcel
from shared.domain.errors import Malformed, Rejected, Throttled, Unavailable, Upstream
from shared.domain.event_schema import events_schema, example
from shared.domain.incidents import incident_key
from shared.ports import Provider
from shared.providers import PROVIDERS
from shared.providers.http import OutboundHttp
from shared.providers.means import Means

NEW, OLD = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
APP = "https://sluice.example"
HOSTILE = '"}],"type":"sluice.rollout.succeeded"\r\nX-Evil: 1\x00 <script>{{7*7}}</script> \u202e \U0001f600'
FAILED = Announcement(
    id="r1.stage.failed.0",
    kind="stage.failed",
    severity="error",
    title="Stage failed",
    summary="3 of 12 clusters failed",
    clusters=(ClusterLine("shop-0001", "HealthCheckFailed"),),
    at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
    subject="r1",
    fields={**example("stage.failed")["data"]["fields"], "rollout": "r1"},
)
STARTED = replace(FAILED, id="r1.rollout.started", kind="rollout.started", severity="info", clusters=(), title="Rollout started")
DONE = replace(STARTED, id="r1.rollout.succeeded", kind="rollout.succeeded", title="Rollout finished")


@dataclass
class Server:
    """Answers with these statuses, one by one, and then as ever; keeps what it was sent."""

    status: int = 202
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.path_qs, headers, await request.read()))
        status = self.statuses.pop(0) if self.statuses else self.status
        return web.Response(status=status, headers=self.headers, body=self.body)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.answer)
        return app

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.requests]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def connect(server: Server, serve: Serve, git_http: OutboundHttp) -> Callable[..., Provider]:
    address = await serve(server.app())

    def made(kind: str, *, path: str = "", **means: Any) -> Provider:
        given = {"token": NEW, "source": APP, "clock": lambda: datetime.now(UTC), "address": address + path}
        return PROVIDERS[kind](Means(git_http, **given | means))

    return made


def parcel(*announcements: Announcement) -> Parcel:
    return Parcel(id="d1", announcements=announcements or (FAILED,))


class TestWebhook:
    async def test_its_signature_is_what_standard_webhooks_verifies(self, connect: Callable[..., Provider], server: Server) -> None:
        await connect("webhook", path="/hook?key=1").post(parcel())
        ((path, headers, body),) = server.requests
        assert path == "/hook?key=1"
        event = Webhook(NEW).verify(body, headers)
        assert headers["webhook-id"] == event["id"] == event_id(FAILED)
        assert headers["content-type"] == "application/json; charset=utf-8"
        jsonschema.Draft202012Validator(events_schema()).validate(event)
        with pytest.raises(WebhookVerificationError):
            Webhook(OLD).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(NEW).verify(body.replace(b"canary", b"prod"), headers)

    async def test_both_secrets_sign_during_a_rotation(self, connect: Callable[..., Provider], server: Server) -> None:
        await connect("webhook", previous_token=OLD).post(parcel())
        ((_, headers, body),) = server.requests
        assert headers["webhook-signature"].count("v1,") == 2
        assert Webhook(NEW).verify(body, headers) == Webhook(OLD).verify(body, headers)

    async def test_as_flux_s_generic_hmac_it_signs_the_body(self, connect: Callable[..., Provider], server: Server) -> None:
        await connect("webhook", token="a token", signature="generic-hmac").post(parcel())
        ((_, headers, body),) = server.requests
        assert headers["x-signature"] == f"sha256={hmac.digest(b'a token', body, 'sha256').hex()}"
        assert "webhook-signature" not in headers

    async def test_a_secret_that_is_none_is_not_used(self, connect: Callable[..., Provider], server: Server) -> None:
        for secrets in ({"token": "hunter2"}, {"previous_token": "hunter2"}):
            with pytest.raises(Malformed) as caught:
                await connect("webhook", **secrets).post(parcel())
            assert "hunter2" not in str(caught.value)
        assert server.requests == []

    async def test_each_event_is_one_request_in_order(self, connect: Callable[..., Provider], server: Server) -> None:
        await connect("webhook").post(parcel(STARTED, FAILED, DONE))
        assert [body["type"] for body in server.bodies] == ["sluice.rollout.started", "sluice.stage.failed", "sluice.rollout.succeeded"]

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (301, Unavailable),
            (400, Rejected),
            (401, Unavailable),
            (404, Unavailable),
            (408, Unavailable),
            (410, Rejected),
            (413, Rejected),
            (422, Rejected),
            (429, Throttled),
            (500, Unavailable),
            (502, Unavailable),
        ],
    )
    async def test_its_answers(self, connect: Callable[..., Provider], server: Server, status: int, kind: type[Upstream]) -> None:
        server.status, server.headers = status, {"Retry-After": "7", "Location": "/elsewhere"}
        with pytest.raises(kind) as caught:
            await connect("webhook", path="/secret").post(parcel())
        assert caught.value.code == str(status)
        assert "secret" not in f"{caught.value!r}{caught.value.__cause__!r}"
        if status in (429, 500, 502):
            assert caught.value.retry_after == 7
        assert len(server.requests) == 1

    async def test_a_failure_says_what_was_taken_before(self, connect: Callable[..., Provider], server: Server) -> None:
        server.statuses = [200, 503]
        with pytest.raises(Unavailable) as caught:
            await connect("webhook").post(parcel(STARTED, FAILED, DONE))
        assert caught.value.taken == {STARTED.id}
        assert len(server.requests) == 2

    async def test_who_is_gone_is_asked_once(self, connect: Callable[..., Provider], server: Server) -> None:
        server.status = 410
        with pytest.raises(Rejected):
            await connect("webhook").post(parcel(STARTED, FAILED, DONE))
        assert len(server.requests) == 1

    async def test_a_long_answer_of_success_is_success(self, connect: Callable[..., Provider], server: Server) -> None:
        server.status, server.body = 200, bytes(1024 * 1024)
        await connect("webhook").post(parcel())

    async def test_an_address_that_is_none_is_refused(self, connect: Callable[..., Provider]) -> None:
        with pytest.raises(Rejected) as caught:
            await connect("webhook", address="http://hooks.example").post(parcel())
        assert caught.value.code == "InvalidAddress"

    async def test_hostile_texts_stay_texts(self, connect: Callable[..., Provider], server: Server) -> None:
        hostile = replace(
            FAILED,
            title=HOSTILE,
            summary=HOSTILE,
            clusters=(ClusterLine(HOSTILE, HOSTILE),),
            facts=((HOSTILE, HOSTILE),),
            next_step=HOSTILE,
        )
        await connect("webhook").post(parcel(hostile))
        ((_, headers, body),) = server.requests
        event = Webhook(NEW).verify(body, headers)
        kept = HOSTILE.replace("\r", " ").replace("\x00", " ")
        assert event["type"] == "sluice.stage.failed"
        assert (event["data"]["title"], event["data"]["clusters"][0]) == (kept, {"name": kept, "reason": kept})
        assert "x-evil" not in headers


class TestPagerDuty:
    async def test_an_alert_is_opened_and_resolved_by_one_key(self, connect: Callable[..., Provider], server: Server) -> None:
        pager = connect("pagerduty", token="a-routing-key")
        await pager.post(parcel(STARTED))
        assert server.requests == []
        await pager.post(parcel(STARTED, FAILED))
        await pager.post(parcel(DONE))
        assert [path for path, _, _ in server.requests] == ["/v2/enqueue"] * 2
        opened, closed = server.bodies
        assert opened["routing_key"] == closed["routing_key"] == "a-routing-key"
        assert opened["dedup_key"] == closed["dedup_key"] == incident_key(FAILED, APP)
        assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
        assert opened["payload"]["timestamp"] == "2026-03-02T09:30:00Z"

    @pytest.mark.parametrize("path", ["/", "/v2/enqueue"])
    async def test_its_address_may_be_written_whole(self, connect: Callable[..., Provider], server: Server, path: str) -> None:
        await connect("pagerduty", path=path).post(parcel())
        assert server.requests[0][0] == "/v2/enqueue"

    async def test_who_asks_to_slow_down_is_left_alone_for_minutes(self, connect: Callable[..., Provider], server: Server) -> None:
        server.status = 429
        with pytest.raises(Throttled) as caught:
            await connect("pagerduty").post(parcel())
        assert caught.value.retry_after == 120

    @pytest.mark.parametrize(("status", "kind"), [(400, Rejected), (500, Unavailable), (503, Unavailable)])
    async def test_its_answers(self, connect: Callable[..., Provider], server: Server, status: int, kind: type[Upstream]) -> None:
        server.status = status
        with pytest.raises(kind) as caught:
            await connect("pagerduty", token="a-routing-key").post(parcel())
        assert "a-routing-key" not in repr(caught.value)


class TestOpsgenie:
    async def test_an_alert_is_opened_and_closed_by_its_alias(self, connect: Callable[..., Provider], server: Server) -> None:
        await connect("opsgenie", token="a-key").post(parcel(STARTED, FAILED, DONE))
        alias = incident_key(FAILED, APP)
        assert [path for path, _, _ in server.requests] == ["/v2/alerts", f"/v2/alerts/{alias}/close?identifierType=alias"]
        assert {headers["authorization"] for _, headers, _ in server.requests} == {"GenieKey a-key"}
        opened, closed = server.bodies
        assert (opened["alias"], opened["message"]) == (alias, "Stage failed")
        assert closed == {"source": "Sluice", "note": "Rollout finished"}

    @pytest.mark.parametrize("path", ["/jsm/ops/integration/", "/jsm/ops/integration/v2/alerts"])
    async def test_jira_service_management_has_it_below_a_path(self, connect: Callable[..., Provider], server: Server, path: str) -> None:
        await connect("opsgenie", path=path).post(parcel())
        assert server.requests[0][0] == "/jsm/ops/integration/v2/alerts"

    @pytest.mark.parametrize(
        ("status", "kind"), [(401, Rejected), (403, Rejected), (422, Rejected), (429, Throttled), (500, Unavailable), (503, Unavailable)]
    )
    async def test_its_answers(self, connect: Callable[..., Provider], server: Server, status: int, kind: type[Upstream]) -> None:
        server.status = status
        for announcement in (FAILED, DONE):
            with pytest.raises(kind) as caught:
                await connect("opsgenie", token="a-key").post(parcel(announcement))
            assert "a-key" not in repr(caught.value)
