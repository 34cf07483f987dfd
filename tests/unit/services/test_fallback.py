"""A message that its channel does not take goes to the fallback, once; what nobody takes is listed, and sent again when people ask."""

import asyncio
from datetime import timedelta

import pytest
from builders import NOW, at
from chats import Chats
from counted import Since, timed
from fakes import Killed
from msgspec.structs import replace

from shared.domain.deliveries import GIVE_UP_AFTER, Delivery
from shared.domain.errors import NotAllowed, NotFound, Refused, Rejected, SluiceError, Throttled, Unavailable
from shared.metrics import NOTIFICATION_ATTEMPTS, NOTIFICATION_ENDED

GONE = Rejected("gone", code="404")


@pytest.fixture
def chats() -> Chats:
    return Chats()


async def test_what_is_rejected_goes_to_the_fallback_at_once_and_says_so(chats: Chats) -> None:
    chats.chats["ops"].fails = GONE
    await chats.told()
    await chats.run()
    assert (chats.got(), chats.clock.now) == ({"ops": 0, "second": 1, "third": 0}, NOW)
    assert chats.states() == {"ops": "handed-over", "second": "sent"}
    (announcement,) = chats.chats["second"].got[0].announcements
    assert announcement.summary == (
        "The channel ops has not taken this message since 2026-11-23 12:00 UTC (Rejected 404), so it comes here.\nIt failed"
    )
    assert chats.audit.actions() == ["notification.handed-over"]


async def test_what_is_down_for_a_day_is_tried_all_day_first(chats: Chats) -> None:
    chats.chats["ops"].fails = Unavailable("down", code="503")
    await chats.told()
    await chats.run()
    assert (chats.got(), chats.clock.now) == ({"ops": 0, "second": 1, "third": 0}, NOW + GIVE_UP_AFTER)
    assert chats.chats["ops"].calls > 90
    assert "since 2026-11-23 12:00 UTC" in chats.chats["second"].got[0].announcements[0].summary


async def test_only_when_the_last_of_the_chain_has_failed_nobody_was_told(chats: Chats) -> None:
    for chat in chats.chats.values():
        chat.fails = GONE
    await chats.told()
    await chats.run()
    assert chats.states() == {"ops": "handed-over", "second": "handed-over", "third": "failed"}
    assert sorted(chats.audit.actions()) == ["notification.failed", "notification.handed-over", "notification.handed-over"]
    listed = await chats.report()("", limit=10, continuation="")
    assert listed == {
        "notifications": [
            {
                "id": chats.delivery("third").id,
                "channel": chats.delivery("third").channel,
                "provider": "third",
                "state": "failed",
                "attempts": 1,
                "createdAt": NOW.isoformat(),
                "dueAt": NOW.isoformat(),
                "error": "Rejected 404",
                "titles": ["Stage a"],
                "fallback": None,
            }
        ],
        "continuation": None,
    }


@pytest.mark.parametrize("write", range(1, 12))
async def test_whenever_an_instance_dies_the_fallback_gets_it_once(chats: Chats, write: int) -> None:
    chats.chats["ops"].fails = GONE
    await chats.told()
    chats.faults.die_at = chats.faults.writes + write
    await chats.run()
    assert chats.states() == {"ops": "handed-over", "second": "sent"}
    died_after_the_post = chats.chats["second"].calls - 1
    assert len({parcel.id for parcel in chats.chats["second"].got}) == 1
    assert died_after_the_post in (0, 1)  # the one crash that no channel can be asked about
    assert chats.audit.actions() == ["notification.handed-over"]


async def test_a_message_that_comes_again_and_again_makes_nothing_new(chats: Chats) -> None:
    chats.chats["ops"].fails = GONE
    message = await chats.told()
    await chats.run()
    for _ in range(3):
        await chats.post()(message)
        await chats.run()
    await asyncio.gather(*(chats.post()(message) for _ in range(4)))
    await chats.run()
    assert (chats.got(), chats.chats["ops"].calls) == ({"ops": 0, "second": 1, "third": 0}, 1)
    assert chats.audit.actions() == ["notification.handed-over"]


async def test_a_fallback_that_was_taken_out_of_the_file_after_a_crash_is_still_the_one(chats: Chats) -> None:
    chats.chats["ops"].fails = GONE
    message = await chats.told()
    chats.faults.die_at = chats.faults.writes + 3  # held, saved as handed over; then it dies
    with pytest.raises(Killed):
        await chats.post()(message)
    assert chats.states() == {"ops": "handed-over"}
    first, *others = chats.config.providers
    chats.config = replace(chats.config, providers=(replace(first, fallback="third"), *others))
    await chats.run()
    assert chats.got() == {"ops": 0, "second": 1, "third": 0}


