"""The queries that the app's stores make: within a partition on every hot path, across partitions for people."""

from typing import Any

import pytest
from azure.cosmos import exceptions
from azure.cosmos.aio import ContainerProxy


@pytest.fixture
async def filled(container: ContainerProxy) -> ContainerProxy:
    for number in range(25):
        group = "even" if number % 2 == 0 else "odd"
        await container.create_item({"id": str(number), "group": group, "n": number, "tags": {"ring": "prod"}})
    for number in range(0, 25, 3):  # what was rewritten must keep its place in the pages
        await container.upsert_item({"id": str(number), "group": "even" if number % 2 == 0 else "odd", "n": number})
    return container


async def select(container: ContainerProxy, query: str, partition: str | None = None, **parameters: Any) -> list[Any]:
    values: list[dict[str, object]] = [{"name": f"@{name}", "value": value} for name, value in parameters.items()]
    options: dict[str, Any] = {} if partition is None else {"partition_key": partition}
    return [row async for row in container.query_items(query, parameters=values, **options)]


async def test_a_query_of_one_partition_need_not_name_its_key(filled: ContainerProxy) -> None:
    rows = await select(filled, "SELECT VALUE c.n FROM c WHERE c.n >= @least", "even", least=10)
    assert sorted(rows) == [10, 12, 14, 16, 18, 20, 22, 24]


async def test_a_query_sees_nothing_of_other_partitions(filled: ContainerProxy) -> None:
    assert await select(filled, "SELECT VALUE COUNT(1) FROM c", "nobody") == [0]
    assert {row["group"] for row in await select(filled, "SELECT * FROM c", "odd")} == {"odd"}


@pytest.mark.parametrize(("partition", "total"), [("even", 13), (None, 25)], ids=["one partition", "all partitions"])
async def test_pages_by_continuation_token_hold_each_row_once(filled: ContainerProxy, partition: str | None, total: int) -> None:
    options: dict[str, Any] = {} if partition is None else {"partition_key": partition}
    seen: list[int] = []
    token: str | None = None
    for _ in range(total):
        pages = filled.query_items("SELECT c.n FROM c", max_item_count=4, **options).by_page(token)
        page = [row["n"] async for row in await anext(pages)]
        assert len(page) <= 4
        seen += page
        token = pages.continuation_token  # type: ignore[attr-defined]  # azure-core declares the narrower type
        if token is None:
            break
    assert sorted(seen) == sorted(set(seen))
    assert len(seen) == total


async def test_rows_come_in_order_across_partitions(filled: ContainerProxy) -> None:
    assert await select(filled, "SELECT VALUE c.n FROM c ORDER BY c.n DESC") == list(range(24, -1, -1))
    assert await select(filled, "SELECT TOP 3 c.n FROM c ORDER BY c.n") == [{"n": 0}, {"n": 1}, {"n": 2}]


async def test_ordered_pages_hold_each_row_once(filled: ContainerProxy) -> None:
    pages = filled.query_items("SELECT c.n FROM c ORDER BY c.n", partition_key="odd", max_item_count=5).by_page()
    assert [row["n"] async for page in pages async for row in page] == list(range(1, 25, 2))


async def test_counts(filled: ContainerProxy) -> None:
    assert await select(filled, "SELECT VALUE COUNT(1) FROM c") == [25]
    assert await select(filled, "SELECT VALUE COUNT(1) FROM c WHERE c.n < @n", "even", n=5) == [3]


async def test_offset_and_limit(filled: ContainerProxy) -> None:
    query = "SELECT VALUE c.n FROM c ORDER BY c.n OFFSET @skip LIMIT 3"
    assert await select(filled, query, "even", skip=2) == [4, 6, 8]


async def test_membership_and_nested_fields(filled: ContainerProxy) -> None:
    query = "SELECT VALUE c.n FROM c WHERE ARRAY_CONTAINS(@wanted, c.n) AND c.tags.ring = @ring ORDER BY c.n"
    assert await select(filled, query, wanted=[1, 2, 3], ring="prod") == [1, 2]
    assert await select(filled, "SELECT VALUE c.n FROM c WHERE c.n IN (4, 6) ORDER BY c.n", "even") == [4, 6]


async def test_a_query_with_a_mistake_is_a_bad_request(filled: ContainerProxy) -> None:
    with pytest.raises(exceptions.CosmosHttpResponseError) as failure:
        await select(filled, "SELEC * FROM c", "even")
    assert failure.value.status_code == 400
