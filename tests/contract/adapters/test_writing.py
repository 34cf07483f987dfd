"""Writing to fluxConfigurations through Azure Resource Manager, as the simulator answers like it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from adapter_fleet import Fleet, FleetMaker, now
from azure.mgmt.kubernetesconfiguration.fluxconfigurations.aio import KubernetesConfigurationFluxConfigurationsMgmtClient

from shared.azure.credential import AsyncCredential
from shared.azure.resource_manager import ArmResourceManager
from shared.domain.errors import Busy, Rejected, Throttled, Unavailable, Upstream
from shared.domain.pins import Pin
from shared.domain.rollouts import Target, target_id

COMMIT = "ab" * 20
PIN = Pin(revision=COMMIT, branch="main")
DIGEST = "cd" * 32
ARTIFACT = "oci://contoso.azurecr.io/manifests"
AUDIENCE = "https://management.azure.com"


@pytest.fixture
async def arm(credential: AsyncCredential, origin: str) -> AsyncIterator[ArmResourceManager]:
    made = ArmResourceManager(credential, origin, AUDIENCE, now)
    yield made
    await made.close()


class Microsoft:
    """What Resource Manager itself says of a fluxConfiguration."""

    def __init__(self, credential: AsyncCredential, origin: str) -> None:
        self._options: dict[str, Any] = {"credential": credential, "base_url": origin, "credential_scopes": [f"{AUDIENCE}/.default"]}

    async def properties(self, fleet: Fleet) -> dict[str, Any]:
        async with self._client(fleet) as client:
            found: dict[str, Any] = (await client.flux_configurations.get(*self._where(fleet))).as_dict()["properties"]
        return found

    async def reference(self, fleet: Fleet, source: str = "gitRepository") -> dict[str, Any]:
        reference = (await self.properties(fleet))[source]["repositoryRef"]
        return {name: value for name, value in reference.items() if value is not None}

    async def values(self, fleet: Fleet) -> dict[str, Any]:
        kustomizations = (await self.properties(fleet))["kustomizations"]
        return {name: (body["postBuild"] or {}).get("substitute") for name, body in kustomizations.items()}

    async def change(self, fleet: Fleet, **properties: Any) -> None:
        async with self._client(fleet) as client:
            await client.flux_configurations.begin_update(*self._where(fleet), {"properties": properties}, polling=False)

    def _client(self, fleet: Fleet) -> KubernetesConfigurationFluxConfigurationsMgmtClient:
        return KubernetesConfigurationFluxConfigurationsMgmtClient(subscription_id=fleet.subscriptions[0], **self._options)

    def _where(self, fleet: Fleet) -> tuple[str, str, str, str, str]:
        return ("fleet", "Microsoft.Kubernetes", "connectedClusters", fleet.cluster(), "platform")


@pytest.fixture
def fluxes(credential: AsyncCredential, origin: str) -> Microsoft:
    return Microsoft(credential, origin)


def target_of(fleet: Fleet, number: int = 0) -> Target:
    configuration = fleet.configuration(number)
    return Target(
        id=target_id(configuration),
        rollout_id="r",
        stage=0,
        order=0,
        configuration_id=configuration,
        configuration="platform",
        cluster=fleet.cluster(number),
        subscription=fleet.subscriptions[0],
        pin=Pin(revision="c" * 40, branch="main"),
    )


async def reference(fleet: Fleet) -> dict[str, Any]:
    clusters = await fleet.simulator.get("clusters")
    mine = next(one for one in clusters if one["name"] == fleet.cluster())
    found: dict[str, Any] = mine["configurations"][0]
    return found


async def test_a_commit_is_written_once_and_not_waited_for(arm: ArmResourceManager, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet()
    await fleet.simulator.post(f"clusters/{fleet.cluster()}/connectivity", {"state": "Offline"})
    await arm.pin(target_of(fleet), PIN)
    assert await fleet.requests("PATCH") == [202], "an operation of 48 hours began, and nobody waits for it"
    assert await fleet.requests("GET") == []
    assert (await reference(fleet))["desiredCommit"] == COMMIT


async def test_a_commit_keeps_its_branch_and_a_tag_takes_the_place_of_both(
    arm: ArmResourceManager, fluxes: Microsoft, make_fleet: FleetMaker
) -> None:
    fleet = await make_fleet()
    await arm.pin(target_of(fleet), PIN)
    assert await fluxes.reference(fleet) == {"branch": "main", "commit": COMMIT}
    await arm.pin(target_of(fleet), Pin(revision=COMMIT, tag="v1.2.3"))
    assert await fluxes.reference(fleet) == {"tag": "v1.2.3"}
    await arm.pin(target_of(fleet), PIN)
    assert await fluxes.reference(fleet) == {"branch": "main", "commit": COMMIT}


async def test_nothing_of_the_former_reference_outranks_the_new_one(
    arm: ArmResourceManager, fluxes: Microsoft, make_fleet: FleetMaker
) -> None:
    fleet = await make_fleet()
    await fluxes.change(fleet, gitRepository={"repositoryRef": {"semver": ">=1", "tag": "v1"}})
    await arm.pin(target_of(fleet), Pin(revision=COMMIT, tag="v2"))
    assert await fluxes.reference(fleet) == {"tag": "v2"}


async def test_an_artifact_is_held_at_its_digest(arm: ArmResourceManager, fluxes: Microsoft, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet()
    artifact = {"url": ARTIFACT, "repositoryRef": {"tag": "v1", "semver": "1.x"}}
    await fluxes.change(fleet, sourceKind="OCIRepository", gitRepository=None, ociRepository=artifact)
    await arm.pin(target_of(fleet), Pin(revision=DIGEST, kind="OCIRepository", tag="v2"))
    assert await fluxes.reference(fleet, "ociRepository") == {"tag": "v2", "digest": f"sha256:{DIGEST}"}
    assert (await fluxes.properties(fleet)).get("gitRepository") is None


async def test_values_are_set_with_the_revision_in_one_write_and_taken_away_again(
    arm: ArmResourceManager, fluxes: Microsoft, make_fleet: FleetMaker
) -> None:
    fleet = await make_fleet(kustomizations={"apps": {"path": "apps", "postBuild": {"substitute": {"KEPT": "yes"}}}, "infra": {"path": ""}})
    values: dict[str, str | None] = {"SITE": "berlin", "RING": "canary"}
    await arm.pin(target_of(fleet), Pin(revision=COMMIT, branch="main", substitutions={"apps": values, "infra": values}))
    assert await fluxes.values(fleet) == {"apps": {"KEPT": "yes", **values}, "infra": values}
    assert await fluxes.reference(fleet) == {"branch": "main", "commit": COMMIT}
    assert await fleet.requests("PATCH") == [202]
    back = Pin(revision=fleet.head, branch="main", substitutions={"apps": {"SITE": None, "RING": "prod"}, "infra": {"SITE": None}})
    await arm.pin(target_of(fleet), back)
    assert await fluxes.values(fleet) == {"apps": {"KEPT": "yes", "RING": "prod"}, "infra": {"RING": "canary"}}


async def test_a_kustomization_that_was_taken_away_is_not_made_anew_by_its_values(
    arm: ArmResourceManager, fluxes: Microsoft, make_fleet: FleetMaker
) -> None:
    fleet = await make_fleet()
    await arm.pin(target_of(fleet), Pin(revision=COMMIT, branch="main", substitutions={"gone": {"SITE": "berlin"}}))
    assert await fluxes.values(fleet) == {"platform": None}
    assert (await fluxes.reference(fleet))["commit"] == COMMIT


async def test_a_subscription_s_own_throttling_says_how_long(arm: ArmResourceManager, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet()
    answers = await asyncio.gather(*(arm.pin(target_of(fleet), PIN) for _ in range(260)), return_exceptions=True)
    throttled = [answer for answer in answers if answer is not None]
    assert throttled
    assert {(type(answer), getattr(answer, "retry_after", None)) for answer in throttled} == {(Throttled, 1.0)}
    assert len(await fleet.requests("PATCH")) == 260


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "InvalidRequestContent", Rejected),
        (403, "AuthorizationFailed", Rejected),
        (404, "ResourceNotFound", Rejected),
        (409, "Conflict", Busy),
        (429, "TooManyRequests", Throttled),
        (500, "InternalServerError", Unavailable),
        (503, "ServiceUnavailable", Unavailable),
    ],
)
async def test_each_refusal_has_its_meaning_and_is_not_tried_again_here(
    arm: ArmResourceManager, make_fleet: FleetMaker, status: int, code: str, expected: type[Upstream]
) -> None:
    fleet = await make_fleet()
    await fleet.fail(status=status, code=code, retryAfter=7)
    with pytest.raises(expected) as caught:
        await arm.pin(target_of(fleet), PIN)
    assert (caught.value.status, caught.value.code, caught.value.unanswered) == (status, code, False)
    assert caught.value.retry_after == (None if expected is Rejected else 7)
    assert await fleet.requests("PATCH") == [status]


async def test_an_answer_that_never_comes_is_told_from_a_refusal(arm: ArmResourceManager, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet()
    await fleet.fail(drop=True)
    with pytest.raises(Unavailable) as caught:
        await arm.pin(target_of(fleet), PIN)
    assert caught.value.unanswered


async def test_a_server_that_is_not_there_was_never_asked(credential: AsyncCredential, make_fleet: FleetMaker) -> None:
    gone = ArmResourceManager(credential, "https://127.0.0.1:1", AUDIENCE, now)
    with pytest.raises(Unavailable) as caught:
        await gone.pin(target_of(await make_fleet()), PIN)
    assert not caught.value.unanswered
    await gone.close()


_CLUSTER = "/subscriptions/{s}/resourcegroups/{g}/providers/microsoft.kubernetes/connectedclusters/{c}"
_CONFIGURATION = _CLUSTER + "/providers/microsoft.kubernetesconfiguration/fluxconfigurations/{n}"


def resource_id(*, s: str = "s1", g: str = "fleet", c: str = "berlin", n: str = "platform") -> str:
    return _CONFIGURATION.format(s=s, g=g, c=c, n=n)


@pytest.mark.parametrize(
    "resource",
    [
        "",
        "/subscriptions/a",
        "https://evil.example/x",
        "/subscriptions/a/resourcegroups/../b",
        resource_id(s=".."),
        resource_id(g=".."),
        resource_id(g="a?api-version=1"),
        resource_id(c="."),
        resource_id(c="a#b"),
        resource_id(c="%2e%2e"),
        resource_id(n="platform\n"),
        resource_id(n="platform\r\nX-Header: 1"),
        resource_id(n="platform/extra"),
        resource_id(n="plat form"),
        resource_id() + "?x=",
        "https://evil.example" + resource_id(),
    ],
)
async def test_a_hostile_resource_id_is_never_written_to(arm: ArmResourceManager, make_fleet: FleetMaker, resource: str) -> None:
    from msgspec.structs import replace

    target = replace(target_of(await make_fleet()), configuration_id=resource)
    with pytest.raises(Rejected) as caught:
        await arm.pin(target, PIN)
    assert caught.value.code == "InvalidResourceId"


async def test_it_is_put_back_and_only_resumed_where_that_is_asked(
    arm: ArmResourceManager, make_fleet: FleetMaker, fluxes: Microsoft
) -> None:
    fleet = await make_fleet(1)
    await fluxes.change(fleet, suspend=True, gitRepository={"repositoryRef": {"branch": "other", "commit": None}})
    await arm.restore(fleet.configuration(), PIN, resume=False)
    assert await fluxes.reference(fleet) == {"branch": "main", "commit": COMMIT}
    assert (await fluxes.properties(fleet))["suspend"] is True
    await arm.restore(fleet.configuration(), PIN, resume=True)
    assert (await fluxes.properties(fleet))["suspend"] is False


async def test_its_last_writer_is_known(arm: ArmResourceManager, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(1)
    writer = await arm.last_writer(fleet.configuration())
    assert writer is not None
    assert (writer.by, writer.at is not None) == ("platform@contoso.example", True)
    assert await arm.last_writer(f"{fleet.configuration()}-not") is None
    with pytest.raises(Rejected):
        await arm.last_writer("/subscriptions/s")


async def test_a_writer_that_may_not_be_read_is_refused(arm: ArmResourceManager, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(1)
    path = f"/{fleet.cluster()}/.*fluxconfigurations"
    await fleet.simulator.post("faults", {"kind": "http", "method": "GET", "path": path, "times": 1, "status": 403})
    with pytest.raises(Rejected):
        await arm.last_writer(fleet.configuration())
