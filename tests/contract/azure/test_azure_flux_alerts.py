"""The clusters' notification-controllers: what they tell, and how they sign it."""

import hmac
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cloud_client import CloudClient, MadeFleet, Repository, until

SECRET = "correct horse battery staple"


@pytest.fixture
async def address(cloud: CloudClient, origin: str) -> AsyncIterator[str]:
    """Where every cluster sends its alerts for the time of a test; what arrives is among the hooks of that name."""
    name = f"flux-{uuid.uuid4().hex}"
    await cloud.admin("PUT", "flux-alerts", {"address": f"{origin}/hooks/{name}", "secret": SECRET})
    yield name
    await cloud.admin("PUT", "flux-alerts", {"address": "", "secret": ""})


async def received(cloud: CloudClient, name: str, fleet: MadeFleet, count: int, *kinds: str) -> list[dict[str, Any]]:
    """Of the fleet's own clusters, once there are so many (those of other tests live on); of some kinds of objects, or of all."""

    async def look() -> list[dict[str, Any]] | None:
        told = [one for one in await cloud.messages("hooks") if one["name"] == name]
        found = [one for one in told if one["body"]["metadata"]["clusterArmId"] in fleet.ids]
        found = [one for one in found if not kinds or one["body"]["involvedObject"]["kind"] in kinds]
        return found if len(found) >= count else None

    return await until(look)


async def test_an_attempt_ends_with_an_event_a_kustomization_that_its_cluster_has_signed(
    cloud: CloudClient, repository: Repository, address: str
) -> None:
    layers = {"infra": {"path": "./infra"}, "apps": {"path": "./apps", "dependsOn": ["infra"]}}
    fleet = await cloud.make_fleet(repository, kustomizations=layers, legacyShare=0)
    commit = repository.commit({"apps/web.yaml": "kind: Service\n"})
    await cloud.pin(fleet.configuration(), commit)
    # On a busy machine a first look at the repository may come too early for the commit, which is told of the source.
    messages = await received(cloud, address, fleet, 2, "Kustomization")
    assert {one["body"]["involvedObject"]["name"] for one in messages} == {"platform-infra", "platform-apps"}
    token = hmac.digest(SECRET.encode(), fleet.ids[0].lower().encode(), "sha256").hex()
    for one in messages:
        assert one["headers"]["X-Signature"] == f"sha256={hmac.digest(token.encode(), one['raw'].encode(), 'sha256').hex()}"
        assert (one["body"]["severity"], one["body"]["reason"]) == ("info", "ReconciliationSucceeded")
        assert one["body"]["involvedObject"]["namespace"] == "cluster-config"
        expected = {"clusterArmId": fleet.ids[0], "revision": f"main@sha1:{commit}", "commit_status": "update"}
        assert one["body"]["metadata"] == expected


async def test_a_failed_kustomization_is_told_and_what_waits_for_it_is_not(
    cloud: CloudClient, repository: Repository, address: str
) -> None:
    layers = {"apps": {"path": "./apps", "dependsOn": ["infra"]}, "infra": {"path": "./infra"}}
    fleet = await cloud.make_fleet(repository, kustomizations=layers)
    commit = repository.commit({"apps/web.yaml": "kind: Service\n"})
    await cloud.admin("POST", "faults", {"kind": "commit", "commit": commit, "message": "the till does not open"})
    await cloud.pin(fleet.configuration(), commit)
    first = (await received(cloud, address, fleet, 1, "Kustomization"))[0]["body"]
    assert (first["involvedObject"]["name"], first["severity"], first["reason"]) == ("platform-infra", "error", "HealthCheckFailed")
    assert first["message"] == "the till does not open"
    told = {one["body"]["involvedObject"]["name"] for one in await received(cloud, address, fleet, 2, "Kustomization")}  # it tries again
    assert told == {"platform-infra"}


async def test_a_source_that_cannot_be_fetched_is_told_alone(cloud: CloudClient, repository: Repository, address: str) -> None:
    fleet = await cloud.make_fleet(repository)
    await cloud.pin(fleet.configuration(), "f" * 40)
    event = (await received(cloud, address, fleet, 1))[0]["body"]
    assert event["involvedObject"] == {
        "kind": "GitRepository",
        "namespace": "cluster-config",
        "name": "platform",
        "apiVersion": "source.toolkit.fluxcd.io/v1",
    }
    assert (event["reason"], event["metadata"]) == ("GitOperationFailed", {"clusterArmId": fleet.ids[0]})


async def test_an_address_is_needed(cloud: CloudClient) -> None:
    answer = await cloud.call("PUT", "/_sim/flux-alerts", {"address": "https://127.0.0.1"})
    assert answer.status == 400
