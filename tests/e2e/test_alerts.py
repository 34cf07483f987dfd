"""Alerts on the whole stack: what failed is told by name and count in a few messages, to whom it concerns."""

from collections.abc import Callable

import pytest
import pytest_asyncio
from conftest import Start
from messages import text_of
from playground import Playground
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

MESSAGE = "timeout waiting for Deployment/shop/till"
#: Teams hears of everything, Slack only of the clusters in Berlin that failed.
ALERTS = """
  - {name: everything, provider: ops-teams, group: {interval: 3s}}
  - name: berlin
    provider: ops-slack
    events: ["target.*", "rollout.succeeded"]
    include: event.type == "rollout.succeeded" || (event.type == "target.failed" && event.tags.site == "berlin")
    group: {by: [rollout], interval: 20s}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=50, canary_share=0.2)
    play.configure(
        "success: {complianceWithin: 5m, maxFailures: 2, onFailure",
        "success: {grace: 1s, complianceWithin: 5m, maxFailures: 90%, onFailure",
    )
    old = play.stack.state.configuration.read_text().partition("alerts:")[2]
    play.configure(old, ALERTS)
    return play


async def texts(play: Playground, channel: str) -> list[str]:
    return [text_of(body) for body in await play.azure.messages(channel)]


async def one_says(play: Playground, channel: str, says: Callable[[str], bool], what: str) -> str:
    async def look() -> list[str]:
        return [text for text in await texts(play, channel) if says(text)]

    return (await eventually(look, what, within_seconds=60))[0]


async def test_fifteen_failures_of_fifty_are_a_few_messages_with_count_reasons_and_what_to_do(play: Playground) -> None:
    bad = play.commit("Bring a till that never starts")
    prod = sorted(await play.azure.ring("prod"))[:15]
    await play.azure.fail_commit(bad.commit, clusters=prod, reason="HealthCheckFailed", message=MESSAGE)
    assert (await play.deliver(bad)).status == 202
    summary = await play.finished(bad, within_seconds=120)
    assert [stage["counts"] for stage in summary["stages"]] == [{"compliant": 10}, {"compliant": 25, "failed": 15}]

    told = await one_says(play, "teams", lambda text: "failed: platform" in text, "Teams names the clusters that failed")
    assert MESSAGE in told
    assert f"sluice retry {summary['id']}" in told or "Rollout" in told
    await one_says(play, "teams", lambda text: "Rollout finished" in text, "Teams hears that it is over")
    await eventually(lambda: play.queues.are_empty("notifications"), "nothing more is to be told", within_seconds=60)
    everything = await texts(play, "teams")
    assert len(everything) <= 8, everything
    assert "15 clusters failed" in told
    assert f"rollout={summary['id']}&state=failed" in told, "a card names some, and leads to all"
    named = [name for name in await play.azure.clusters() if any(name in text for text in everything)]
    assert named
    assert set(named) <= set(prod)


async def test_slack_hears_only_of_its_site(play: Playground) -> None:
    clusters = await play.azure.clusters()
    failed = [name for name, one in clusters.items() if one["complianceState"] == "Non-Compliant"]
    berlin = {name for name in failed if clusters[name]["tags"]["site"] == "berlin"}
    assert 0 < len(berlin) < len(failed)
    said = "\n".join(await texts(play, "slack"))
    assert {name for name in failed if name in said} == berlin


async def test_a_refused_expression_leaves_the_last_good_version_in_force(play: Playground) -> None:
    configuration = str(play.stack.state.configuration)
    play.configure('event.tags.site == "berlin")', 'event.tags.site == "berlin"')
    ended = await play.sluice("validate", configuration)
    assert ended.status != 0
    assert "alerts[1].include: not valid CEL: line 1" in ended.output + ended.errors
