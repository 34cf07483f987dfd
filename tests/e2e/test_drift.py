"""Someone changes a fluxConfiguration past the app, as in the portal."""

import json
from uuid import uuid4

import pytest
import pytest_asyncio
from conftest import Start
from messages import announced
from playground import Json, Playground, Push
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOMEONE = str(uuid4())
CLUSTER = "cluster-001"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=4, canary_share=0.25, settings={"SWEEP_FLEET_SCHEDULE": "* * * * * *"})
    play.configure("\nalerts:\n", "\ndrift: {mode: report, settle: 2s}\n\nalerts:\n")
    play.tell_at_once()
    return play


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def push(play: Playground) -> Push:
    pushed = await play.push()
    await play.ended(pushed)
    return pushed


async def drifted(play: Playground) -> list[Json]:
    status, answer = await play.get("fleet?drift=any")
    assert status == 200
    rows: list[Json] = answer["fleet"]
    return rows


async def told(play: Playground) -> list[str]:
    """The headings about drift that Teams got, oldest first."""
    headings = announced(await play.azure.messages("teams"))
    return [heading for heading in headings if heading.startswith("Drift")]


async def someone_pins(play: Playground, commit: str) -> None:
    reference = {"repositoryRef": {"branch": "main", "commit": commit}}
    header = play.stack.settings["IDENTITY_HEADER"]
    await play.azure.change(header, CLUSTER, {"gitRepository": reference}, client_id=SOMEONE)


async def swept(play: Playground, times: int = 3) -> None:
    """So many whole looks from now on."""

    async def number() -> int:
        return max((one["finished"] for one in await play.database.documents("fleet") if one["type"] == "fleet-sweep"), default=0)

    until = await number() + times

    async def enough() -> bool:
        return await number() >= until

    await eventually(enough, f"the fleet was looked at {times} times")


async def test_a_fleet_that_is_as_asked_has_no_drift(play: Playground, push: Push) -> None:
    await swept(play)
    _, answer = await play.get(f"fleet?revision={push.commit}&compliance=Compliant")
    assert (answer["counts"]["clusters"], answer["matching"], answer["counts"]["drift"]) == (4, 4, {})
    assert {row["askedRevision"] for row in answer["fleet"]} == {push.commit}
    assert await told(play) == []


async def test_a_change_by_another_is_reported_once_with_its_writer(play: Playground, push: Push) -> None:
    await play.azure.forget()
    await someone_pins(play, push.before)
    [row] = await eventually(lambda: drifted(play), "the drift is found")
    assert (row["cluster"], row["drift"]["kind"], row["drift"]["by"]) == (CLUSTER, "spec", SOMEONE)
    await swept(play)
    assert await eventually(lambda: told(play), "Teams was told") == ["Drift: 1 fluxConfiguration"]
    assert await play.azure.accepted() == {CLUSTER: 1}, "theirs, and none of ours"
    shown = await play.sluice("fleet", "--drift", "any", *play.state)
    assert (shown.status, CLUSTER in shown.output, "spec" in shown.output) == (0, True, True)
    as_json = await play.sluice("fleet", "--drift", "any", "--json", *play.state)
    assert [found["cluster"] for found in json.loads(as_json.output)["fleet"]] == [CLUSTER]


async def test_with_remediate_it_is_put_back_once(play: Playground, push: Push) -> None:
    play.configure("mode: report", "mode: remediate, budget: 1")

    async def is_back() -> bool:
        cluster = (await play.azure.clusters())[CLUSTER]
        return bool(cluster["desiredCommit"] == push.commit and cluster["syncedCommit"] == push.commit)

    await eventually(is_back, "the commit is back")

    async def is_told() -> bool:
        return await told(play) == ["Drift: 1 fluxConfiguration", "Drift put back: 1 fluxConfiguration"]

    await eventually(is_told, "Teams was told that it is")
    await swept(play)
    assert await is_told()
    assert await play.azure.accepted() == {CLUSTER: 2}, "theirs, and one of ours"
    assert await drifted(play) == []


async def test_beyond_the_budget_two_do_not_fight(play: Playground, push: Push) -> None:
    await someone_pins(play, push.before)
    [row] = await eventually(lambda: drifted(play), "the drift is found again")
    await swept(play, times=5)
    assert await play.azure.accepted() == {CLUSTER: 3}
    assert row["drift"]["note"] == "the budget of 1 a day for its cluster is spent"
    verified = await play.sluice("audit", "verify", *play.state)
    assert verified.status == 0, verified.output
