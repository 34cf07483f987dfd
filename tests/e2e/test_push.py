"""A signed push, from the webhook to the last cluster."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from azure_side import reported_at
from conftest import Start
from playground import Playground

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANARY_CONCURRENCY, PROD_CONCURRENCY = 5, 22  # local/sluice.yaml: 5, and 50 % of 45
WAIT_AFTER_CANARY = timedelta(seconds=2)
MANY_MESSAGES = 8


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    return await start(clusters=50)


def most_at_once(spans: list[tuple[datetime, datetime]]) -> int:
    """The largest number of spans that overlap."""
    moments = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    running = most = 0
    for _, step in moments:
        running += step
        most = max(most, running)
    return most


def assert_counts_add_up(rollout: dict[str, Any]) -> None:
    for stage in rollout["stages"]:
        assert sum(stage["counts"].values()) == stage["total"], rollout["stages"]


async def test_a_signed_push_moves_50_of_50_clusters_canary_before_prod(play: Playground) -> None:
    push = await play.push()
    seen = await play.watch(push)
    for rollout in seen:
        assert_counts_add_up(rollout)
    assert Counter(target["state"] for target in seen[-1]["targets"]) == {"compliant": 50}
    assert await play.commits_of() == {push.commit}

    patches = await play.azure.patches()
    assert Counter(patch.cluster for patch in patches) == dict.fromkeys(await play.azure.clusters(), 1)
    documents = await play.azure.documents(play.stack.settings["IDENTITY_HEADER"])
    for document in documents.values():
        reference = document["properties"]["gitRepository"]["repositoryRef"]
        assert {name: value for name, value in reference.items() if value} == {"branch": "main", "commit": push.commit}

    canary = await play.azure.ring("canary")
    assert len(canary) == 5
    written = {patch.cluster: patch.at for patch in patches}
    last_canary = max(reported_at(documents[name]) for name in canary)
    assert min(at for name, at in written.items() if name not in canary) >= last_canary + WAIT_AFTER_CANARY
    spans = {name: (at, reported_at(documents[name])) for name, at in written.items()}
    assert most_at_once([span for name, span in spans.items() if name in canary]) <= CANARY_CONCURRENCY
    assert most_at_once([span for name, span in spans.items() if name not in canary]) <= PROD_CONCURRENCY
    # Slack takes one message a second and says so to the second one: the app waits as it is told. Azure never had to.
    assert [path for path in await play.azure.throttled_paths() if not path.startswith("/slack/")] == []
    for channel in ("teams", "slack"):
        assert 1 <= len(await play.azure.messages(channel)) <= MANY_MESSAGES


async def test_readiness_is_told_apart_from_life(play: Playground) -> None:
    everything = {"configuration": "ok", "database": "ok", "queues": "ok", "fleet": "ok", "keys": "ok"}
    assert await play.get("health") == (200, {"status": "ok"})
    assert await play.get("health/ready") == (200, {"status": "ok", "dependencies": everything})
    await play.azure.fail_requests("POST", "/providers/Microsoft.ResourceGraph/resources", status=403, code="AuthorizationFailed")
    try:
        assert await play.get("health/ready") == (503, {"status": "not ready", "dependencies": everything | {"fleet": "Rejected"}})
        assert (await play.get("health"))[0] == 200
    finally:
        await play.azure.clear_faults()
    assert (await play.get("health/ready"))[0] == 200
