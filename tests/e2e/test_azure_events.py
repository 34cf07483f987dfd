"""Event Grid tells the app what happens in Azure. Nothing else does here: the fleet is not swept."""

from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from conftest import Start
from playground import Playground, Push
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEVER = "0 0 0 29 2 *"
REGISTRY = "oci://contoso.azurecr.io/platform/manifests"
DIGEST = "4b" * 32
SOMEONE_ELSE = "a9900000-0000-4000-8000-000000000002"
ROUTES = "routes:\n"
FOLLOWING = f'{ROUTES}  - {{name: manifests, source: {{url: "{REGISTRY}", ref: "refs/tags/*"}}, action: pin}}\n'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    settings = {"SWEEP_COMPLIANCE_SCHEDULE": NEVER}
    return await start(clusters=2, canary_share=0.5, settings=settings, events="EventGridSchema")


async def write(play: Playground, resource_id: str, properties: dict[str, Any]) -> None:
    """A PATCH by someone who is not the app."""
    trusted = play.azure._session
    assert trusted is not None
    query = {"api-version": "2019-08-01", "resource": "https://management.azure.com", "client_id": SOMEONE_ELSE}
    headers = {"X-IDENTITY-HEADER": play.stack.settings["IDENTITY_HEADER"]}
    async with trusted.get(f"{play.stack.azure}/msi/token", params=query, headers=headers) as response:
        token = (await response.json())["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{play.stack.azure}{resource_id}"
    async with trusted.patch(address, params={"api-version": "2025-04-01"}, headers=headers, json={"properties": properties}) as response:
        assert response.status < 300, await response.text()


async def target(play: Playground, push: Push, ring: str) -> dict[str, Any]:
    """The one cluster of a ring in the push's rollout."""
    (name,) = await play.azure.ring(ring)
    (found,) = [one for one in (await play.rollout(push))["targets"] if one["cluster"] == name]
    return dict(found)


async def is_applied_and_synced(play: Playground, push: Push, ring: str) -> bool:
    (name,) = await play.azure.ring(ring)
    cluster = (await play.azure.clusters())[name]
    return (await target(play, push, ring))["state"] == "applied" and (
        (cluster["syncedCommit"], cluster["complianceState"]) == (push.commit, "Compliant")
    )


async def events_of(play: Playground, resource_id: str) -> list[dict[str, Any]]:
    told = await play.azure.get("messages", channel="events")
    return [one for one in told if one["body"]["subject"].lower() == resource_id.lower() and one["status"] == 202]


async def what_events_can_change(play: Playground) -> list[Any]:
    """To the ETag. The rollout itself may still be told of, and leave the list of those that can change."""
    stored = await play.database.documents("rollouts")
    targets = [document for document in stored if document["type"] == "target"]
    return [targets, await play.database.documents("configurations"), await play.database.documents("changes")]


async def test_a_target_is_observed_by_an_event_in_either_schema_and_by_its_duplicate_no_more(play: Playground) -> None:
    push = await play.push()
    for ring, schema in (("canary", "EventGridSchema"), ("prod", "CloudEventSchemaV1_0")):
        await play.stack.subscribe(schema)
        await eventually(lambda ring=ring: is_applied_and_synced(play, push, ring), f"{ring} runs the commit, and nobody has seen it")
        (name,) = await play.azure.ring(ring)
        resource = (await play.azure.clusters())[name]["id"]
        configuration = (await play.azure.clusters())[name]["configurations"][0]["id"]
        assert configuration.startswith(resource)
        await write(play, configuration, {"suspend": False})

        async def compliant(ring: str = ring) -> bool:
            return bool((await target(play, push, ring))["state"] == "compliant")

        await eventually(compliant, f"the event of someone's write shows that {ring} is compliant")
        event = (await events_of(play, configuration))[-1]
        assert event["schema"] == schema
    await play.ended(push)
    foreign = [document for document in await play.database.documents("configurations") if document["type"] == "foreign-write"]
    assert len(foreign) == 2, "one of each cluster, and none for the writes of the app itself"

    before = await what_events_can_change(play)
    for body in [one["body"] for one in await play.azure.get("messages", channel="events")]:
        await play.deliver_event(body)
    assert await what_events_can_change(play) == before


async def test_an_image_that_is_pushed_to_a_registry_begins_a_rollout(play: Playground) -> None:
    play.configure(ROUTES, FOLLOWING)
    (name,) = await play.azure.ring("canary")
    configuration = (await play.azure.clusters())[name]["configurations"][0]["id"]
    await play.azure.post("artifacts", {"url": REGISTRY, "tag": "v1", "digest": f"sha256:{'aa' * 32}"})
    await play.azure.post("artifacts", {"url": REGISTRY, "tag": "v2", "digest": f"sha256:{DIGEST}"})
    artifact = {"url": REGISTRY, "repositoryRef": {"tag": "v1"}}
    await write(play, configuration, {"sourceKind": "OCIRepository", "gitRepository": None, "ociRepository": artifact})
    await play.azure.post(
        "events",
        {
            "id": str(uuid4()),
            "topic": "/subscriptions/s/resourceGroups/shared/providers/Microsoft.ContainerRegistry/registries/contoso",
            "subject": "platform/manifests:v2",
            "eventType": "Microsoft.ContainerRegistry.ImagePushed",
            "eventTime": "2026-03-04T05:06:07.1234567Z",
            "dataVersion": "1.0",
            "data": {
                "timestamp": "2026-03-04T05:06:07.276585742Z",
                "action": "push",
                "target": {"digest": f"sha256:{DIGEST}", "repository": "platform/manifests", "tag": "v2"},
                "request": {"host": "contoso.azurecr.io", "method": "PUT"},
            },
        },
    )

    async def asked() -> bool:
        return bool((await play.azure.clusters())[name]["configurations"][0]["desiredCommit"] == f"sha256:{DIGEST}")

    await eventually(asked, "the cluster is asked for the digest that was pushed")
    _, page = await play.get("rollouts")
    (rollout,) = [one for one in page["rollouts"] if one["revision"] == DIGEST]
    assert (rollout["route"], rollout["ref"]) == ("manifests", "refs/tags/v2")
