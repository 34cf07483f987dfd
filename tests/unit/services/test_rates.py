"""How many proven deliveries of a receiver are planned at once."""

import asyncio
import json
from datetime import datetime, timedelta

import pytest
from builders import NOW, sha
from fakes import FakeClock, FakePace, Faults
from msgspec.structs import replace
from test_receive import a_body, headers
from worlds import World

from shared.config.models import Receiver
from shared.domain.errors import Refused, Unavailable
from shared.domain.messages import CHANGES
from shared.services.rates import LONGEST_WAIT, Rates


def a_receiver(rate: str = "600/m") -> Receiver:
    return Receiver(name="platform", type="github", secret_ref="kv://sluice/github", rate_limit=rate)


async def slots(rates: Rates, count: int, rate: str = "600/m") -> list[datetime]:
    return [await rates.slot(a_receiver(rate)) for _ in range(count)]


async def test_within_the_rate_every_delivery_is_planned_at_once_and_one_write_serves_a_tenth_of_it() -> None:
    faults = Faults()
    rates = Rates(FakePace(faults), FakeClock())
    assert await slots(rates, 600) == [NOW] * 600
    assert faults.writes == 10


async def test_over_the_rate_deliveries_wait_their_turn() -> None:
    rates = Rates(FakePace(Faults()), FakeClock())
    await slots(rates, 600)
    later = await slots(rates, 20)
    assert later == [NOW + timedelta(seconds=0.1) * n for n in range(1, 21)]


async def test_instances_keep_the_rate_together() -> None:
    store, clock = FakePace(Faults()), FakeClock()
    instances = [Rates(store, clock) for _ in range(5)]
    given = await asyncio.gather(*(slots(instance, 240) for instance in instances))
    moments = sorted(moment for own in given for moment in own)
    assert len(moments) == 1200
    assert sum(moment == NOW for moment in moments) == 600
    assert moments[-1] == NOW + timedelta(seconds=60)


async def test_deliveries_that_come_at_once_share_what_one_of_them_takes() -> None:
    faults = Faults()
    rates = Rates(FakePace(faults), FakeClock())
    assert await asyncio.gather(*(rates.slot(a_receiver()) for _ in range(60))) == [NOW] * 60
    assert faults.writes == 1


async def test_slots_that_an_instance_did_not_use_are_void_after_a_minute() -> None:
    clock, faults = FakeClock(), Faults()
    rates = Rates(FakePace(faults), clock)
    await slots(rates, 1)
    clock.pass_(61)
    assert await slots(rates, 1) == [clock()]
    assert faults.writes == 2


async def test_a_small_rate_takes_one_slot_at_a_time() -> None:
    rates = Rates(FakePace(Faults()), FakeClock())
    assert await slots(rates, 3, "2/h") == [NOW, NOW, NOW + timedelta(minutes=30)]


async def test_who_is_over_an_hour_ahead_is_refused_until_there_is_room_again() -> None:
    clock = FakeClock()
    rates = Rates(FakePace(Faults()), clock)
    # A burst of two at once, and one every half hour: the fourth would be due in an hour, and that is the last that is taken.
    assert (await slots(rates, 4, "2/h"))[-1] == NOW + LONGEST_WAIT
    with pytest.raises(Refused) as refused:
        await slots(rates, 1, "2/h")
    assert (refused.value.status, refused.value.retry_after, refused.value.explain) == (429, 60, False)
    clock.pass_(30 * 60)
    assert await slots(rates, 1, "2/h") == [clock() + LONGEST_WAIT]


async def test_without_the_database_nothing_is_held_back() -> None:
    faults = Faults()
    rates = Rates(FakePace(faults), FakeClock())
    faults.fail_next = [Unavailable("down")]
    assert await slots(rates, 2) == [NOW, NOW]


async def test_a_delivery_over_the_rate_is_recorded_and_its_message_comes_when_it_is_due(world: World) -> None:
    (receiver,) = world.config.receivers
    world.config = replace(world.config, receivers=(replace(receiver, rate_limit="1/m"),))
    for number in (1, 2):
        body = a_body(before=sha(number - 1), after=sha(number))
        answer = await world.receive()("platform", headers(body, delivery=f"d-{number}"), body)
        assert answer.status == 202
    due = NOW + timedelta(minutes=1)
    assert len(world.changes.kept.all()) == 2
    assert [unplanned.since for unplanned in world.changes.waiting.all()] == [NOW, due]
    assert [sent.not_before for sent in world.queue.sent] == [None, due]
    # The sweep sends again what has lost its message: not what is not due yet.
    world.queue.sent.clear()
    world.clock.pass_(150)
    await world.plan().sweep()
    assert len(world.queue.messages(CHANGES)) == 1


async def test_a_sender_that_runs_wild_is_told_to_come_back_and_leaves_nothing_behind(world: World) -> None:
    (receiver,) = world.config.receivers
    world.config = replace(world.config, receivers=(replace(receiver, rate_limit="1/h"),))
    answers = []
    for number in range(3):
        body = a_body(after=sha(number + 1))
        answers.append(await world.receive()("platform", headers(body, delivery=f"d-{number}"), body))
    assert [answer.status for answer in answers] == [202, 202, 429]
    assert (answers[2].body, answers[2].retry_after) == (None, 60)
    assert len(world.changes.kept.all()) == 2


async def test_what_needs_no_work_takes_no_slot(world: World) -> None:
    for _ in range(3):
        await world.receive()("platform", headers(b"{}", event="ping"), b"{}")
    assert json.loads(json.dumps(list(world.rates.leased))) == []
