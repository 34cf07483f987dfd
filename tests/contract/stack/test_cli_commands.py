"""The verbs that need no stack of their own, run as a user runs them."""

import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

GATE = {
    "name": "leads",
    "type": "approval",
    "state": "waiting",
    "askedAt": "2026-01-01T00:00:00Z",
    "required": 2,
    "verdicts": [{"by": "alex", "approved": True}],
}
STAGES = [
    {"name": "canary", "state": "succeeded", "total": 2, "counts": {"compliant": 2}, "gates": []},
    {"name": "prod", "state": "failed", "total": 3, "counts": {"compliant": 1, "failed": 2}, "gates": [GATE]},
]
ROLLOUT = {
    "id": "r-1",
    "route": "platform",
    "revision": "1f" * 20,
    "state": "paused",
    "reason": "2 targets failed in prod",
    "waitingFor": "approval of platform-leads (1 of 2)",
    "createdAt": "2026-01-01T00:00:00Z",
    "updatedAt": "2026-01-01T00:01:00Z",
    "stages": STAGES,
}
TARGET = {
    "id": "t-1",
    "cluster": "cluster-007",
    "configuration": "platform",
    "stage": "prod",
    "state": "failed",
    "reason": "HealthCheckFailed [bold]",
    "appliedAt": None,
    "observedRevision": None,
}


@dataclass
class FakeApp:
    """Answers as the app does, and keeps what it received."""

    url: str = ""
    status: int = 202
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append((request.match_info["name"], headers, await request.read()))
        return web.json_response({"changes": ["c-1"]}, status=self.status)

    async def rollouts(self, request: web.Request) -> web.Response:
        return web.json_response({"rollouts": [ROLLOUT], "continuation": None})

    async def rollout(self, request: web.Request) -> web.Response:
        targets = {} if request.query.get("targets") == "0" else {"targets": [TARGET]}
        return web.json_response(ROLLOUT | targets | {"events": []})

    async def targets(self, request: web.Request) -> web.Response:
        assert request.query["state"] == "failed"
        return web.json_response({"targets": [TARGET], "continuation": None})

    async def act(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append((request.path, headers, await request.read()))
        if self.status == 409:
            return web.json_response({"error": "it is paused already"}, status=409)
        return web.Response(text="<html>a proxy's own page", status=502) if self.status == 502 else web.json_response(ROLLOUT)


@pytest.fixture
async def app() -> AsyncIterator[FakeApp]:
    fake = FakeApp()
    routes = web.Application()
    routes.add_routes(
        [
            web.post("/api/receivers/{name}", fake.receive),
            web.get("/api/rollouts", fake.rollouts),
            web.get("/api/rollouts/{id}", fake.rollout),
            web.get("/api/rollouts/{id}/targets", fake.targets),
            web.post("/api/rollouts/{id}/{act}", fake.act),
            web.post("/api/rollouts/{id}/gates/{stage}/{gate}/{answer}", fake.act),
        ]
    )
    async with TestServer(routes) as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake


async def sluice(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import asyncio
    import os

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "cli", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "200"} | environment,
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return subprocess.CompletedProcess(arguments, process.returncode, output.decode(), errors.decode())


CONFIG = """
apiVersion: sluice/v1
receivers:
  - {name: platform, type: github, secretRef: kv://sluice/github}
"""


async def test_send_signs_the_files_own_bytes(app: FakeApp, tmp_path: Path) -> None:
    payload = tmp_path / "push.json"
    payload.write_bytes(b'{ "spaces":  "kept \xc3\xbc" }\n')
    (tmp_path / "sluice.yaml").write_text(CONFIG)
    sent = await sluice(
        *("send", "--receiver", "platform", "--event", "push", "--delivery", "d-9", "--url", app.url),
        *("--secret-env", "THE_SECRET", "--config", str(tmp_path / "sluice.yaml"), str(payload)),
        THE_SECRET="s3cret",
    )
    assert (sent.returncode, sent.stdout) == (0, '202 {"changes": ["c-1"]}\n'), sent.stderr
    ((name, headers, body),) = app.received
    assert (name, body) == ("platform", payload.read_bytes())
    assert headers["x-github-event"] == "push"
    assert headers["x-github-delivery"] == "d-9"
    assert headers["x-hub-signature-256"] == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()


async def test_send_fails_when_the_app_refuses(app: FakeApp, tmp_path: Path) -> None:
    app.status = 401
    payload = tmp_path / "push.json"
    payload.write_text("{}")
    (tmp_path / "sluice.yaml").write_text(CONFIG)
    options = ("--url", app.url, "--secret-env", "THE_SECRET", "--config", str(tmp_path / "sluice.yaml"))
    arguments = ("send", "--receiver", "platform", "--event", "push", *options, str(payload))
    refused = await sluice(*arguments, THE_SECRET="wrong")
    assert refused.returncode == 1
    assert "refused with status 401" in refused.stderr
    without = await sluice(*arguments, THE_SECRET="")
    assert without.returncode == 1
    assert "THE_SECRET is empty or missing" in without.stderr
    assert len(app.received) == 1


async def test_send_and_status_say_that_no_stack_runs(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path))
    for arguments in (("status", *state), ("send", "--receiver", "platform", "--event", "push", __file__, *state)):
        told = await sluice(*arguments)
        assert told.returncode == 1
        assert told.stderr.startswith("sluice: no stack runs")
        assert "Traceback" not in told.stderr


