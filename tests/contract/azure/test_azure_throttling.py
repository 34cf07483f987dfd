"""429 comes exactly when the bucket is empty: after the burst and what has flowed in since."""

import time

import pytest
from cloud_client import Answer, CloudClient, MadeFleet, Repository

from local.azure.buckets import ARM_RATES, FixedWindow, TokenBucket


@pytest.fixture
async def fleet(cloud: CloudClient, repository: Repository) -> MadeFleet:
    return await cloud.make_fleet(repository, clusters=1)


async def write(cloud: CloudClient, fleet: MadeFleet) -> Answer:
    """A write that changes nothing; it costs a token all the same."""
    return await cloud.patch(fleet.configuration(), {"suspend": False})


async def test_writes_are_throttled_after_the_burst(cloud: CloudClient, fleet: MadeFleet) -> None:
    started = time.monotonic()
    answers: list[Answer] = []
    while not answers or answers[-1].status == 200:
        answers.append(await write(cloud, fleet))
    elapsed = time.monotonic() - started
    passed = len(answers) - 1
    assert 200 <= passed <= 200 + 10 * elapsed + 1
    assert int(answers[0].headers["x-ms-ratelimit-remaining-subscription-writes"]) == 199
    refused = answers[-1]
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    assert refused.body["error"]["code"] == "SubscriptionRequestsThrottled"
    assert refused.headers["x-ms-ratelimit-remaining-subscription-writes"] == "0"
    assert (await cloud.admin("GET", "stats"))["throttled"] >= 1


async def test_reads_and_deletes_have_buckets_of_their_own(cloud: CloudClient, fleet: MadeFleet) -> None:
    await write(cloud, fleet)
    read = await cloud.call("GET", fleet.configuration() + "?api-version=2025-04-01")
    deleted = await cloud.call("DELETE", fleet.configuration(name="nothing") + "?api-version=2025-04-01")
    assert read.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert deleted.headers["x-ms-ratelimit-remaining-subscription-deletes"] == "199"


async def test_a_resource_graph_caller_has_15_queries_in_5_seconds(cloud: CloudClient, fleet: MadeFleet) -> None:
    answers = [await cloud.query("resources | take 1 | project id") for _ in range(16)]
    assert [answer.status for answer in answers] == [200] * 15 + [429]
    assert [answer.headers["x-ms-user-quota-remaining"] for answer in answers[:2]] == ["14", "13"]
    assert answers[0].headers["x-ms-user-quota-resets-after"] == "00:00:05"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 5


def test_a_bucket_fills_at_its_rate_and_no_further_than_its_burst() -> None:
    now = [0.0]
    bucket = TokenBucket(ARM_RATES["writes"], wall=lambda: now[0])
    assert [bucket.take().allowed for _ in range(201)] == [True] * 200 + [False]
    now[0] = 0.5
    assert [bucket.take().allowed for _ in range(6)] == [True] * 5 + [False]
    now[0] = 1000.0
    assert bucket.take().remaining == 199


def test_a_window_opens_anew_when_its_time_is_over() -> None:
    now = [0.0]
    window = FixedWindow(2, 5.0, wall=lambda: now[0])
    assert [window.take().allowed for _ in range(3)] == [True, True, False]
    now[0] = 4.0
    assert window.take().retry_after_seconds == 1
    now[0] = 5.0
    assert window.take().allowed
