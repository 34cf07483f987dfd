"""Someone changes fluxConfigurations past the app, and Event Grid tells of it. The fleet is never swept here."""

from uuid import uuid4

import pytest
import pytest_asyncio
from conftest import Start
from messages import announced
from playground import Json, Playground, Push
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOMEONE = str(uuid4())
REPORTED, PUT_BACK = "cluster-000", "cluster-001"
#: `settle` stays five minutes: what Azure Resource Manager shows need not settle.
DRIFT = f"\ndrift: {{mode: report, rules: [{{selector: {{cluster: {PUT_BACK}}}, mode: remediate}}]}}\n\nalerts:\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=2, canary_share=0.5, events="EventGridSchema")
    play.configure("\nalerts:\n", DRIFT)
    play.tell_at_once()
    return play


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def push(play: Playground) -> Push:
    pushed = await play.push()
    await play.ended(pushed)
    await play.azure.forget()
    return pushed


async def drifted(play: Playground) -> dict[str, Json]:
    """By cluster."""
    status, answer = await play.get("fleet?drift=any")
    assert status == 200
    return {row["cluster"]: row["drift"] for row in answer["fleet"]}


async def told(play: Playground) -> list[str]:
    """What Teams got about drift, oldest first."""
    return [heading for heading in announced(await play.azure.messages("teams")) if heading.startswith("Drift")]


async def someone_pins(play: Playground, cluster: str, commit: str) -> None:
    reference = {"repositoryRef": {"branch": "main", "commit": commit}}
    header = play.stack.settings["IDENTITY_HEADER"]
    await play.azure.change(header, cluster, {"gitRepository": reference}, client_id=SOMEONE)


async def events_again(play: Playground) -> None:
    for told in await play.azure.get("messages", channel="events"):
        await play.deliver_event(told["body"])


async def test_a_change_by_another_is_reported_once_with_its_writer(play: Playground, push: Push) -> None:
    await someone_pins(play, REPORTED, push.before)
    found = await eventually(lambda: drifted(play), "the drift is found")
    assert {cluster: (drift["kind"], drift["by"]) for cluster, drift in found.items()} == {REPORTED: ("spec", SOMEONE)}
    assert await eventually(lambda: told(play), "Teams was told") == ["Drift: 1 fluxConfiguration"]
    await events_again(play)
    assert (await told(play), await drifted(play)) == (["Drift: 1 fluxConfiguration"], found)
    assert await play.azure.accepted() == {REPORTED: 1}, "theirs, and none of ours"


async def test_with_remediate_it_is_put_back_once(play: Playground, push: Push) -> None:
    await someone_pins(play, PUT_BACK, push.before)

    async def is_back() -> bool:
        cluster = (await play.azure.clusters())[PUT_BACK]
        accepted = await play.azure.accepted()
        return bool(accepted[PUT_BACK] == 2 and cluster["desiredCommit"] == cluster["syncedCommit"] == push.commit)

    await eventually(is_back, "the commit is back")
    await events_again(play)

    async def is_told() -> bool:
        return await told(play) == ["Drift: 1 fluxConfiguration"] * 2

    await eventually(is_told, "Teams was told of both")
    assert await play.azure.accepted() == {REPORTED: 1, PUT_BACK: 2}
    assert await play.queues.are_empty("restorations")
    swept = [one for one in await play.database.documents("fleet") if one["type"] == "fleet-sweep"]
    assert swept == [], "the fleet was never swept"
    verified = await play.sluice("audit", "verify", *play.state)
    assert verified.status == 0, verified.output
