"""Requests that fail on demand, and the record of what was asked."""

import time
from typing import Any

import aiohttp
import pytest
from cloud_client import CloudClient, MadeFleet, Repository


@pytest.fixture
async def fleet(cloud: CloudClient, repository: Repository) -> MadeFleet:
    return await cloud.make_fleet(repository)


async def fail(cloud: CloudClient, fleet: MadeFleet, **rule: Any) -> None:
    whole = {"kind": "http", "method": "PATCH", "path": f"/{fleet.name()}/.*fluxconfigurations", **rule}
    await cloud.admin("POST", "faults", whole)


async def suspend(cloud: CloudClient, fleet: MadeFleet, number: int = 0) -> int:
    return (await cloud.patch(fleet.configuration(number), {"suspend": True})).status


async def writes(cloud: CloudClient, fleet: MadeFleet) -> int:
    clusters = await cloud.admin("GET", "clusters")
    return sum(one["configurations"][0]["writes"] for one in clusters if one["id"] == fleet.ids[0])


async def test_a_rule_fails_as_often_as_it_says(cloud: CloudClient, fleet: MadeFleet) -> None:
    await fail(cloud, fleet, status=503, code="ServerBusy", times=2, retryAfter=7)
    first = await cloud.patch(fleet.configuration(), {"suspend": True})
    assert (first.status, first.body["error"]["code"], first.headers["Retry-After"]) == (503, "ServerBusy", "7")
    assert await suspend(cloud, fleet, 1) == 202
    assert [await suspend(cloud, fleet) for _ in range(2)] == [503, 202]


async def test_a_rule_fails_a_share_of_requests(cloud: CloudClient, fleet: MadeFleet) -> None:
    await fail(cloud, fleet, status=500, rate=0.5)
    statuses = [(await cloud.patch(fleet.configuration(), {"suspend": False})).status for _ in range(60)]
    assert set(statuses) == {200, 500}
    assert 10 <= statuses.count(500) <= 50


async def test_a_failed_request_has_no_effect_unless_the_rule_says_so(cloud: CloudClient, fleet: MadeFleet) -> None:
    await fail(cloud, fleet, status=500, times=1)
    assert await suspend(cloud, fleet) == 500
    assert await writes(cloud, fleet) == 0
    await fail(cloud, fleet, status=500, times=1, after=True)
    assert await suspend(cloud, fleet) == 500
    assert await writes(cloud, fleet) == 1


async def test_a_rule_may_delay_or_drop(cloud: CloudClient, fleet: MadeFleet) -> None:
    await fail(cloud, fleet, delaySeconds=0.2, times=1)
    started = time.monotonic()
    assert await suspend(cloud, fleet) == 202
    assert time.monotonic() - started >= 0.2
    await fail(cloud, fleet, delaySeconds=0.2, times=1, after=True)
    started = time.monotonic()
    assert await suspend(cloud, fleet) in (200, 202), "it may be so already"
    assert time.monotonic() - started >= 0.2
    await fail(cloud, fleet, status=200, body='{"ok": false}', times=1)
    answer = await cloud.patch(fleet.configuration(), {"suspend": True})
    assert (answer.status, answer.body) == (200, {"ok": False})
    await fail(cloud, fleet, drop=True, times=1)
    with pytest.raises(aiohttp.ClientConnectionError):
        await suspend(cloud, fleet)


@pytest.mark.parametrize("rule", [{"kind": "nonsense"}, {"kind": "http", "path": "("}])
async def test_a_rule_that_makes_no_sense_is_refused(cloud: CloudClient, rule: dict[str, Any]) -> None:
    assert (await cloud.call("POST", "/_sim/faults", rule, headers={})).status == 400


async def test_requests_are_recorded_without_secrets(cloud: CloudClient, fleet: MadeFleet) -> None:
    await suspend(cloud, fleet)
    seen = await cloud.admin("GET", f"requests?method=PATCH&path={fleet.name()}")
    assert [(one["method"], one["path"], one["status"]) for one in seen] == [("PATCH", fleet.configuration(), 202)]
    assert set(seen[0]) == {"at", "method", "path", "status"}
    stats = await cloud.admin("GET", "stats")
    assert stats["byType"]["PATCH fluxconfigurations"] >= 1
    assert stats["byStatus"]["202"] >= 1
    await cloud.admin("DELETE", "requests")
    assert await cloud.admin("GET", "requests") == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "repositories", {"url": "https://git.example/x", "path": "/nonexistent"}),
        ("POST", "fleet", {"clusters": 1}),
        ("POST", "fleet", {"repository": "https://git.example/unregistered"}),
        ("POST", "fleet", {"repository": "x", "colour": "red"}),
        ("POST", "clock", {"speed": 0}),
        ("POST", "clusters/any/connectivity", {"state": "Asleep"}),
    ],
)
async def test_bad_orders_are_refused(cloud: CloudClient, method: str, path: str, body: dict[str, Any]) -> None:
    assert (await cloud.call(method, f"/_sim/{path}", body, headers={})).status == 400
