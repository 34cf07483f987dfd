"""`sluice fleet`, run as a user runs it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from asking import served, sluice

ROW: dict[str, Any] = {
    "cluster": "berlin [bold]",
    "connectivity": "Connected",
    "fluxExtension": {"state": "Succeeded", "version": "1.20.0", "supported": False},
    "configuration": "platform",
    "compliance": "Compliant",
    "revision": f"main@sha1:{'1f' * 20}",
    "drift": {"kind": "spec", "detail": "it is set to branch other", "by": None},
}
BARE: dict[str, Any] = {"cluster": "lyon", "connectivity": "Offline", "fluxExtension": None, "revision": f"main/{'2e' * 20}"}
COUNTS: dict[str, Any] = {
    "clusters": 2_000,
    "configurations": 1,
    "connectivity": {"Connected": 1_999, "Offline": 1},
    "compliance": {"Compliant": 1},
    "drift": {"spec": 1},
    "extension": {},
    "fluxUnsupported": 1,
    "policyNonCompliant": 3,
}
ANSWER: dict[str, Any] = {
    "sweptAt": "2026-01-01T00:00:00+00:00",
    "counts": COUNTS,
    "matching": 7,
    "fleet": [ROW, BARE],
    "continuation": "x",
}


class FakeApp:
    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, str]] = []
        self.answer = ANSWER

    async def fleet(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        return web.json_response(self.answer)


@pytest.fixture
async def app() -> AsyncIterator[FakeApp]:
    fake = FakeApp()
    async with served([web.get("/api/fleet", fake.fleet)]) as fake.url:
        yield fake


async def fleet(app: FakeApp, *arguments: str) -> tuple[int, str]:
    return await sluice("fleet", app.url, *arguments)


async def test_it_shows_counts_rows_and_how_many_more_there_are(app: FakeApp) -> None:
    status, output = await fleet(app)
    assert status == 0, output
    for said in (
        "2,000 clusters, 1 fluxConfigurations",
        "connectivity: 1,999 Connected, 1 Offline",
        "drift: 1 spec",
        "1 clusters run a Flux extension that is out of support",
        "3 clusters do not comply with Azure Policy",
        "berlin [bold]",
        "main@sha1:1f1f1f1f1f1f ",
        "main/2e2e2e2e2e2e ",
        "1.20.0 (out of support)",
        "spec: it is set to branch other (by someone unknown)",
        "2 of 7 rows",
    ):
        assert said in output
    assert "extension:" not in output


async def test_what_is_chosen_is_asked_of_the_app(app: FakeApp) -> None:
    status, output = await fleet(app, "--drift", "any", "--revision", "main@sha1:ab", "--limit", "5", "--json")
    assert (status, json.loads(output)) == (0, ANSWER)
    assert app.asked == [{"drift": "any", "revision": "main@sha1:ab", "limit": "5"}]


async def test_before_the_first_look_it_says_so(app: FakeApp) -> None:
    app.answer = {**ANSWER, "sweptAt": None}
    assert await fleet(app) == (0, "the fleet was not looked at yet\n")


async def test_an_app_that_cannot_be_reached_is_a_failure(app: FakeApp) -> None:
    app.url = "http://127.0.0.1:1"
    status, output = await fleet(app)
    assert (status, output.startswith("sluice: GET http://127.0.0.1:1/api/fleet")) == (1, True)