async def test_a_chain_that_became_a_ring_on_the_way_ends(chats: Chats) -> None:
    for chat in chats.chats.values():
        chat.fails = GONE
    first, second, third = chats.config.providers
    chats.config = replace(chats.config, providers=(first, replace(second, fallback="ops"), third))
    await chats.told()
    await chats.run()
    assert chats.states() == {"ops": "handed-over", "second": "failed"}


async def test_a_provider_that_became_a_git_host_takes_no_messages(chats: Chats) -> None:
    message = await chats.told()
    first, *others = chats.config.providers
    chats.config = replace(chats.config, providers=(replace(first, type="github"), *others))
    await chats.post()(message)
    assert (chats.delivery().state, chats.delivery().error) == ("failed", "the provider is no longer configured")


async def test_secrets_that_make_no_sense_are_waited_for_and_then_the_fallback_gets_it(chats: Chats) -> None:
    chats.unusable = {"ops": ValueError("a token without a channel")}
    await chats.told()
    await chats.run()
    assert (chats.got()["second"], chats.chats["ops"].calls, chats.clock.now) == (1, 0, NOW + GIVE_UP_AFTER)
    assert "token cannot be used (ValueError)" in chats.chats["second"].got[0].announcements[0].summary


async def test_a_vault_that_refuses_is_no_channel_that_refuses(chats: Chats) -> None:
    chats.unusable = {"ops": Rejected("Key Vault refuses the secret", code="403")}
    await chats.told()
    await chats.run(until=timedelta(minutes=5))
    assert chats.states() == {"ops": "collecting"}
    chats.unusable = {}
    await chats.run()
    assert chats.got() == {"ops": 1, "second": 0, "third": 0}


async def test_one_429_holds_back_the_whole_channel(chats: Chats) -> None:
    chats.chats["ops"].fails = Throttled("slow down", code="429", retry_after=60)
    await chats.told("first")
    await chats.run(until=timedelta())
    chats.chats["ops"].calls = 0
    chats.clock.now = at(5)
    for number in range(20):
        await chats.told(str(number))
    await chats.run(until=timedelta(seconds=59))
    assert chats.chats["ops"].calls == 0
    chats.chats["ops"].fails = None
    await chats.run()
    assert (chats.got()["ops"], chats.chats["ops"].calls) == (21, 21)


async def test_what_never_came_in_at_a_shut_door_goes_to_the_fallback_too(chats: Chats) -> None:
    chats.chats["ops"].fails = Throttled("come back tomorrow", code="429", retry_after=100_000)
    await chats.told("first")
    await chats.run(until=timedelta())
    await chats.told("second")
    await chats.run()
    assert (chats.got()["second"], chats.chats["ops"].calls, chats.clock.now <= NOW + GIVE_UP_AFTER + timedelta(minutes=1)) == (2, 1, True)
    assert "asked to wait" in chats.chats["second"].got[1].announcements[0].summary


async def test_after_days_without_the_app_everything_is_tried_before_it_is_given_up(chats: Chats) -> None:
    for number in range(60):
        await chats.told(str(number))
    chats.clock.now = NOW + 2 * GIVE_UP_AFTER
    await chats.run()
    assert chats.got() == {"ops": 60, "second": 0, "third": 0}


async def test_a_time_out_is_no_answer_and_the_channel_may_show_it(chats: Chats) -> None:
    chats.chats["ops"].fails = TimeoutError()
    await chats.told()
    await chats.run(until=timedelta(minutes=30))
    assert (chats.delivery().state, chats.delivery().unanswered, chats.chats["ops"].calls) == ("collecting", 4, 4)
    assert chats.delivery().error == "Unavailable TimeoutError: the channel may show it all the same"
    waiting = await chats.report()("collecting", limit=10, continuation="")
    assert [(each["attempts"], each["error"][:11]) for each in waiting["notifications"]] == [(4, "Unavailable")]


async def test_a_message_that_comes_again_while_its_channel_is_waited_for_makes_no_attempt(chats: Chats) -> None:
    chats.chats["ops"].fails = TimeoutError()
    message = await chats.told()
    await chats.run(until=timedelta())
    for _ in range(3):
        chats.clock.pass_(5)
        await chats.post()(message)
    assert chats.chats["ops"].calls == 1
    await chats.run(until=timedelta(minutes=30))
    assert chats.chats["ops"].calls == 4
    chats.chats["ops"].fails = None
    await chats.run()
    assert chats.got() == {"ops": 1, "second": 0, "third": 0}


