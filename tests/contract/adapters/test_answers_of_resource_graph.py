"""What is made of Resource Graph's rows and refusals: a server that answers with the rows it is given."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from adapter_fleet import now
from adapter_servers import answering
from aiohttp import web

from local import tls
from shared.azure.credential import AsyncCredential
from shared.azure.resource_graph import GraphFleet
from shared.domain.errors import Rejected, Throttled, Unavailable, Upstream
from shared.domain.observations import FluxConfiguration

AUDIENCE = "https://management.azure.com"


@dataclass
class Graph:
    """Answers with `refusals` first, then with `pages`; remembers the queries."""

    pages: list[list[dict[str, Any]]] = field(default_factory=list)
    refusals: list[web.Response] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        if self.refusals:
            return self.refusals.pop(0)
        number = int(self.asked[-1]["options"].get("$skipToken") or 0)
        rows = self.pages[number] if self.pages else []
        body = {"data": rows, "count": len(rows), "totalRecords": len(rows), "resultTruncated": "false"}
        return web.json_response(body | ({"$skipToken": str(number + 1)} if number + 1 < len(self.pages) else {}))


@pytest.fixture
def graph() -> Graph:
    return Graph()


@pytest.fixture
async def fleet(graph: Graph, credential: AsyncCredential, tls_files: tls.TlsFiles) -> AsyncIterator[GraphFleet]:
    async with answering(tls_files, graph.answer) as address:
        made = GraphFleet(credential, address, AUDIENCE, ("s1", "s2"), now)
        yield made
        await made.close()


async def found(fleet: GraphFleet) -> list[FluxConfiguration]:
    return [item async for item in fleet.configurations("platform")]


async def one(fleet: GraphFleet, graph: Graph, **row: Any) -> FluxConfiguration:
    graph.pages = [[{"id": "/subscriptions/s1/c", "clusterId": "/subscriptions/s1/clusters/berlin", **row}]]
    [item] = await found(fleet)
    return item


def refusal(status: int, code: str, **headers: str) -> web.Response:
    body = json.dumps({"error": {"code": code, "message": "not now"}})
    return web.Response(status=status, text=body, content_type="application/json", headers=headers)


async def test_pages_follow_each_other_by_their_tokens_within_the_scope(fleet: GraphFleet, graph: Graph) -> None:
    graph.pages = [[{"id": f"{page}-{row}"} for row in range(3)] for page in range(3)]
    assert [item.id for item in await found(fleet)] == [f"{page}-{row}" for page in range(3) for row in range(3)]
    assert [asked["options"].get("$skipToken") for asked in graph.asked] == [None, "1", "2"]
    assert all(asked["subscriptions"] == ["s1", "s2"] for asked in graph.asked)
    assert all(asked["options"]["$top"] == 1000 for asked in graph.asked)
    assert len({asked["query"] for asked in graph.asked}) == 1


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.1234567Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123+00:00", datetime(2026, 1, 2, 3, 4, 5, 123000, tzinfo=UTC)),
        ("2026-01-02 03:04:05.5", datetime(2026, 1, 2, 3, 4, 5, 500000, tzinfo=UTC)),
        ("2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("", None),
        ("soon", None),
        (None, None),
        (20260102, None),
    ],
)
async def test_times_are_read_in_every_form(fleet: GraphFleet, graph: Graph, text: object, time: datetime | None) -> None:
    assert (await one(fleet, graph, statusUpdatedAt=text)).observation.reported_at == time


@pytest.mark.parametrize("missing", [{}, {"compliance": None}, {"compliance": ""}])
async def test_without_a_first_report_it_is_pending(fleet: GraphFleet, graph: Graph, missing: dict[str, Any]) -> None:
    item = await one(fleet, graph, tags=None, statuses=None, clusterName=None, connectivity=None, **missing)
    assert item.observation.compliance == "Pending"
    assert (item.observation.revision, item.observation.connectivity, item.observation.message) == ("", "", "")
    assert (item.tags, item.cluster_name) == ({}, "berlin")


def kustomization(name: str, state: str, **ready: Any) -> dict[str, Any]:
    conditions = [{"type": "Reconciling", "status": "False", "reason": "Other", "message": "other"}, {"type": "Ready", **ready}]
    return {"kind": "Kustomization", "name": name, "complianceState": state, "statusConditions": conditions}


async def test_the_message_names_the_first_object_that_fails(fleet: GraphFleet, graph: Graph) -> None:
    statuses = [
        kustomization("base", "Compliant", status="False", reason="Old", message="long ago"),
        kustomization("waits", "Non-Compliant", status="Unknown", reason="Progressing", message="soon"),
        {"kind": "GitRepository", "name": "bare", "complianceState": "Non-Compliant", "statusConditions": None},
        kustomization("till", "Non-Compliant", status="False", reason="HealthCheckFailed", message="x" * 1000),
    ]
    item = await one(fleet, graph, compliance="Non-Compliant", statuses=statuses, errorMessage="whole")
    assert item.observation.message.startswith("Kustomization till: HealthCheckFailed: xxx")
    assert len(item.observation.message) == 500


async def test_nothing_said_is_not_said_as_a_word(fleet: GraphFleet, graph: Graph) -> None:
    statuses = [kustomization("till", "Non-Compliant", status="False", reason=None, message=None)]
    item = await one(fleet, graph, compliance="Non-Compliant", statuses=statuses)
    assert "None" not in item.observation.message
    assert "till" in item.observation.message


async def test_without_a_failing_object_the_configuration_s_own_error_is_told(fleet: GraphFleet, graph: Graph) -> None:
    item = await one(fleet, graph, compliance="Non-Compliant", statuses=[], errorMessage="git clone failed")
    assert item.observation.message == "git clone failed"
    compliant = await one(fleet, graph, compliance="Compliant", errorMessage="an old error")
    assert compliant.observation.message == ""


@pytest.mark.parametrize(
    ("kustomizations", "expected"),
    [
        (None, {}),
        ("apps", {}),
        ({"apps": None}, {"apps": {}}),
        ({"apps": {"postBuild": None}}, {"apps": {}}),
        ({"apps": {"postBuild": {"substitute": None}}}, {"apps": {}}),
        ({"apps": {"postBuild": {"substitute": ["A"]}}}, {"apps": {}}),
        ({"apps": {"postBuild": {"substitute": {"A": "b", "C": None, "D": 1}}}}, {"apps": {"A": "b"}}),
    ],
)
async def test_values_are_read_whatever_the_kustomizations_are(
    fleet: GraphFleet, graph: Graph, kustomizations: object, expected: dict[str, dict[str, str]]
) -> None:
    assert (await one(fleet, graph, kustomizations=kustomizations)).kustomizations == expected


async def test_a_throttled_question_is_asked_again_when_it_may_be(fleet: GraphFleet, graph: Graph) -> None:
    graph.pages, graph.refusals = [[{"id": "a"}]], [refusal(429, "RateLimiting", **{"Retry-After": "1"})]
    asked_at = now()
    assert [item.id for item in await found(fleet)] == ["a"]
    assert (now() - asked_at).total_seconds() >= 1
    assert len(graph.asked) == 2


@pytest.mark.parametrize(
    ("status", "code", "times", "expected"),
    [
        (429, "RateLimiting", 4, Throttled),
        (503, "ServiceUnavailable", 4, Unavailable),
        (400, "BadRequest", 1, Rejected),
        (403, "AuthorizationFailed", 1, Rejected),
    ],
)
async def test_a_refusal_that_stays_has_its_meaning(
    fleet: GraphFleet, graph: Graph, status: int, code: str, times: int, expected: type[Upstream]
) -> None:
    retry_after = {"Retry-After": "1"} if times > 1 else {}
    graph.refusals = [refusal(status, code, **retry_after) for _ in range(10)]
    with pytest.raises(expected) as caught:
        await found(fleet)
    assert (caught.value.code, len(graph.asked)) == (code, times)


@pytest.mark.parametrize("separator", ["\r", "\n", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029", "\0"])
async def test_a_search_term_stays_on_its_line(fleet: GraphFleet, graph: Graph, separator: str) -> None:
    assert [item async for item in fleet.configurations(f"a{separator}| take 0")] == []
    [plain, hostile] = [len(text.splitlines()) for text in (await query_of(fleet, graph, "a"), graph.asked[0]["query"])]
    assert plain == hostile
    assert "\0" not in graph.asked[0]["query"]


async def query_of(fleet: GraphFleet, graph: Graph, term: str) -> str:
    _ = [item async for item in fleet.configurations(term)]
    text: str = graph.asked[-1]["query"]
    return text
