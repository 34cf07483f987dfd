"""`sluice digest`, run as a user runs it."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from asking import served, sluice

PREVIEW: dict[str, Any] = {
    "title": "Daily digest fleet: 1 approval waits, 1 cluster offline",
    "summary": "27 Nov 08:00 to 28 Nov 07:12, Europe/Berlin.",
    "facts": [{"label": "Clusters", "value": "3, 2 connected, 1 offline"}, {"label": "Rollouts", "value": "a \x1b[31mred till"}],
    "clusters": [{"name": "lyon", "reason": "offline since 2 Nov 11:00"}],
    "moreClusters": 4,
    "nextStep": "sluice approve 3f2a9c00 board",
    "fields": {"clusters": 3},
    "picture": base64.b64encode(b"a picture").decode(),
}
ANSWER: dict[str, Any] = {
    "digest": "fleet",
    "provider": "ops",
    "schedule": "daily",
    "timeZone": "Europe/Berlin",
    "lastAt": "2026-11-27T07:00:00+00:00",
    "nextAt": "2026-11-28T07:00:00+00:00",
    "preview": PREVIEW,
}
WHEN = "fleet: daily to ops, last 2026-11-27T07:00:00+00:00, next 2026-11-28T07:00:00+00:00\n"


class FakeApp:
    def __init__(self) -> None:
        self.url = ""
        self.answer = ANSWER

    async def digest(self, request: web.Request) -> web.Response:
        if request.match_info["name"] != "fleet":
            return web.json_response({"error": "there is no digest named other"}, status=404)
        return web.json_response(self.answer)


@pytest.fixture
async def app() -> AsyncIterator[FakeApp]:
    fake = FakeApp()
    async with served([web.get("/api/digests/{name}", fake.digest)]) as fake.url:
        yield fake


async def digest(app: FakeApp, *arguments: str) -> tuple[int, str]:
    return await sluice("digest", app.url, *arguments)


async def test_it_shows_when_the_digest_comes(app: FakeApp) -> None:
    assert await digest(app, "fleet") == (0, WHEN)
    app.answer = {**ANSWER, "lastAt": None}
    assert "not sent yet" in (await digest(app, "fleet"))[1]


async def test_the_preview_is_text_that_cannot_steer_the_terminal(app: FakeApp) -> None:
    status, output = await digest(app, "fleet", "--preview")
    assert status == 0
    assert (
        output
        == WHEN
        + """
Daily digest fleet: 1 approval waits, 1 cluster offline
27 Nov 08:00 to 28 Nov 07:12, Europe/Berlin.

Clusters  3, 2 connected, 1 offline
Rollouts  a  [31mred till

- lyon: offline since 2 Nov 11:00
  and 4 more

Next: sluice approve 3f2a9c00 board
"""
    )


async def test_when_all_is_well_it_is_short(app: FakeApp) -> None:
    calm = {"title": "all is well", "summary": "s", "facts": [], "clusters": [], "moreClusters": 0, "nextStep": "", "picture": None}
    app.answer = {**ANSWER, "preview": calm}
    assert await digest(app, "fleet", "--preview") == (0, f"{WHEN}\nall is well\ns\n\n")


async def test_the_picture_is_written_and_json_is_what_the_app_says(app: FakeApp, tmp_path: Path) -> None:
    file = tmp_path / "trend.png"
    status, output = await digest(app, "fleet", "--json", "--picture", str(file))
    assert (status, json.loads(output), file.read_bytes()) == (0, ANSWER, b"a picture")


async def test_a_digest_that_is_not_there_and_a_file_that_cannot_be_written_are_failures(app: FakeApp, tmp_path: Path) -> None:
    status, output = await digest(app, "other")
    assert (status, "there is no digest named other" in output) == (1, True)
    status, output = await digest(app, "fleet", "--picture", str(tmp_path / "missing" / "trend.png"))
    assert (status, output.startswith("sluice: ")) == (1, True)


async def test_where_there_is_no_picture_none_is_written(app: FakeApp, tmp_path: Path) -> None:
    file = tmp_path / "trend.png"
    app.answer = {**ANSWER, "preview": {**ANSWER["preview"], "picture": None}}
    status, output = await digest(app, "fleet", "--picture", str(file))
    assert (status, "no picture yet" in output, file.exists()) == (1, True, False)
