"""A commit that does not work, what it leaves in the database, and the way out of it."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio
from conftest import Start
from playground import Playground, Push

pytestmark = pytest.mark.asyncio(loop_scope="module")

REASON = "HealthCheckFailed"
MESSAGE = "timeout waiting for Deployment/shop/till"
TITLE = "Bring a till that never starts"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=50)
    play.configure("success: {complianceWithin", "success: {grace: 1s, complianceWithin")
    return play


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bad(play: Playground) -> Push:
    """A push that fails on three canary clusters, one more than is tolerated."""
    commit = play.commit(TITLE)
    await play.azure.fail_commit(commit.commit, tags={"ring": "canary"}, count=3, reason=REASON, message=MESSAGE)
    assert (await play.deliver(commit)).status == 202
    await play.ended(commit, until="paused")
    return commit


async def test_a_commit_that_fails_on_three_canary_clusters_pauses_the_rollout_before_prod(play: Playground, bad: Push) -> None:
    rollout = await play.rollout(bad)
    failed = {target["cluster"]: target["reason"] for target in rollout["targets"] if target["state"] == "failed"}
    assert len(failed) == 3
    assert all(REASON in reason and MESSAGE in reason for reason in failed.values())
    canary = await play.azure.ring("canary")
    assert set(failed) < canary
    assert set(await play.azure.accepted()) == canary

    for channel in ("teams", "slack"):
        text = await play.told(channel, "Stage failed: platform / canary")
        for word in ("canary", REASON, MESSAGE, *failed):
            assert word in text, (channel, word)


async def test_nothing_in_the_database_can_be_read(play: Playground, bad: Push) -> None:
    readable = "\n".join(words_in(await play.database.everything())).lower()
    assert bad.commit in readable  # ids and hashes stay clear, so this is the text that was meant
    clusters = await play.azure.clusters()
    author = json.loads(bad.body)["pusher"]
    secrets = [
        *("github.com", "contoso", "platform", "refs/heads", "main", "clusters/base", "till"),
        *("resourcegroups", "connectedclusters", "rings", "canary", "prod", "ops-teams", "ops-slack"),
        *(author["name"], author["email"], TITLE, REASON, MESSAGE),
        *clusters,
    ]
    assert [word for word in secrets if word.lower() in readable] == []


def words_in(node: Any) -> Iterator[str]:
    """Every name and text of a document, and what the header of a sealed field says to everyone."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield name
            yield from words_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from words_in(value)
    elif isinstance(node, str) and node.startswith("eyJ"):  # a JWE: of the rest any four letters may turn up by chance
        yield base64.urlsafe_b64decode(node.partition(".")[0] + "==").decode()
    else:
        yield str(node)


async def test_the_audit_trail_verifies_until_a_record_is_changed(play: Playground, bad: Push) -> None:
    whole = await play.sluice("audit", "verify", *play.state)
    assert (whole.status, whole.errors) == (0, "")
    assert "every record fits its chain" in whole.output

    record = next(one for one in await play.database.documents("audit") if one["number"] == 1)
    await play.database.replace("audit", record | {"at": "2001-01-01T00:00:00Z"})
    changed = await play.sluice("audit", "verify", *play.state)
    assert changed.status == 1
    assert f"stream {record['stream']}, record 1: its hash does not fit what it holds" in changed.output
    await play.database.replace("audit", record)
    assert (await play.sluice("audit", "verify", *play.state)).status == 0


async def test_a_good_push_supersedes_the_paused_rollout_and_moves_all_50(play: Playground, bad: Push) -> None:
    good = await play.push("Bring back a till that starts")
    await play.ended(good)
    assert await play.commits_of() == {good.commit}
    given_up = await play.rollout(bad)
    assert (given_up["state"], given_up["supersededBy"]) == ("superseded", (await play.rollout(good))["id"])
    written = await play.azure.accepted()
    canary = await play.azure.ring("canary")
    assert written == {name: 2 if name in canary else 1 for name in await play.azure.clusters()}
