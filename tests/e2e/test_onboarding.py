"""A hundred clusters connect at once, and the app is lost in the middle of bringing them to their baseline."""

from typing import Any

import pytest
import pytest_asyncio
from conftest import Start
from messages import text_of
from playground import Playground
from waiting import eventually

from local.stack import repository

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLUSTERS = 100
#: As short as a turn can be without two at a time, on a machine that is busy with other tests; in Azure these are minutes.
IMPATIENT = {
    "APPLY_LEASE_SECONDS": "20",
    "REDISPATCH_AFTER_SECONDS": "20",
    "SLUICE_HOST_LEASE_SECONDS": "8",
    "SWEEP_CLUSTERS_SCHEDULE": "*/5 * * * * *",
}
BASELINE = f"""
baselines:
  - name: shop
    selector: {{cluster: new-*}}
    extension: {{controllers: [source, kustomize, helm, notification, image-automation, image-reflector]}}
    configurations:
      - name: base
        namespace: flux-base
        source: {{kind: GitRepository, url: {repository.URL}, branch: main}}
        kustomizations:
          - {{name: base, path: ./clusters/base, prune: true, postBuild: {{substitute: {{SITE: "{{tags.site}}"}}}}}}

alerts:
  - {{name: new, provider: ops-teams, events: [cluster.*, onboarding.*], group: {{by: [baseline], interval: 90s}}}}
"""
QUIET = "  - {name: rollouts, provider: ops-teams, severity: info}\n  - {name: rollouts-slack, provider: ops-slack, severity: info}\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=1, settings=IMPATIENT)
    play.configure(f"\nalerts:\n{QUIET}", BASELINE)
    return play


async def new_clusters(play: Playground) -> list[dict[str, Any]]:
    return [one for one in await play.azure.get("clusters") if one["name"].startswith("new-")]


async def states(play: Playground) -> dict[str, int]:
    _, page = await play.get("clusters?limit=1000")
    counted: dict[str, int] = {}
    for cluster in page["clusters"]:
        counted[cluster["state"]] = counted.get(cluster["state"], 0) + 1
    return counted


async def test_a_hundred_clusters_that_connect_at_once_all_reach_their_baseline_though_the_host_is_killed(play: Playground) -> None:
    order = {"repository": repository.URL, "clusters": CLUSTERS, "prefix": "new", "seed": 7, "bare": True, "resourceGroup": "shops"}
    await play.azure.post("fleet", order)

    async def is_in_the_middle() -> bool:
        puts = await play.azure.get("requests", method="PUT")
        return 20 <= len(puts) < 2 * CLUSTERS

    await eventually(is_in_the_middle, "some of the writes are made", within_seconds=90)
    await play.stack.kill_host()
    await play.stack.start_host()

    async def all_there() -> bool:
        return await states(play) == {"done": CLUSTERS}

    await eventually(all_there, "every cluster has its baseline", within_seconds=400)
    for cluster in await new_clusters(play):
        [configuration] = cluster["configurations"]
        assert (configuration["name"], configuration["complianceState"], configuration["writes"]) == ("base", "Compliant", 1)
    assert await play.azure.throttled_paths() == []


async def test_people_read_one_message_of_them_all(play: Playground) -> None:
    async def told() -> list[dict[str, Any]]:
        return [body for body in await play.azure.messages("teams") if "reached baseline shop" in text_of(body)]

    [message] = await eventually(told, "Teams got the message", within_seconds=120)
    assert f"{CLUSTERS} clusters reached baseline shop" in text_of(message)


async def test_the_command_shows_where_each_cluster_is(play: Playground) -> None:
    shown = await play.sluice("clusters", *play.state)
    assert shown.status == 0, shown.errors
    assert shown.output.count("done") == CLUSTERS
    none = await play.sluice("clusters", "--only", "failed", *play.state)
    assert "no cluster" in none.output


async def test_every_write_is_in_the_audit_trail_which_is_whole(play: Playground) -> None:
    verified = await play.sluice("audit", "verify", *play.state)
    assert verified.status == 0, verified.errors


async def test_nothing_is_written_when_nothing_differs(play: Playground) -> None:
    before = len(await play.azure.get("requests", method="PUT")) + len(await play.azure.patches())
    first = (await new_clusters(play))[0]
    await play.azure.connect(first["name"], "Offline")
    await play.azure.connect(first["name"], "Connected")

    async def swept() -> bool:
        return play.logged().count("clusters.swept") > sweeps + 1

    sweeps = play.logged().count("clusters.swept")
    await eventually(swept, "the fleet was swept again")
    assert len(await play.azure.get("requests", method="PUT")) + len(await play.azure.patches()) == before
