"""Writing to fluxConfigurations through Azure Resource Manager, as the simulator answers like it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from conftest import Fleet, FleetMaker

from shared.azure.credential import AsyncCredential
from shared.azure.resource_manager import ArmResourceManager
from shared.domain.errors import Busy, Rejected, Throttled, Unavailable, Upstream
from shared.domain.rollouts import Target, target_id

COMMIT = "ab" * 20
AUDIENCE = "https://management.azure.com"


@pytest.fixture
async def arm(credential: AsyncCredential, origin: str) -> AsyncIterator[ArmResourceManager]:
    made = ArmResourceManager(credential, origin, AUDIENCE)
    yield made
    await made.close()


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
    )


async def reference(fleet: Fleet) -> dict[str, Any]:
    clusters = await fleet.simulator.get("clusters")
    mine = next(one for one in clusters if one["name"] == fleet.cluster())
    found: dict[str, Any] = mine["configurations"][0]
    return found


async def test_a_commit_is_written_once_and_not_waited_for(arm: ArmResourceManager, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet()
    await fleet.simulator.post(f"clusters/{fleet.cluster()}/connectivity", {"state": "Offline"})
    await arm.pin(target_of(fleet), branch="main", tag=None, commit=COMMIT)
    assert await fleet.requests("PATCH") == [202], "an operation of 48 hours began, and nobody waits for it"
    assert await fleet.requests("GET") == []
    assert (await reference(fleet))["desiredCommit"] == COMMIT


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
        await arm.pin(target_of(fleet), branch="main", tag=None, commit=COMMIT)
    assert (caught.value.status, caught.value.code, caught.value.unanswered) == (status, code, False)
    assert caught.value.retry_after == (None if expected is Rejected else 7)
    assert await fleet.requests("PATCH") == [status]


async def test_an_answer_that_never_comes_is_told_from_a_refusal(arm: ArmResourceManager, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet()
    await fleet.fail(drop=True)
    with pytest.raises(Unavailable) as caught:
        await arm.pin(target_of(fleet), branch="main", tag=None, commit=COMMIT)
    assert caught.value.unanswered


async def test_a_server_that_is_not_there_was_never_asked(credential: AsyncCredential, make_fleet: FleetMaker) -> None:
    gone = ArmResourceManager(credential, "https://127.0.0.1:1", AUDIENCE)
    with pytest.raises(Unavailable) as caught:
        await gone.pin(target_of(await make_fleet()), branch="main", tag=None, commit=COMMIT)
    assert not caught.value.unanswered
    await gone.close()


@pytest.mark.parametrize("resource", ["", "/subscriptions/a", "https://evil.example/x", "/subscriptions/a/resourcegroups/../b"])
async def test_what_is_no_fluxconfiguration_is_never_written_to(arm: ArmResourceManager, make_fleet: FleetMaker, resource: str) -> None:
    from msgspec.structs import replace

    target = replace(target_of(await make_fleet()), configuration_id=resource)
    with pytest.raises(Rejected) as caught:
        await arm.pin(target, branch="main", tag=None, commit=COMMIT)
    assert caught.value.code == "InvalidResourceId"
