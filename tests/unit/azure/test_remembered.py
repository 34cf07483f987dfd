"""Answers remembered: freshness, one question at a time, outages."""

import asyncio

import pytest
from memory_key_store import Clock

from shared.azure.remembered import HOLD_OFF_SECONDS, Remembered
from shared.domain.errors import NotFound, Rejected, SluiceError, Unavailable


class Source:
    def __init__(self) -> None:
        self.questions = 0
        self.failure: SluiceError | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, key: str) -> str:
        self.questions += 1
        answer = f"{key}-{self.questions}"
        await self.open.wait()
        if self.failure:
            raise self.failure
        return answer


@pytest.fixture
async def source() -> Source:
    return Source()


@pytest.fixture
def remembered(source: Source, clock: Clock) -> Remembered[str, str]:
    return Remembered(source, seconds=300, stale_seconds=1000, monotonic=clock)


async def test_an_answer_serves_until_it_is_old(source: Source, remembered: Remembered[str, str], clock: Clock) -> None:
    assert await remembered.get("a") == await remembered.get("a") == "a-1"
    clock.seconds += 300
    assert await remembered.get("a") == "a-2"


async def test_many_ask_once(source: Source, remembered: Remembered[str, str]) -> None:
    assert set(await asyncio.gather(*(remembered.get("a") for _ in range(50)))) == {"a-1"}
    assert source.questions == 1


async def test_one_that_gives_up_does_not_cancel_the_others(source: Source, remembered: Remembered[str, str]) -> None:
    source.open.clear()
    leaving, staying = (asyncio.ensure_future(remembered.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    source.open.set()
    assert await staying == "a-1"


async def test_an_outage_is_bridged_without_asking_every_time(source: Source, remembered: Remembered[str, str], clock: Clock) -> None:
    await remembered.get("a")
    source.failure = Unavailable("down")
    clock.seconds += 300
    assert {await remembered.get("a") for _ in range(10)} == {"a-1"}
    assert source.questions == 2
    clock.seconds += HOLD_OFF_SECONDS
    assert await remembered.get("a") == "a-1"
    assert source.questions == 3
    with pytest.raises(Unavailable):
        await remembered.get("a", allow_stale=False)
    clock.seconds += 1000
    with pytest.raises(Unavailable):
        await remembered.get("a")


@pytest.mark.parametrize("failure", [NotFound("gone"), Rejected("forbidden")])
async def test_what_is_gone_is_forgotten(source: Source, remembered: Remembered[str, str], clock: Clock, failure: SluiceError) -> None:
    await remembered.get("a")
    source.failure = failure
    clock.seconds += 300
    with pytest.raises(type(failure)):
        await remembered.get("a")
    source.failure = Unavailable("down")
    with pytest.raises(Unavailable):
        await remembered.get("a")


async def test_a_question_under_way_when_it_is_forgotten_is_not_remembered(source: Source, remembered: Remembered[str, str]) -> None:
    source.open.clear()
    old = asyncio.ensure_future(remembered.get("a"))
    await asyncio.sleep(0)
    remembered.forget("a")
    source.open.set()
    assert await old == "a-1"
    assert await remembered.get("a") == "a-2"
