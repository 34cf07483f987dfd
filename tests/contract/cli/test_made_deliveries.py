"""`sluice plan` and `sluice send` with every recorded delivery: planned as the app would, and taken by the app's own use case."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from proofs import SIGNING_SECRET, secret_of
from recorded import DELIVERIES, PAYLOADS, Delivery
from worlds import World

from cli.main import main
from shared.config.loader import load_text
from shared.receivers import SENDERS

VARIABLE = "SLUICE_SECRET_TRY"
every_delivery = pytest.mark.parametrize("delivery", DELIVERIES, ids=lambda delivery: delivery.name)
#: What the sender alone cannot know, or what is the time of the test.
_OF_THE_MOMENT = {"pushedAt", "receivedAt", "id", "delivery"}


#: When clusters of the recorded deliveries told: Flux's events hold their time, and old ones are refused.
_TOLD_AT = b"2026-11-23T11:59:58Z"


def body_file(delivery: Delivery, folder: Path) -> str:
    """The recorded body; a cluster's as if it were told now."""
    (file,) = (PAYLOADS / delivery.name).glob("body.*")
    if delivery.sender != "flux":
        return str(file)
    fresh = folder / file.name
    fresh.write_bytes(file.read_bytes().replace(_TOLD_AT, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}".encode()))
    return str(fresh)


def config_of(delivery: Delivery) -> str:
    sender = SENDERS[delivery.sender]
    receiver = {"name": "platform", "type": delivery.sender, "secretRef": f"env://{VARIABLE}", "events": sender.events}
    return json.dumps({"apiVersion": "sluice/v1", "receivers": [receiver | delivery.options]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fleet.json").write_text('{"version": 1, "configurations": []}')
    return tmp_path


@every_delivery
def test_plan_names_the_changes_of_every_sender_s_deliveries(delivery: Delivery, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sluice.yaml").write_text(config_of(delivery))
    files = ("--config", str(folder / "sluice.yaml"), "--fleet", str(folder / "fleet.json"))
    arguments = ("plan", "--event", body_file(delivery, folder), "--event-name", delivery.expected["event"], *files)
    status = main([*arguments, "--json"])
    told = capsys.readouterr()
    if not delivery.expected["changes"]:
        event = delivery.expected["event"]
        assert (status, told.out) == (1, "")
        assert f"the event {event} moves nothing" in told.err or f"ignores the event {event}: " in told.err
        return
    assert (status, told.err) == (0, "")
    for plan, expected in zip(json.loads(told.out)["plans"], delivery.expected["changes"], strict=True):
        compared = expected.keys() - _OF_THE_MOMENT
        assert {name: plan["change"][name] for name in compared} == {name: expected[name] for name in compared}
    assert main(list(arguments)) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for change in delivery.expected["changes"]:
        assert change["ref"] in shown
        assert ("deleted, so nothing moves" in shown) == (change["kind"] == "deleted") or len(delivery.expected["changes"]) > 1


@dataclass
class App:
    """The app's use case behind its route, on in-memory ports."""

    world: World = field(default_factory=World)
    url: str = ""

    async def receive(self, request: web.Request) -> web.Response:
        match = request.match_info
        answer = await self.world.receive()(match["name"], dict(request.headers), await request.read(), match.get("token", ""))
        return web.json_response(answer.body, status=answer.status)


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = App()
    routes = web.Application()
    routes.add_routes([web.post(path, app.receive) for path in ("/api/receivers/{name}", "/api/receivers/{name}/{token}")])
    async with TestServer(routes) as server:
        app.url = str(server.make_url("")).rstrip("/")
        yield app


async def send(app: App, folder: Path, delivery: Delivery, secret: str, monkeypatch: pytest.MonkeyPatch) -> int:
    (folder / "sluice.yaml").write_text(config_of(delivery))
    app.world.config = load_text(config_of(delivery))
    app.world.secrets.known[f"env://{VARIABLE}"] = secret
    # The app compares signed times with its clock.
    app.world.clock.now = datetime.now(UTC)
    monkeypatch.setenv(VARIABLE, secret)
    arguments = ["send", body_file(delivery, folder), "--receiver", "platform", "--event-name", delivery.expected["event"]]
    return await asyncio.to_thread(main, [*arguments, "--url", app.url, "--config", str(folder / "sluice.yaml")])


@every_delivery
async def test_send_makes_deliveries_that_the_app_takes(
    delivery: Delivery, app: App, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await send(app, folder, delivery, secret_of(delivery.sender), monkeypatch) == 0
    shown = capsys.readouterr().out
    told: dict[str, Any] = json.loads(shown.partition(" ")[2])
    # A tag whose digest nobody tells is recorded once the registry was asked; a bucket has no revision.
    resolved = [one for one in delivery.expected["changes"] if one.get("revision") or one["kind"] == "deleted" or not one["ref"]]
    assert len(app.world.changes.kept.all()) == len(resolved)
    assert len(told.get("changes", [])) == len(resolved)
    assert app.world.receiver_pace.kept.all() or not (delivery.expected["changes"] or delivery.expected.get("checks"))


async def test_send_signs_with_gitlab_s_signing_token_where_the_secret_is_one(
    app: App, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = next(delivery for delivery in DELIVERIES if delivery.sender == "gitlab" and delivery.expected["changes"])
    assert await send(app, folder, delivery, SIGNING_SECRET, monkeypatch) == 0
    assert len(app.world.changes.kept.all()) == 1


async def test_a_secret_that_is_none_for_the_sender_is_told_before_anything_is_sent(
    app: App, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery = next(delivery for delivery in DELIVERIES if delivery.sender == "standard-webhooks")
    assert await send(app, folder, delivery, "hunter2", monkeypatch) == 1
    told = capsys.readouterr().err
    assert told == "sluice: the secret of a signature as Standard Webhooks have it is whsec_ and Base64\n"


async def test_another_secret_is_refused(app: App, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = next(delivery for delivery in DELIVERIES if delivery.name == "github/push/branch-updated")
    monkeypatch.setenv("OF_SOMEONE_ELSE", "hunter2")
    assert await send(app, folder, delivery, secret_of("github"), monkeypatch) == 0
    arguments = ["send", body_file(delivery, folder), "--receiver", "platform", "--url", app.url, "--secret-env", "OF_SOMEONE_ELSE"]
    assert await asyncio.to_thread(main, [*arguments, "--config", str(folder / "sluice.yaml")]) == 1


@pytest.mark.parametrize(
    ("config", "more", "reason"),
    [
        ({"secretRef": f"env://{VARIABLE}"}, (), f"the environment variable {VARIABLE} is empty or missing"),
        (
            {"secretRef": "kv://sluice/github"},
            (),
            "the secret of receiver platform is not at hand here (kv://sluice/github): use --secret-env",
        ),
        ({"secretRef": "kv://sluice/github"}, ("--receiver", "other"), "sluice.yaml has no receiver named other (it has: platform)"),
    ],
)
def test_what_is_missing_is_told_in_one_line(
    config: dict[str, str], more: tuple[str, ...], reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver = {"name": "platform", "type": "github"} | config
    (folder / "sluice.yaml").write_text(json.dumps({"apiVersion": "sluice/v1", "receivers": [receiver]}))
    arguments = ["send", __file__, "--receiver", "platform", "--url", "http://127.0.0.1:9", "--config", str(folder / "sluice.yaml")]
    assert main([*arguments, *more]) == 1
    assert capsys.readouterr().err == f"sluice: {reason}\n"


def test_an_address_that_is_a_secret_is_not_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery = next(delivery for delivery in DELIVERIES if delivery.sender == "quay")
    (folder / "sluice.yaml").write_text(config_of(delivery))
    monkeypatch.setenv(VARIABLE, "hunter2")
    arguments = ["send", body_file(delivery, folder), "--receiver", "platform", "--url", "http://127.0.0.1:9"]
    assert main([*arguments, "--config", str(folder / "sluice.yaml")]) == 1
    told = capsys.readouterr().err
    assert "/api/receivers/platform: " in told
    assert "hunter2" not in told
