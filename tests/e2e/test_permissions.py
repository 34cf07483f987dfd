"""What the app asks of Azure Resource Manager, from a cluster's first day to its last, is what its role allows: no less, no more."""

from pathlib import Path

import pytest
import pytest_asyncio
from conftest import Start
from playground import Playground
from pycep import BicepParser
from waiting import eventually

from local.stack import repository

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROLE = Path(__file__).parents[2] / "infra" / "modules" / "fleet-role.bicep"
#: Actions without a request of their own: they decide which rows Resource Graph shows.
FOR_RESOURCE_GRAPH = {
    "Microsoft.ResourceGraph/resources/read",
    "Microsoft.Authorization/policyAssignments/read",
    "Microsoft.PolicyInsights/policyStates/queryResults/read",
}
VERBS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
BASELINE = f"""
baselines:
  - name: shop
    selector: {{tags: {{kind: shop}}}}
    onRemoval: delete
    extension: {{}}
    configurations:
      - name: base
        namespace: flux-base
        source: {{kind: GitRepository, url: {repository.URL}, branch: main}}
        kustomizations: [{{name: base, path: ./clusters/base, prune: true}}]

alerts:
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=2, settings={"REDISPATCH_AFTER_SECONDS": "20", "SWEEP_CLUSTERS_SCHEDULE": "*/2 * * * * *"})
    play.configure("\nalerts:\n", BASELINE)
    return play


async def are_in(play: Playground, *states: str) -> bool:
    """Of the clusters that have something of a baseline."""
    _, page = await play.get("clusters?limit=10")
    return [cluster["state"] for cluster in page["clusters"]] == [*states]


def action(method: str, path: str) -> str:
    """`Microsoft.Kubernetes/connectedClusters/read` of GET .../providers/Microsoft.Kubernetes/connectedClusters/berlin."""
    provider, collection = path.rsplit("/providers/", maxsplit=1)[-1].split("/")[:2]
    return f"{provider}/{collection}/{VERBS[method]}".lower()


async def test_the_role_in_the_fleet_allows_what_is_asked_and_nothing_else(play: Playground) -> None:
    order = {"repository": repository.URL, "clusters": 1, "prefix": "new", "seed": 7, "bare": True, "resourceGroup": "shops"}
    await play.azure.post("fleet", order)
    [new] = [one["name"] for one in await play.azure.get("clusters") if one["name"].startswith("new-")]
    await play.azure.put(f"clusters/{new}/tags", {"kind": "shop"})

    await eventually(lambda: are_in(play, "done"), "the cluster has its baseline", within_seconds=120)
    await play.ended(await play.push())
    await play.azure.put(f"clusters/{new}/tags", {"kind": "none"})
    await eventually(lambda: are_in(play), "what was made is deleted", within_seconds=120)

    seen = [one for one in await play.azure.get("requests") if "/providers/microsoft.kubernetes" in one["path"].lower()]
    asked = {action(one["method"], one["path"]) for one in seen if "/operations/" not in one["path"].lower()}
    [permission] = BicepParser().parse(text=ROLE.read_text())["resources"]["role"]["config"]["properties"]["permissions"]
    assert asked == {name.lower() for name in set(permission["actions"]) - FOR_RESOURCE_GRAPH}
    assert set(permission["actions"]) >= FOR_RESOURCE_GRAPH
