"""A daily digest of a fleet that needs people: seen beforehand, sent once, with its picture, though the host was away when it was due."""

import base64
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from conftest import Start
from messages import announced, text_of
from PIL import Image
from playground import Json, Playground
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

DRIFTED, AWAY = "cluster-001", "cluster-002"
#: Enough to bring the digests into force before they are due.
AHEAD = timedelta(seconds=20)
TWO_TIMERS = timedelta(seconds=11)  #: the stack's SWEEP_ROLLOUTS_SCHEDULE is every 5 s


def next_minute() -> datetime:
    """The first full minute that is far enough away."""
    return (datetime.now(UTC) + AHEAD).replace(second=0, microsecond=0) + timedelta(minutes=1)


def digests(at: datetime) -> str:
    lines = [f"  - {{name: {name}, provider: {name}, schedule: daily, at: '{at:%H:%M}'}}" for name in ("ops-teams", "ops-slack")]
    return "\n".join(["", "digests:", *lines, "", "alerts:", ""])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    """One fluxConfiguration is another than asked, one cluster is offline, and a secret ends in some days."""
    play = await start(clusters=4, canary_share=0.25, settings={"SWEEP_FLEET_SCHEDULE": "* * * * * *"})
    play.configure("\nalerts:\n", "\ndrift: {settle: 1s}\n\nalerts:\n")
    push = await play.push()
    await play.ended(push)
    reference = {"repositoryRef": {"branch": "main", "commit": push.before}}
    header = play.stack.settings["IDENTITY_HEADER"]
    await play.azure.change(header, DRIFTED, {"gitRepository": reference}, client_id=str(uuid4()))
    await play.azure.connect(AWAY, "Offline")
    await play.azure.put("secrets/slack-ops", {"value": "xoxb-local", "expires": int(time.time()) + 5 * 24 * 3600})

    async def is_seen() -> bool:
        _, drift = await play.get("fleet?drift=any")
        _, away = await play.get("fleet?connectivity=Offline")
        return bool(drift["matching"] == away["matching"] == 1)

    await eventually(is_seen, "drift and the cluster that is away are found")
    return play


async def is_past(moment: datetime) -> None:
    async def look() -> bool:
        return datetime.now(UTC) >= moment

    await eventually(look, f"it is {moment}", within_seconds=120)


async def sent(play: Playground, channel: str) -> list[Json]:
    bodies = await play.azure.messages(channel)
    return [body for body in bodies if announced([body])[0].startswith("Daily digest")]


def images(node: object) -> list[Json]:
    if isinstance(node, dict):
        own = [node] if node.get("type") in {"Image", "image"} else []
        return own + [found for value in node.values() for found in images(value)]
    return [found for item in node for found in images(item)] if isinstance(node, list) else []


def is_trend(png: bytes) -> bool:
    return Image.open(BytesIO(png)).size == (600, 160)


async def test_it_is_sent_late_but_once_where_the_host_was_away_when_it_was_due(play: Playground) -> None:
    due = next_minute()
    play.configure("\nalerts:\n", digests(due))

    async def is_known() -> bool:
        return any(one["type"] == "digest-marks" for one in await play.database.documents("fleet"))

    await eventually(is_known, "the digests are in force", within_seconds=(due - datetime.now(UTC)).total_seconds())
    await play.stack.kill_host()
    await is_past(due)
    await play.stack.start_host()

    async def is_sent() -> bool:
        return bool(await sent(play, "teams") and await sent(play, "slack"))

    await eventually(is_sent, "both digests are there")
    await is_past(datetime.now(UTC) + TWO_TIMERS)
    assert (len(await sent(play, "teams")), len(await sent(play, "slack"))) == (1, 1)


async def test_it_says_what_needs_people_and_shows_the_trend(play: Playground) -> None:
    [card], [message] = await sent(play, "teams"), await sent(play, "slack")
    for body in (card, message):
        text = text_of(body)
        assert "1 drifted, 1 cluster offline, 1 secret expires soon" in text
        for said in ("4, 3 connected, 1 offline", "1 finished", f"1, the oldest {DRIFTED} / platform", "kv://sluice/slack-ops expires"):
            assert said in text
        assert AWAY in text
    [image] = images(card)
    assert is_trend(base64.b64decode(image["url"].removeprefix("data:image/png;base64,")))
    assert "of 4" in image["altText"]
    [shown] = images(message)
    files = {one["id"]: one["content"] for one in await play.azure.messages("slack-files")}
    assert is_trend(base64.b64decode(files[shown["slack_file"]["id"]]))


async def test_people_look_at_the_next_one_without_waiting(play: Playground, tmp_path: Path) -> None:
    file = tmp_path / "trend.png"
    shown = await play.sluice("digest", "ops-teams", "--preview", "--picture", str(file), *play.state)
    assert shown.status == 0, shown.errors
    assert "Daily digest ops-teams: 1 drifted, 1 cluster offline, 1 secret expires soon" in shown.output
    assert is_trend(file.read_bytes())
    assert len(await sent(play, "teams")) == 1
    assert (await play.get("digests/nobody"))[0] == 404
