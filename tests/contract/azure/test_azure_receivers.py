"""The clusters' Flux Receivers: who may call them, and that Flux then looks at once."""

import hashlib
import hmac
import json
from typing import Any

import aiohttp
import pytest
from cloud_client import CloudClient, MadeFleet, Repository

BODY: dict[str, Any] = {"revision": "new"}
TOKEN = "a-token-of-the-receivers"
NEVER_BY_ITSELF = 10_000_000


@pytest.fixture
async def fleet(cloud: CloudClient, repository: Repository) -> MadeFleet:
    await cloud.admin("PUT", "receivers/sluice", {"namespace": "flux", "token": TOKEN})
    return await cloud.make_fleet(repository, clusters=1, pinned=False, legacyShare=0, syncIntervalInSeconds=NEVER_BY_ITSELF)


async def call(cloud: CloudClient, cluster: str, *, name: str = "sluice", key: str = TOKEN) -> int:
    path = hashlib.sha256(f"{TOKEN}{name}flux".encode()).hexdigest()
    signature = hmac.digest(key.encode(), json.dumps(BODY).encode(), "sha256").hex()
    answer = await cloud.call("POST", f"/flux/{cluster}/hook/{path}", BODY, headers={"X-Signature": f"sha256={signature}"})
    return answer.status


async def test_a_signed_call_lets_flux_fetch_what_is_new_at_once(cloud: CloudClient, fleet: MadeFleet, repository: Repository) -> None:
    commit = repository.commit({"apps/web.yaml": "kind: Service\n"})
    assert await call(cloud, fleet.name()) == 200
    assert await cloud.settled(fleet.configuration(), "Compliant", commit)
    assert fleet.name() in [one["cluster"] for one in await cloud.admin("GET", "messages?channel=receivers")]


async def test_who_signs_with_another_token_or_calls_another_receiver_is_refused(cloud: CloudClient, fleet: MadeFleet) -> None:
    assert await call(cloud, fleet.name(), key="another") == 400
    assert await call(cloud, fleet.name(), name="another") == 404
    assert await call(cloud, "nowhere") == 404


async def test_a_cluster_that_is_away_does_not_answer(cloud: CloudClient, fleet: MadeFleet) -> None:
    await cloud.admin("POST", f"clusters/{fleet.name()}/connectivity", {"state": "Offline"})
    with pytest.raises(aiohttp.ClientError):
        await call(cloud, fleet.name())