async def test_status_says_that_the_app_cannot_be_reached() -> None:
    told = await sluice("status", "--url", "http://127.0.0.1:9")
    assert told.returncode == 1
    assert told.stderr.startswith("sluice: GET http://127.0.0.1:9/api/rollouts: ")
    assert "Traceback" not in told.stderr


async def test_status_shows_stages_and_what_needs_attention(app: FakeApp) -> None:
    shown = await sluice("status", "--url", app.url)
    assert shown.returncode == 0, shown.stderr
    for part in ("r-1", "platform", "paused", "canary", "2/2", "prod", "1/3", "2 failed"):
        assert part in shown.stdout
    assert "cluster-007 / platform: failed: HealthCheckFailed [bold]" in shown.stdout
    assert "r-1: waits for approval of platform-leads (1 of 2)" in shown.stdout
    assert "sluice approve r-1 leads --stage prod --reason TEXT" in shown.stdout


async def test_status_as_json_is_what_the_app_says(app: FakeApp) -> None:
    shown = await sluice("status", "--json", "--url", app.url)
    told: dict[str, Any] = json.loads(shown.stdout)
    assert told == {"rollouts": [ROLLOUT | {"targets": [TARGET], "events": []}]}


async def test_an_act_is_asked_for_with_its_reason_who_asks_and_the_key(app: FakeApp) -> None:
    acted = await sluice(
        "rollback", "r-", "--stage", "prod", "--reason", "tills are down", "--url", app.url, SLUICE_KEY="k3y", LOGNAME="alex"
    )
    assert (acted.returncode, acted.stdout) == (0, "r-1: paused: 2 targets failed in prod\n"), acted.stderr
    ((path, headers, body),) = app.received
    assert (path, json.loads(body)) == ("/api/rollouts/r-1/rollback", {"reason": "tills are down", "stage": "prod"})
    assert (headers["x-functions-key"], headers["x-sluice-actor"], headers["content-type"]) == ("k3y", "alex", "application/json")
    assert "authorization" not in headers


@pytest.mark.parametrize(("verb", "says"), [("approve", "leads: 1 of 2 approvals\n"), ("reject", "leads: rejected\n")])
async def test_an_answer_finds_the_stage_of_its_gate(app: FakeApp, verb: str, says: str) -> None:
    answered = await sluice(verb, "r-1", "leads", "--reason", "seen", "--url", app.url, "--key", "k3y", SLUICE_TOKEN="t0ken")
    assert (answered.returncode, answered.stdout) == (0, says), answered.stderr
    ((path, headers, _),) = app.received
    assert (path, headers["authorization"]) == (f"/api/rollouts/r-1/gates/prod/leads/{verb}", "Bearer t0ken")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("pause", "r-1"), 409, "sluice: it is paused already\n"),
        (("pause", "r-1"), 502, "/api/rollouts/r-1/pause: 502 <html>a proxy's own page\n"),
        (("pause", "x"), 200, "sluice: no rollout among the newest 100 begins with x\n"),
        (("approve", "r-1", "board"), 200, "sluice: rollout r-1 has no gate board; its gates are leads\n"),
    ],
)
async def test_why_an_act_did_not_happen_is_said(app: FakeApp, arguments: tuple[str, ...], status: int, says: str) -> None:
    app.status = status
    refused = await sluice(*arguments, "--reason", "x", "--url", app.url)
    assert refused.returncode == 1
    assert refused.stderr.endswith(says)
    assert "Traceback" not in refused.stderr


async def test_validate_accepts_the_local_configuration_and_names_a_mistake(tmp_path: Path) -> None:
    accepted = await sluice("validate", "local/sluice.yaml")
    assert accepted.returncode == 0
    assert accepted.stdout.startswith("local/sluice.yaml: ok")
    broken = tmp_path / "sluice.yaml"
    broken.write_text("apiVersion: sluice/v1\nroutes:\n  - name: platform\n    sauce: {}\n")
    refused = await sluice("validate", str(broken))
    assert refused.returncode == 1
    assert "sauce" in refused.stderr
    assert f"{broken}:" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_usage_mistakes_are_status_2() -> None:
    assert (await sluice("up", "--clusters", "0")).returncode == 2
    assert (await sluice("send")).returncode == 2
    assert (await sluice()).returncode == 2
