"""A thousand clusters in four subscriptions, with all that goes wrong in such a fleet, end in exactly the state that they should."""

from collections import Counter
from typing import Any

import pytest
import pytest_asyncio
from conftest import Start
from messages import text_of
from playground import Playground, Push
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLUSTERS, CANARIES = 1000, 20
AWAY = [f"cluster-{number:03}" for number in range(105, 125)]  #: 2 %, in the last stage
FAILING = [f"cluster-{number:03}" for number in range(201, 231)]  #: 3 %
STRATEGY = """
      - name: canary
        selector: {tags: {ring: canary}}
        maxConcurrency: 5
        afterStageWait: 2s
      - name: prod
        selector: {tags: {ring: prod}}
        maxConcurrency: 50%
    success: {complianceWithin: 5m, maxFailures: 2, onFailure: pause}
"""
THREE_STAGES = """
      - {name: canary, selector: {tags: {ring: canary}}}
      - {name: berlin, selector: {tags: {site: berlin}}, maxConcurrency: 50%}
      - {name: world, gates: [{type: approval, approvers: [platform-leads]}]}
    success: {complianceWithin: 10m, grace: 1s, maxFailures: 5%}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=CLUSTERS, subscriptions=4, canary_share=CANARIES / CLUSTERS)
    play.configure(STRATEGY, THREE_STAGES)
    return play


async def is_asking(play: Playground, push: Push) -> bool:
    """Whether the last stage waits for its approval."""
    return (await play.summary(push))["waitingFor"].startswith("approval")


async def settled(play: Playground, push: Push) -> dict[str, Any]:
    """The rollout's summary once nobody is waited for any more."""

    async def look() -> dict[str, Any] | None:
        summary = await play.summary(push)
        counts = sum((Counter(stage["counts"]) for stage in summary["stages"]), Counter[str]())
        is_over = summary["state"] != "running" and not counts.keys() & {"pending", "queued", "applied", "offline"}
        return summary if is_over else None

    return await eventually(look, "nobody is waited for", within_seconds=400) or {}


async def test_a_thousand_clusters_end_exactly_where_they_should(play: Playground) -> None:
    """Three stages, an approval, 2 % away, 3 % failing, two pushes, and an ARM that says 503 and 429 for no reason."""
    for cluster in AWAY:
        await play.azure.connect(cluster, "Offline")
    for status in (503, 429):
        await play.azure.fail_requests("PATCH", "/fluxConfigurations/", status=status, rate=0.01, retryAfter=1)

    first = await play.push()
    await eventually(lambda: is_asking(play, first), "the first push waits for approval", within_seconds=400)
    second = play.commit("Bring a better till to every shop")
    await play.azure.fail_commit(second.commit, clusters=FAILING)
    assert (await play.deliver(second)).status == 202
    await eventually(lambda: is_asking(play, second), "the second push waits for approval", within_seconds=400)
    assert (await play.summary(first))["state"] == "superseded"

    approved = await play.act(second, "gates/world/approval/approve", reason="berlin is well")
    assert approved.status == 200, approved
    await play.finished(second, within_seconds=400)
    for cluster in AWAY:
        await play.azure.connect(cluster, "Connected")

    summary = await settled(play, second)
    berlin = {name for name, one in (await play.azure.clusters()).items() if one["tags"] == {"ring": "prod", "site": "berlin"}}
    failing_in_berlin = len(berlin & set(FAILING))
    assert summary["state"] == "succeeded"
    assert [stage["counts"] for stage in summary["stages"]] == [
        {"compliant": CANARIES},
        {"compliant": len(berlin) - failing_in_berlin, "failed": failing_in_berlin},
        {"compliant": CLUSTERS - CANARIES - len(berlin) - len(FAILING) + failing_in_berlin, "failed": len(FAILING) - failing_in_berlin},
    ]
    for channel in ("teams", "slack"):
        texts = [text_of(body) for body in await play.azure.messages(channel)]
        assert 5 <= sum(summary["id"] in text for text in texts) <= 8, texts
    clusters = await play.azure.clusters()
    assert Counter(one["syncedCommit"] for one in clusters.values()) == {second.commit: CLUSTERS}
    assert {name for name, one in clusters.items() if one["complianceState"] == "Non-Compliant"} == set(FAILING)
    written = await play.azure.accepted()
    moved_twice = set(await play.azure.ring("canary")) | berlin
    assert written == {name: 2 if name in moved_twice else 1 for name in clusters}
