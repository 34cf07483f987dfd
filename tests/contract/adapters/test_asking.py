"""Asking Resource Graph about the fleet."""

from collections.abc import AsyncIterator

import pytest
from adapter_fleet import FleetMaker, now

from shared.azure.credential import AsyncCredential
from shared.azure.resource_graph import GraphFleet
from shared.domain.observations import FluxConfiguration

AUDIENCE = "https://management.azure.com"


@pytest.fixture
async def graph(credential: AsyncCredential, origin: str) -> AsyncIterator[GraphFleet]:
    made = GraphFleet(credential, origin, AUDIENCE, (), now)
    yield made
    await made.close()


async def found(graph: GraphFleet, term: str) -> list[FluxConfiguration]:
    return [item async for item in graph.configurations(term)]


async def test_a_configuration_comes_with_its_cluster(graph: GraphFleet, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(1, name="one-of-a-kind")
    [item] = await found(graph, "one-of-a-kind")
    assert (item.id, item.name, item.url, item.branch) == (fleet.configuration(), "platform", fleet.url, "main")
    assert item.cluster_name == fleet.cluster()
    assert item.tags["ring"] in ("canary", "prod")
    assert item.location
    assert item.resource_group == "fleet"
    assert (item.observation.compliance, item.observation.connectivity) == ("Compliant", "Connected")
    assert fleet.head in item.observation.revision
    assert item.observation.reported_at is not None
    assert item.observation.reported_at <= item.observation.observed_at


async def test_every_page_is_read_and_nothing_twice(graph: GraphFleet, make_fleet: FleetMaker) -> None:
    await make_fleet(2_100, name="many-pages")
    ids = [item.id for item in await found(graph, "many-pages")]
    assert len(ids) == len(set(ids)) == 2_100


@pytest.mark.parametrize("term", ["'", "\\", "\\'", "' or 1 == 1 //", "x' | take 1 //", "\n| take 1", '"', "ü"])
async def test_a_search_term_is_data_whatever_it_holds(graph: GraphFleet, make_fleet: FleetMaker, term: str) -> None:
    await make_fleet(1, name="harmless")
    assert await found(graph, f"harmless{term}") == []


async def test_only_the_subscriptions_in_scope_are_seen(credential: AsyncCredential, origin: str, make_fleet: FleetMaker) -> None:
    fleet = await make_fleet(6, name="two-subscriptions", subscriptions=2)
    scoped = GraphFleet(credential, origin, AUDIENCE, fleet.subscriptions[:1], now)
    seen = await found(scoped, "two-subscriptions")
    assert {item.subscription for item in seen} == {fleet.subscriptions[0]}
    await scoped.close()


async def test_the_fleet_is_reachable(graph: GraphFleet) -> None:
    await graph.check()
