"""What people see of clusters on their way."""

import pytest
from builders import NOW, a_cluster
from msgspec.structs import replace
from worlds import World

from shared.domain.errors import Refused
from shared.domain.onboarding_progress import OVER, Progress, new_progress
from shared.services.report_clusters import ReportClusters


def a_progress(number: int, **fields: object) -> Progress:
    cluster = a_cluster(number, kind="ProvisionedCluster")
    seen = replace(
        new_progress(cluster.id, NOW), cluster=cluster, seen_as="Connected", baseline="edge", state="onboarding", step="extension"
    )
    return replace(seen, **fields)


async def test_a_page_says_what_each_cluster_is_at(world: World) -> None:
    for each in (
        a_progress(0, reason="it is Pending", again_at=NOW),
        a_progress(1, state="done", step=OVER, notes=("left to Azure Policy",)),
    ):
        world.onboardings.kept.put(each.cluster_id, each)
    bare = new_progress(a_cluster(2).id, NOW)
    world.onboardings.kept.put(bare.cluster_id, bare)
    report = ReportClusters(world.onboardings)
    page = await report(state="onboarding", limit=9, continuation="")
    assert page == {
        "clusters": [
            {
                "cluster": "cluster-000",
                "resourceId": a_cluster(0).id,
                "offering": "AKS on Azure Local",
                "connectivity": "Connected",
                "baseline": "edge",
                "state": "onboarding",
                "step": "extension",
                "since": NOW.isoformat(),
                "reason": "it is Pending",
                "notes": [],
                "nextLook": NOW.isoformat(),
            }
        ],
        "continuation": None,
    }
    [finished] = (await report(state="done", limit=9, continuation=""))["clusters"]  # type: ignore[misc, attr-defined] # JSON
    assert (finished["step"], finished["notes"], finished["nextLook"]) == ("", ["left to Azure Policy"], None)
    [new] = (await report(state="starting", limit=9, continuation=""))["clusters"]  # type: ignore[misc, attr-defined] # JSON
    assert (new["cluster"], new["offering"]) == ("cluster-002", "")


async def test_pages_follow_each_other(world: World) -> None:
    for number in range(5):
        each = a_progress(number)
        world.onboardings.kept.put(each.cluster_id, each)
    report, seen, continuation = ReportClusters(world.onboardings), [], ""
    while continuation is not None:
        page = await report(state="", limit=2, continuation=continuation)
        seen += [one["cluster"] for one in page["clusters"]]  # type: ignore[attr-defined] # JSON
        continuation = page["continuation"]  # type: ignore[assignment] # JSON
    assert sorted(seen) == [f"cluster-{number:03}" for number in range(5)]


@pytest.mark.parametrize("asked", [{"state": "happy"}, {"continuation": "x"}, {"continuation": "é" * 32}, {"continuation": "../" * 11}])
async def test_what_makes_no_sense_is_refused(world: World, asked: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        await ReportClusters(world.onboardings)(**{"state": "", "continuation": "", **asked}, limit=1)
    assert caught.value.status == 400
