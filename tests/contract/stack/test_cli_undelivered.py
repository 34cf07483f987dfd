"""`sluice undelivered`, run as a user runs it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from asking import served, sluice


def a_notification(beginning: str, **fields: object) -> dict[str, Any]:
    return {
        "id": f"{beginning}{'0' * (32 - len(beginning))}",
        "channel": "c" * 32,
        "provider": "ops",
        "state": "failed",
        "attempts": 97,
        "createdAt": "2026-03-04T05:06:07.890123+00:00",
        "dueAt": "2026-03-04T05:06:07.890123+00:00",
        "error": "Unavailable 503",
        "titles": ["Stage failed: [bold]platform", "another"],
        "fallback": None,
        **fields,
    }


PAGES = {
    "failed": {
        "": ([a_notification("ab1"), a_notification("ab2")], "2026-03-04T05:06:07+00:00,x"),
        "2026-03-04T05:06:07+00:00,x": ([a_notification("cd")], None),
    },
    "collecting": {"": ([], None)},
}


class FakeApp:
    def __init__(self) -> None:
        self.url = ""
        self.resent: list[tuple[str, Any]] = []

    async def notifications(self, request: web.Request) -> web.Response:
        found, more = PAGES[request.query["state"]][request.query["continuation"]]
        return web.json_response({"notifications": found, "continuation": more})

    async def resend(self, request: web.Request) -> web.Response:
        if request.match_info["id"].startswith("ab1"):
            return web.json_response({"error": "it is on its way, and tried again by itself"}, status=409)
        self.resent.append((request.match_info["id"], await request.json()))
        return web.json_response(a_notification("cd", state="collecting"))


@pytest.fixture
async def app() -> AsyncIterator[FakeApp]:
    fake = FakeApp()
    async with served(
        [web.get("/api/notifications", fake.notifications), web.post(f"/api/notifications/{'c' * 32}/{{id}}/resend", fake.resend)]
    ) as fake.url:
        yield fake


async def undelivered(app: FakeApp, *arguments: str) -> tuple[int, str]:
    return await sluice("undelivered", app.url, *arguments)


async def test_it_lists_every_page_of_what_nobody_was_told(app: FakeApp) -> None:
    status, output = await undelivered(app)
    assert status == 0, output
    for said in ("ab100000", "ab200000", "cd000000", "ops", "2026-03-04 05:06", "97", "Unavailable 503", "[bold]platform and 1 more"):
        assert said in output
    status, output = await undelivered(app, "--limit", "1", "--json")
    assert json.loads(output) == {"notifications": [a_notification("ab1")]}


async def test_what_waits_is_another_list(app: FakeApp) -> None:
    assert await undelivered(app, "--waiting") == (0, "no message waits for its channel\n")


async def test_one_is_sent_again_by_the_beginning_of_its_id(app: FakeApp) -> None:
    sent = a_notification("cd")["id"]
    assert await undelivered(app, "--resend", "cd") == (0, f"{sent}: on its way to ops\n")
    assert await undelivered(app, "--resend", "cd", "--reason", "the webhook is back") == (0, f"{sent}: on its way to ops\n")
    assert app.resent == [(sent, {"reason": "sent again by hand"}), (sent, {"reason": "the webhook is back"})]


@pytest.mark.parametrize(
    ("beginning", "says"),
    [
        ("ab", "sluice: 2 undelivered messages begin with ab: "),
        ("ef", "sluice: no undelivered message begins with ef"),
        ("ab1", "sluice: it is on its way, and tried again by itself"),
    ],
)
async def test_what_cannot_be_sent_again_is_a_failure(app: FakeApp, beginning: str, says: str) -> None:
    status, output = await undelivered(app, "--resend", beginning)
    assert (status, output.startswith(says)) == (1, True), output
