"""Channels in every kind of trouble, three instances of the app, and a count of what each channel got.

Prints the table that docs/delivery.md holds: `pytest tests/e2e/test_deliveries.py -s`.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from conftest import Start
from messages import text_of
from playground import Playground
from waiting import eventually

from local.stack import description

pytestmark = pytest.mark.asyncio(loop_scope="module")

TITLE = re.compile(r"counted-[a-z]+-[0-9]{3}")
FALLBACK = "spare"
LONGER_THAN_A_TIME_OUT = 20  #: seconds; the app waits 15
IMPATIENT = {"SLUICE_HOST_LEASE_SECONDS": "10"}  #: when a dead instance's message comes back; in Azure ten minutes
MOST_UNDER_WAY = 8  #: posts in a second and a bit more, on a machine that has others to serve
SLACK = "/slack/api/chat.postMessage"


def titles(channel: str, count: int) -> list[str]:
    return [f"counted-{channel}-{number:03}" for number in range(count)]


def teams(play: Playground, name: str, fallback: str = "") -> str:
    also = f", fallback: {fallback}" if fallback else ""
    return f'  - {{name: {name}, type: msteams, address: "{play.stack.azure}/teams/{name}"{also}}}\n'


async def put(play: Playground, wanted: Mapping[str, list[str]]) -> None:
    settings = description.read(play.stack.state.path).settings
    script = Path(__file__).with_name("put_deliveries.py")
    process = await asyncio.create_subprocess_exec(*(sys.executable, str(script), settings), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    _, errors = await process.communicate(json.dumps(wanted).encode())
    assert process.returncode == 0, errors.decode()


async def got(play: Playground) -> dict[str, Counter[str]]:
    """How often each title was shown, by channel: of Teams the end of its path, and Slack."""
    found: dict[str, Counter[str]] = {}
    for one in await play.azure.get("messages"):
        told = TITLE.search(text_of(one["body"])) if one["channel"] in ("teams", "slack") else None
        if told:
            found.setdefault(str(one.get("path", "slack")), Counter())[told[0]] += 1
    return found


async def states(play: Playground) -> Counter[str]:
    documents = await play.database.documents("notifications")
    return Counter(document["state"] for document in documents if document["type"] == "delivery")


async def settled(play: Playground, *, within_seconds: float) -> Counter[str]:
    async def look() -> Counter[str]:
        found = await states(play)
        return Counter() if found["collecting"] else found

    return await eventually(look, "no message is on its way", within_seconds=within_seconds)


def row(what: str, asked: int, shown: Counter[str], note: str = "") -> None:
    twice = sum(count - 1 for count in shown.values())
    print(f"| {what} | {asked} | {len(shown)} | {twice} | {note} |")  # noqa: T201 -- the table of docs/delivery.md


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=1, settings=IMPATIENT)
    names = ("busy", "quiet", "crash", "silent", FALLBACK)
    closed = teams(play, "closed", FALLBACK)
    play.configure("providers:\n", f"providers:\n{''.join(teams(play, name) for name in names)}{closed}")
    return play


async def test_an_instance_that_is_killed_loses_nothing(play: Playground) -> None:
    asked = titles("crash", 60)
    # Shown at once, answered a second later: so that some are there that the instance has not noted when it dies.
    await play.azure.fail_requests("POST", "^/teams/crash", delaySeconds=1, after=True)
    await put(play, {"crash": asked})

    async def some() -> bool:
        return len((await got(play)).get("crash", ())) >= 10

    await eventually(some, "some of them are there")
    await play.stack.kill_host()
    await asyncio.gather(play.stack.start_host(), play.stack.start_more_hosts(2))
    await settled(play, within_seconds=240)
    await play.azure.clear_faults()
    shown = (await got(play))["crash"]
    row("Teams: the instance is killed (SIGKILL) while it posts; each answer takes a second", 60, shown, "those under way when it died")
    assert set(shown) == set(asked)
    assert max(shown.values()) <= 2
    assert sum(shown.values()) - 60 <= MOST_UNDER_WAY


async def test_what_was_refused_for_now_arrives_once(play: Playground) -> None:
    await play.azure.forget()
    fail = play.azure.fail_requests
    await fail("POST", "^/teams/busy", status=429, times=5, retryAfter=2)
    await fail("POST", "^/teams/busy", status=500, times=5)
    await fail("POST", "^/teams/busy", status=503, times=3, retryAfter=1)
    await fail("POST", SLACK, status=429, times=3, retryAfter=2, body='{"ok": false, "error": "ratelimited"}')
    await fail("POST", SLACK, status=200, times=2, retryAfter=1, body='{"ok": false, "error": "ratelimited"}')
    await fail("POST", SLACK, status=200, times=3, body='{"ok": false, "error": "service_unavailable"}')
    await fail("POST", SLACK, status=500, times=2)
    asked = {"busy": titles("busy", 60), "ops-slack": titles("slack", 30)}
    await put(play, asked)
    await settled(play, within_seconds=180)
    shown = await got(play)
    row("Teams: 429 five times, 500 five times, 503 three times", 60, shown["busy"])
    row("Slack: 429 three times, `ok: false` five times, 500 twice", 30, shown["slack"])
    assert shown["busy"] == Counter(asked["busy"])
    assert shown["slack"] == Counter(asked["ops-slack"])
    throttled = [path for path in await play.azure.throttled_paths() if path.startswith(("/teams/", "/slack/"))]
    print(f"429 beside those of the faults: {len(throttled) - 8}")  # noqa: T201 -- beside the table
    assert len(throttled) <= 8 + 2  # the machine may be slow for a moment


async def test_what_was_not_answered_is_shown_twice_at_most_where_it_had_arrived(play: Playground) -> None:
    await play.azure.forget()
    fail = play.azure.fail_requests
    await fail("POST", "^/teams/quiet", times=3, delaySeconds=LONGER_THAN_A_TIME_OUT, after=True)  # arrived, the answer comes too late
    await fail("POST", "^/teams/quiet", times=2, delaySeconds=LONGER_THAN_A_TIME_OUT, status=503, drop=True)  # never arrived
    await fail("POST", "^/teams/quiet", times=2, drop=True)
    await fail("POST", "^/teams/silent", times=3, status=202)
    asked = {"quiet": titles("quiet", 20), "silent": titles("silent", 8)}
    await put(play, asked)
    found = await settled(play, within_seconds=200)
    shown = await got(play)
    row("Teams: three time-outs after arrival, two before, two lost connections", 20, shown["quiet"])
    row("Teams: 202, and nothing shown, three times", 8, shown["silent"], "not to be noticed by anyone")
    assert set(shown["quiet"]) == set(asked["quiet"])
    assert sum(shown["quiet"].values()) == 20 + 3
    assert len(shown["silent"]) == 8 - 3
    assert set(found) == {"sent"}


async def test_what_is_refused_for_good_goes_to_the_fallback_or_is_listed_and_sent_again(play: Playground) -> None:
    await play.azure.forget()
    await play.azure.fail_requests("POST", "^/teams/closed", status=404)
    await play.azure.fail_requests("POST", SLACK, status=200, body='{"ok": false, "error": "channel_not_found"}')
    asked = {"closed": titles("closed", 20), "ops-slack": titles("lost", 5)}
    await put(play, asked)
    found = await settled(play, within_seconds=90)
    shown = await got(play)
    row("Teams: 404, with a fallback", 20, shown[FALLBACK], "all of them in the fallback")
    row("Slack: `channel_not_found`, without one", 5, shown.get("slack", Counter()), "listed by `sluice undelivered`")
    assert shown == {FALLBACK: Counter(asked["closed"])}
    assert (found["handed-over"], found["failed"]) == (20, 5)
    bodies = [text_of(body) for body in await play.azure.messages("teams")]
    assert all("closed has not taken this message since" in body and "(Rejected 404)" in body for body in bodies)
    await play.azure.clear_faults()
    listed = json.loads((await play.sluice("undelivered", "--json", *play.state)).output)["notifications"]
    assert {title for each in listed for title in each["titles"]} == set(asked["ops-slack"])
    assert {each["error"] for each in listed} == {"Rejected channel_not_found"}
    for each in listed:
        again = await play.sluice("undelivered", "--resend", each["id"], "--reason", "the channel is back", *play.state)
        assert again.status == 0, again
    await settled(play, within_seconds=60)
    assert (await got(play))["slack"] == Counter(asked["ops-slack"])
    assert (await play.sluice("undelivered", *play.state)).output == "every message was delivered\n"
    assert (await play.sluice("audit", "verify", *play.state)).status == 0
