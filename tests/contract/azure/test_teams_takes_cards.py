"""Cards of every size against the simulated workflow: taken, within their limit, and told when to come again."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cloud_client import CloudClient

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.deliveries import Parcel
from shared.domain.errors import Throttled
from shared.providers.http import OutboundHttp
from shared.providers.msteams import MESSAGE_LIMIT, TeamsProvider


@pytest.fixture
async def http() -> AsyncIterator[OutboundHttp]:
    http = OutboundHttp(timeout_seconds=5)
    yield http
    await http.close()


def failed(number: int = 0, clusters: int = 3, **fields: Any) -> Announcement:
    values: dict[str, Any] = {
        "id": str(number),
        "kind": "stage.failed",
        "severity": "error",
        "title": f"Stage failed: shops / ring-{number}",
        "summary": "29 of 60 clusters failed; the rollout is paused. " * 40,
        "facts": (("Commit", "5c3de1f0 Till UI 4.2"), ("By", "Rosa Diaz")),
        "clusters": tuple(ClusterLine(f"shop-{cluster:04}", f"reason {cluster} " * 30) for cluster in range(clusters)),
        "links": (("Open the rollout", "https://sluice.example/api/dashboard?rollout=1"),),
        "at": datetime(2026, 11, 28, 14, 5, tzinfo=UTC),
        "next_step": "Push a fix.",
        "fields": {"total": 60, "compliant": 31, "failed": 29},
    }
    return Announcement(**values | fields)


@pytest.mark.parametrize("announcements", [[failed()], [failed(clusters=1000)], [failed(number, 100) for number in range(50)]])
async def test_a_card_is_taken_and_is_small_enough(cloud: CloudClient, http: OutboundHttp, announcements: list[Announcement]) -> None:
    path = f"workflows/{uuid.uuid4().hex}/invoke"
    await TeamsProvider(http, f"{cloud.origin}/teams/{path}").post(Parcel(id="1", announcements=tuple(announcements)))
    ((kept),) = [one["body"] for one in await cloud.messages("teams") if one["path"] == path]
    assert len(msgspec.json.encode(kept)) <= MESSAGE_LIMIT
    assert kept["attachments"][0]["content"]["fallbackText"] == "Stage failed: shops ring-0"


async def test_the_fifth_in_a_second_is_told_when_to_come_again(cloud: CloudClient, http: OutboundHttp) -> None:
    provider = TeamsProvider(http, f"{cloud.origin}/teams/{uuid.uuid4().hex}")
    for number in range(4):
        await provider.post(Parcel(id=str(number), announcements=(failed(number),)))
    with pytest.raises(Throttled) as refused:
        await provider.post(Parcel(id="4", announcements=(failed(),)))
    assert (refused.value.code, refused.value.retry_after) == ("429", 1)
