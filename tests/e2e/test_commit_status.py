"""Commits are told how far their rollouts are, on GitHub: pending, success and failure, whatever happens on the way."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from conftest import Start
from playground import Playground, Push
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

IMPATIENT = {"APPLY_LEASE_SECONDS": "4", "REDISPATCH_AFTER_SECONDS": "4", "SLUICE_HOST_LEASE_SECONDS": "4"}
CANARY, PROD = "sluice/platform/canary", "sluice/platform/prod"
REPORT = "    strategy: rings\n    report: {provider: hub, deployments: true, comment: true}\n\nproviders:\n"

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=50, settings=IMPATIENT)
    await play.azure.put("secrets/github-status", {"value": "ghp_local"})
    hub = f"  - {{name: hub, type: github, tokenRef: kv://sluice/github-status, address: {play.stack.azure}/github/api/v3}}\n"
    play.configure("    strategy: rings\n\nproviders:\n", REPORT + hub)
    play.configure("success: {complianceWithin", "success: {grace: 1s, complianceWithin")
    return play


async def heard(play: Playground, push: Push, kind: str = "status") -> list[Json]:
    """What GitHub was told of the push's commit, oldest first."""
    kept = [one for one in await play.azure.get("messages", channel="github") if one["kind"] == kind]
    return [one["body"] for one in kept if kind != "status" or one["sha"] == push.commit]


async def stands(play: Playground, push: Push) -> dict[str, str]:
    """The state of each context, as the commit's page shows it."""
    return {status["context"]: status["state"] for status in await heard(play, push)}


async def stand(play: Playground, push: Push, canary: str, prod: str, *, within_seconds: float = 60) -> None:
    """Waits until the two contexts are in these states."""

    async def look() -> bool:
        return await stands(play, push) == {CANARY: canary, PROD: prod}

    await eventually(look, f"canary is {canary} and prod is {prod}", within_seconds=within_seconds)


def of(statuses: list[Json], context: str) -> list[Json]:
    return [status for status in statuses if status["context"] == context]


async def test_a_rollout_goes_from_pending_to_success_in_each_stage(play: Playground) -> None:
    push = play.commit()
    await play.azure.post("github/merges", {"commit": push.commit, "number": 12})
    assert (await play.deliver(push)).status == 202
    await play.ended(push)
    await stand(play, push, "success", "success")

    statuses = await heard(play, push)
    rollout = await play.summary(push)
    for context, clusters in ((CANARY, 5), (PROD, 45)):
        told = of(statuses, context)
        states = [status["state"] for status in told]
        assert states == ["pending"] * (len(states) - 1) + ["success"]
        assert 1 < len(told) <= 14
        assert told[-1]["description"] == f"{clusters} clusters"
        assert told[-1]["target_url"] == f"{play.stack.host}/api/dashboard?rollout={rollout['id']}"
    successes = [status["context"] for status in statuses if status["state"] == "success"]
    assert successes == [CANARY, PROD]

    deployments = await heard(play, push, "deployment")
    assert sorted(one["environment"] for one in deployments) == ["platform/canary", "platform/prod"]
    kept = await play.azure.get("messages", channel="github")
    ends = {one["environment"]: one["body"]["state"] for one in kept if one["kind"] == "deployment-status"}
    assert ends == {"platform/canary": "success", "platform/prod": "success"}

    comments = [one for one in kept if one["kind"] == "comment"]
    assert {(one["pull"], one["id"]) for one in comments} == {(12, comments[0]["id"])}, "one comment, edited in place"
    assert "| prod | done | 45 clusters |" in comments[-1]["body"]["body"]


async def test_a_commit_that_fails_says_so_and_the_next_one_takes_its_place(play: Playground) -> None:
    bad = play.commit("Bring a till that never starts")
    await play.azure.fail_commit(bad.commit, tags={"ring": "canary"}, count=3)
    assert (await play.deliver(bad)).status == 202
    await play.ended(bad, until="paused")
    await stand(play, bad, "failure", "pending")
    assert of(await heard(play, bad), CANARY)[-1]["description"] == "too many failures; 5 clusters, 3 failed"

    good = await play.push("Bring back a till that starts")
    await play.ended(good)
    await stand(play, good, "success", "success")
    await stand(play, bad, "failure", "error")


async def test_a_host_killed_messages_doubled_and_a_git_host_that_is_down_leave_the_right_state(play: Playground) -> None:
    await play.azure.fail_requests("POST", "/statuses/", status=502, rate=0.5)
    await play.azure.fail_requests("PATCH", "/connectedClusters/cluster-01", delaySeconds=2)
    push = await play.push("Bring a quieter till")

    async def canary_is_told() -> bool:
        return CANARY in await stands(play, push)

    await eventually(canary_is_told, "the commit is told something")
    await play.stack.kill_host()
    await play.azure.clear_faults()
    await play.stack.start_host()
    rollout = await play.ended(push)
    await asyncio.gather(*(play.queues.send("commit-reports", f'{{"rolloutId": "{rollout["id"]}"}}') for _ in range(5)))
    await stand(play, push, "success", "success", within_seconds=240)  # who was killed while it spoke keeps its turn for two minutes

    await eventually(lambda: play.queues.are_empty("commit-reports"), "every report was read", within_seconds=240)
    assert await stands(play, push) == {CANARY: "success", PROD: "success"}
    for context in (CANARY, PROD):
        states = [status["state"] for status in of(await heard(play, push), context)]
        assert states == sorted(states), "never pending after success"
    kept = [one for one in await play.azure.get("messages", channel="github") if one["kind"] == "deployment"]
    made = [one["body"]["environment"] for one in kept if one["body"]["ref"] == push.commit]
    assert sorted(made) == ["platform/canary", "platform/prod"]
