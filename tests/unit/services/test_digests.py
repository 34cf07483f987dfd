"""A webhook tells that a tag moved, and not to what."""

import json
from typing import Any

import pytest
from builders import a_flux_configuration
from msgspec import structs
from worlds import World

from shared.config.loader import load_text
from shared.domain.changes import Change
from shared.domain.errors import Rejected, SluiceError, Throttled, Unavailable
from shared.domain.messages import CHANGES
from shared.domain.pins import Pin

CONFIG = """
apiVersion: sluice/v1
receivers:
  - {name: hub, type: dockerhub, secretRef: kv://sluice/hub}
  - {name: quay, type: quay, secretRef: kv://sluice/hub, registryCredentialsRef: kv://sluice/robot}
  - {name: acr, type: acr, secretRef: kv://sluice/hub}
routes:
  - {name: hub, source: {url: oci://docker.io/contoso/platform, ref: refs/tags/*}}
  - {name: quay, source: {url: oci://quay.io/contoso/platform, ref: refs/tags/v*}}
  - {name: git, source: {url: https://docker.io/contoso/other}}
"""
HUB, QUAY = "docker.io/contoso/platform", "quay.io/contoso/platform"
DIGEST, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture
def world() -> World:
    world = World(config=load_text(CONFIG))
    world.secrets.known |= {"kv://sluice/hub": "a-secret", "kv://sluice/robot": "robot:password"}
    world.registry.tags = {(HUB, "latest"): DIGEST, (QUAY, "v1"): DIGEST, (QUAY, "v2"): OTHER}
    return world


async def post(world: World, name: str, body: dict[str, Any], token: str = "a-secret") -> tuple[int, Any]:  # noqa: S107 -- the tests' secret
    answer = await world.receive()(name, {}, json.dumps(body).encode(), token)
    return answer.status, answer.body


def from_hub(repository: str = "contoso/platform", tag: str = "latest", **more: Any) -> dict[str, Any]:
    return {"push_data": {"tag": tag} | more, "repository": {"repo_name": repository}}


def from_quay(*tags: str) -> dict[str, Any]:
    return {"repository": "contoso/platform", "updated_tags": tags}


def recorded(world: World) -> list[Change]:
    return world.changes.kept.all()


async def test_the_registry_tells_what_the_tag_is_at(world: World) -> None:
    status, body = await post(world, "hub", from_hub())
    (change,) = recorded(world)
    assert (status, body) == (202, {"changes": [change.id]})
    assert (change.url, change.ref, change.revision, change.source_kind) == (HUB, "refs/tags/latest", DIGEST, "oci")
    assert world.registry.asked == [(HUB, "latest", "")]
    assert len(world.queue.messages(CHANGES)) == 1


async def test_what_was_asked_is_true_as_of_now(world: World) -> None:
    await post(world, "hub", from_hub(pushed_at=1))
    assert recorded(world)[0].pushed_at == world.clock()


async def test_the_credentials_of_the_receiver_are_used(world: World) -> None:
    await post(world, "quay", from_quay("v1"))
    assert world.registry.asked == [(QUAY, "v1", "robot:password")]


async def test_every_tag_of_a_delivery_is_asked_for(world: World) -> None:
    assert (await post(world, "quay", from_quay("v1", "v2")))[0] == 202
    assert {(change.tag, change.revision) for change in recorded(world)} == {("v1", DIGEST), ("v2", OTHER)}


async def test_a_tag_that_is_gone_does_not_take_the_others_with_it(world: World) -> None:
    assert (await post(world, "quay", from_quay("v1", "v9")))[0] == 202
    assert [change.tag for change in recorded(world)] == ["v1"]


async def test_where_the_registry_tells_none_the_delivery_is_refused_and_leaves_nothing_behind(world: World) -> None:
    assert await post(world, "quay", from_quay("v9")) == (
        422,
        {"error": "digest-unknown: the registry does not tell what the tag is at"},
    )
    world.registry.down = Rejected("no", code="401")
    assert (await post(world, "hub", from_hub()))[0] == 422
    assert (world.faults.writes, world.queue.sent) == (0, [])


@pytest.mark.parametrize("error", [Unavailable("down"), Throttled("slow down", retry_after=1)])
async def test_a_registry_that_is_down_is_asked_again_with_the_next_delivery(world: World, error: SluiceError) -> None:
    world.registry.down = error
    assert (await post(world, "hub", from_hub()))[0] == 503
    assert world.faults.writes == 0
    world.registry.down = None
    assert (await post(world, "hub", from_hub()))[0] == 202


async def test_missing_credentials_are_no_credentials_refused(world: World) -> None:
    del world.secrets.known["kv://sluice/robot"]
    assert (await post(world, "quay", from_quay("v1")))[0] == 503
    assert world.registry.asked == []


@pytest.mark.parametrize("repository", ["contoso/else", "contoso/other", "contoso/platform/sub"])
async def test_no_host_is_asked_for_what_no_route_follows(world: World, repository: str) -> None:
    assert await post(world, "hub", from_hub(repository)) == (200, {"ok": "push"})
    assert (world.registry.asked, world.faults.writes) == ([], 0)


async def test_no_host_is_asked_for_whom_nothing_is_known(world: World) -> None:
    assert await post(world, "hub", from_hub(), token="guessed") == (401, None)
    assert world.registry.asked == []


async def test_a_digest_that_is_told_is_not_asked_for(world: World) -> None:
    body = {"action": "push", "target": {"repository": "contoso/platform", "tag": "latest", "digest": f"sha256:{OTHER}"}}
    headers = {"Authorization": "Bearer a-secret"}
    answer = await world.receive()("acr", headers, json.dumps(body | {"request": {"host": "docker.io"}}).encode())
    assert (answer.status, recorded(world)[0].revision, world.registry.asked) == (202, OTHER, [])


async def test_the_same_push_told_twice_by_docker_hub_is_one_change(world: World) -> None:
    assert [(await post(world, "hub", from_hub()))[0] for _ in range(2)] == [202, 200]
    assert len(recorded(world)) == 1


async def test_quay_tells_two_pushes_of_a_tag_alike_and_both_are_looked_at(world: World) -> None:
    assert (await post(world, "quay", from_quay("v1")))[0] == 202
    world.clock.pass_(60)
    world.registry.tags[QUAY, "v1"] = OTHER
    assert (await post(world, "quay", from_quay("v1")))[0] == 202
    assert {change.revision for change in recorded(world)} == {DIGEST, OTHER}


async def test_what_docker_hub_did_not_tell_is_what_the_fleet_is_set_to(world: World) -> None:
    (route, *others) = world.config.routes
    world.config = structs.replace(world.config, routes=(structs.replace(route, action="pin"), *others))
    world.fleet.found = [a_flux_configuration(1, source_kind="OCIRepository", url=f"oci://{HUB}", branch="", tag="old")]
    await post(world, "hub", from_hub())
    for message in world.queue.messages(CHANGES):
        await world.deliver(CHANGES, message)
    (target,) = world.rollouts.kept_targets.all()
    assert target.pin == Pin(revision=DIGEST, kind="OCIRepository", tag="latest")