async def a_failed_one(chats: Chats) -> Delivery:
    for chat in chats.chats.values():
        chat.fails = GONE
    await chats.told()
    await chats.run()
    for chat in chats.chats.values():
        chat.fails = None
    chats.clock.now = at(3600)
    return chats.delivery("third")


async def test_what_nobody_took_is_sent_again_when_someone_asks(chats: Chats) -> None:
    failed = await a_failed_one(chats)
    shown = await chats.resend()(failed.channel, failed.id, by="alex", reason="the webhook is back")
    assert (shown["state"], shown["dueAt"]) == ("collecting", at(3600).isoformat())
    await chats.run()
    assert (chats.got(), chats.delivery("third").state) == ({"ops": 0, "second": 0, "third": 1}, "sent")
    entry = chats.audit.streams[failed.channel][-1].entry
    assert entry is not None
    assert (entry.action, entry.actor, entry.detail["reason"]) == ("notification.resend", "alex", "the webhook is back")
    with pytest.raises(NotAllowed, match="has taken it"):
        await chats.resend()(failed.channel, failed.id, by="alex", reason="again")


async def test_what_fails_again_is_recorded_again(chats: Chats) -> None:
    failed = await a_failed_one(chats)
    chats.chats["third"].fails = GONE
    await chats.resend()(failed.channel, failed.id, by="alex", reason="try")
    await chats.run()
    assert chats.delivery("third").state == "failed"
    assert chats.audit.actions().count("notification.failed") == 2


@pytest.mark.parametrize("write", range(1, 5))
async def test_a_resend_that_dies_is_done_by_asking_again(chats: Chats, write: int) -> None:
    failed = await a_failed_one(chats)
    chats.faults.die_at = chats.faults.writes + write
    with pytest.raises(Killed):
        await chats.resend()(failed.channel, failed.id, by="alex", reason="try")
    chats.faults.die_at = None
    if chats.delivery("third").state == "failed":
        await chats.resend()(failed.channel, failed.id, by="alex", reason="try")
    await chats.run()
    assert chats.got()["third"] == 1


async def test_of_two_who_ask_at_once_one_is_told_that_it_is_on_its_way(chats: Chats) -> None:
    failed = await a_failed_one(chats)
    results = await asyncio.gather(
        *(chats.resend()(failed.channel, failed.id, by=name, reason="try") for name in ("alex", "sam")), return_exceptions=True
    )
    assert sum(isinstance(result, NotAllowed) for result in results) == 1
    await chats.run()
    assert chats.got()["third"] == 1


@pytest.mark.parametrize("missing", ["delivery", "provider"])
async def test_what_cannot_be_sent_again_says_why(chats: Chats, missing: str) -> None:
    failed = await a_failed_one(chats)
    if missing == "provider":
        chats.config = replace(chats.config, providers=())
    error: type[SluiceError] = NotAllowed if missing == "provider" else NotFound
    with pytest.raises(error, match=r"no provider third|no such"):
        await chats.resend()(failed.channel, failed.id if missing == "provider" else "0" * 32, by="alex", reason="try")


async def test_the_list_comes_page_by_page(chats: Chats) -> None:
    chats.config = replace(chats.config, providers=(replace(chats.config.providers[0], fallback=None),))
    chats.chats["ops"].fails = GONE
    for number in range(5):
        await chats.told(str(number))
        chats.clock.pass_(1)
    await chats.run()
    titles: list[object] = []
    continuation: str | None = ""
    while continuation is not None:
        page = await chats.report()("failed", limit=2, continuation=continuation)
        titles += [each["titles"] for each in page["notifications"]]
        continuation = page["continuation"]
    assert titles == [[f"Stage {number}"] for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(("state", "continuation"), [("lost", ""), ("failed", "x" * 9000), ("failed", "\n")])
async def test_a_list_that_makes_no_sense_is_refused(chats: Chats, state: str, continuation: str) -> None:
    with pytest.raises(Refused):
        await chats.report()(state, limit=10, continuation=continuation)


async def test_attempts_and_ends_are_measured(chats: Chats) -> None:
    since, before = Since(NOTIFICATION_ATTEMPTS), timed(NOTIFICATION_ENDED)
    chats.chats["ops"].fails = Unavailable("down")
    await chats.told()
    await chats.run()
    grown = since.grown()
    assert grown["sent", "second"] == 1
    assert grown["unavailable", "ops"] > 90
    ended = timed(NOTIFICATION_ENDED)
    count, age = ended["ops", "handed-over"]
    known, known_age = before.get(("ops", "handed-over"), (0, 0.0))
    assert (count - known, age - known_age) == (1, GIVE_UP_AFTER.total_seconds())
