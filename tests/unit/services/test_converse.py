"""One message a rollout, edited as it moves, with a thread."""

import contextlib
from typing import Any

import pytest
from builders import NOW, a_gate, a_rollout, a_stage, at
from fakes import Killed
from msgspec.structs import replace
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.domain.announcements import Announcement
from shared.domain.conversations import GIVE_UP_AFTER, TURN_LASTS, Conversation, conversation_id
from shared.domain.deliveries import Parcel
from shared.domain.errors import Malformed, Rejected, Throttled, Unavailable
from shared.domain.messages import NOTIFICATIONS, Deliver, ShowRollout, StepRollout
from shared.domain.overviews import fingerprint
from shared.domain.rollouts import Rollout

SLACK = "{name: ops, type: slack, tokenRef: kv://sluice/slack, channel: C1}"
KEY = conversation_id("ops", "rollout-1")


@pytest.fixture(autouse=True)
def slack(world: World) -> None:
    configure(world, SLACK)


def configure(world: World, provider: str) -> None:
    world.config = load_text(CONFIG.replace("{name: ops, type: msteams, addressRef: kv://sluice/teams}", provider))


def a_rollout_of_hundred(compliant: int = 0, **fields: Any) -> Rollout:
    counts = {"compliant": compliant, "pending": 100 - compliant}
    return a_rollout(a_stage(total=100, state="running", counts=counts), **{"is_shown": True} | fields)


def an_announcement(name: str = "a", **fields: Any) -> Announcement:
    values = {"id": name, "kind": "stage.failed", "severity": "error", "title": name, "summary": "", "subject": "rollout-1"}
    return Announcement(**values | fields)  # type: ignore[arg-type] # as given


STARTED = an_announcement("started", kind="rollout.started", severity="info", title="Rollout started: platform", summary="to 1")


async def tell(world: World, *announcements: Announcement, name: str = "p") -> None:
    provider = await world.connect(world.config.providers[0])
    await provider.post(Parcel(id=name, announcements=announcements))


async def show(world: World) -> None:
    await world.show()(ShowRollout(rollout_id="rollout-1"))


def kept(world: World) -> Conversation:
    return world.conversations.kept.now(KEY)


def head(world: World) -> Any:
    (found,) = world.chat.heads.values()
    return found


def move(world: World, rollout: Rollout) -> None:
    world.rollouts.kept.put(rollout.id, rollout)


async def test_the_first_thing_that_is_told_makes_the_head_and_the_next_is_a_reply(world: World) -> None:
    move(world, a_rollout_of_hundred())
    await tell(world, STARTED)
    assert world.chat.opened_with == ["Rollout started: platform: to 1"]
    assert world.chat.replies == []
    await tell(world, an_announcement("b"), name="q")
    assert world.chat.replies == [("1.0", ["b"], False)]
    assert (len(world.chat.heads), world.chat.edits, kept(world).held_until) == (1, 0, None)


async def test_what_makes_the_head_later_stands_in_the_thread_too(world: World) -> None:
    move(world, a_rollout_of_hundred())
    await tell(world, an_announcement("failed"))
    assert (world.chat.opened_with, world.chat.replies) == ([""], [("1.0", ["failed"], False)])


async def test_a_parcel_twice_is_told_once(world: World) -> None:
    move(world, a_rollout_of_hundred())
    for _ in range(2):
        await tell(world, STARTED, an_announcement("b"))
    assert world.chat.replies == [("1.0", ["b"], False)]


async def test_what_stands_there_already_is_not_said_again(world: World) -> None:
    move(world, a_rollout_of_hundred())
    alone, about = an_announcement("alone", subject=""), an_announcement("about")
    world.chat.answers = [None, Throttled("slow", code="429")]
    with pytest.raises(Throttled) as slowed:
        await tell(world, alone, about)
    assert slowed.value.taken == {"alone"}
    await tell(world, *(each for each in (alone, about) if each.id not in slowed.value.taken))
    assert (world.chat.alone, world.chat.replies) == ([["alone"]], [("1.0", ["about"], False)])


async def test_what_is_about_no_rollout_stands_alone(world: World) -> None:
    move(world, a_rollout_of_hundred())
    await tell(world, an_announcement("a", subject=""), an_announcement("b"), an_announcement("c", subject="cluster-1"))
    assert world.chat.alone == [["a"], ["c"]]
    assert world.chat.replies == [("1.0", ["b"], False)]


@pytest.mark.parametrize(
    ("broadcast", "kind", "severity", "is_loud"),
    [
        ("", "stage.failed", "error", False),
        ("error", "stage.failed", "error", True),
        ("error", "gate.waiting", "info", False),
        ("question", "gate.waiting", "info", True),
    ],
)
async def test_a_reply_is_shown_in_the_channel_only_where_asked(
    world: World, broadcast: str, kind: str, severity: str, *, is_loud: bool
) -> None:
    configure(world, SLACK.replace("}", f", broadcast: [{broadcast}]}}"))
    move(world, a_rollout_of_hundred())
    await tell(world, an_announcement("b", kind=kind, severity=severity))
    assert world.chat.replies == [("1.0", ["b"], is_loud)]


async def test_the_head_follows_the_rollout(world: World) -> None:
    move(world, a_rollout_of_hundred())
    await tell(world, STARTED)
    move(world, a_rollout_of_hundred(50))
    await show(world)
    assert world.chat.edits == 0  # counts alone are edited every ten seconds
    (wake,) = world.queue.waiting
    assert (wake.message, wake.not_before) == (ShowRollout(rollout_id="rollout-1"), at(10))
    await show(world)
    assert len(world.queue.waiting) == 1
    world.clock.pass_(10)
    await show(world)
    await show(world)
    assert (world.chat.edits, head(world).done) == (1, 50)


async def test_what_people_wait_for_is_shown_at_once(world: World) -> None:
    move(world, a_rollout_of_hundred())
    await tell(world, STARTED)
    waiting = a_rollout(a_stage(total=100, gates=(a_gate(),)), waiting_for="approval of platform-leads", is_shown=True)
    move(world, waiting)
    await show(world)
    assert [asked.gate for asked in head(world).questions] == ["go"]
    answered = replace(waiting, stages=(a_stage(total=100, gates=(a_gate(state="approved"),), state="running"),), waiting_for="")
    move(world, answered)
    await show(world)
    assert (head(world).questions, world.chat.edits) == ((), 2)


async def test_nothing_is_shown_before_something_was_told(world: World) -> None:
    move(world, a_rollout_of_hundred(50))
    await show(world)
    assert (world.chat.heads, world.conversations.kept.all()) == ({}, [])


async def test_a_deleted_head_is_made_anew(world: World) -> None:
    move(world, a_rollout_of_hundred())
    await tell(world, STARTED)
    world.chat.heads.clear()
    world.clock.pass_(10)
    move(world, a_rollout_of_hundred(50))
    await show(world)
    assert (list(world.chat.heads), head(world).done) == (["2.0"], 50)
    world.chat.heads.clear()
    with pytest.raises(Unavailable):
        await tell(world, an_announcement("b"))
    await tell(world, an_announcement("b"))
    assert (list(world.chat.heads), world.chat.replies) == (["3.0"], [("3.0", ["b"], False)])


async def test_a_head_that_cannot_be_made_anew_now_is_made_later(world: World) -> None:
    move(world, a_rollout_of_hundred())
    await tell(world, STARTED)
    world.chat.heads.clear()
    world.clock.pass_(10)
    move(world, a_rollout_of_hundred(50))
    world.chat.answers = [None, Throttled("slow", retry_after=2)]
    await show(world)
    assert world.chat.heads == {}
    world.clock.pass_(2)
    await show(world)
    assert head(world).done == 50


async def test_a_crash_between_post_and_save_finds_the_head_again(world: World) -> None:
    move(world, a_rollout_of_hundred())
    await crash_after_posting(world)
    world.clock.pass_(TURN_LASTS.total_seconds())
    await tell(world, STARTED)
    assert (len(world.chat.keys), len(world.chat.heads), kept(world).told) == (1, 1, ("started",))
    assert head(world).rollout == "rollout-1"


async def crash_after_posting(world: World) -> None:
    """The turn is taken and the head posted; nobody hears of it."""
    world.conversations.kept.put(KEY, Conversation(id=KEY, opening_since=NOW, held_until=NOW + TURN_LASTS))
    await world.chat.open(None, key=KEY, opens_with="")  # type: ignore[arg-type] # what it shows is not known


@pytest.mark.parametrize("may_look", [True, False])
async def test_wherever_an_attempt_dies_the_next_one_says_all_of_it(*, may_look: bool) -> None:
    """And makes no second head, where it may look into the channel."""
    for die_at in range(1, 12):
        world = World()
        configure(world, SLACK)
        world.chat.may_look = may_look
        move(world, a_rollout_of_hundred())
        world.faults.die_at = die_at
        for _ in range(2):
            with contextlib.suppress(Killed):
                await tell(world, STARTED, an_announcement("b"))
            world.clock.pass_(TURN_LASTS.total_seconds())
        assert {name for _, names, _ in world.chat.replies for name in names} == {"b"}
        assert kept(world).told == ("started", "b")
        assert not may_look or len(world.chat.keys) == 1


async def test_without_a_look_at_the_channel_a_crash_makes_a_second_head(world: World) -> None:
    move(world, a_rollout_of_hundred())
    world.chat.may_look = False
    await crash_after_posting(world)
    world.clock.pass_(TURN_LASTS.total_seconds())
    await tell(world, STARTED)
    assert len(world.chat.keys) == 2


async def test_one_attempt_at_a_time(world: World) -> None:
    move(world, a_rollout_of_hundred())
    world.conversations.kept.put(KEY, Conversation(id=KEY, told=("x",), held_until=at(5)))
    with pytest.raises(Throttled):
        await tell(world, STARTED)
    await show(world)
    assert world.queue.messages(NOTIFICATIONS) == [ShowRollout(rollout_id="rollout-1")]
    world.clock.pass_(5)
    await tell(world, STARTED)
    assert len(world.chat.heads) == 1


async def test_a_refused_head_leaves_no_doubt(world: World) -> None:
    move(world, a_rollout_of_hundred())
    world.chat.answers = [Rejected("no", code="channel_not_found")]
    with pytest.raises(Rejected):
        await tell(world, STARTED)
    assert (kept(world).opening_since, kept(world).held_until) == (None, None)


async def test_an_edit_that_fails_is_tried_later_and_holds_up_no_reply(world: World) -> None:
    move(world, a_rollout_of_hundred())
    await tell(world, STARTED)
    move(world, a_rollout_of_hundred(50, state="paused"))
    world.chat.answers = [Throttled("slow", retry_after=7)]
    await tell(world, an_announcement("b"))
    assert world.chat.replies == [("1.0", ["b"], False)]
    (wake,) = world.queue.waiting
    assert wake.not_before == at(7)
    await show(world)  # rests until then
    assert world.chat.edits == 0
    world.clock.pass_(7)
    await show(world)
    assert (world.chat.edits, kept(world).attempts, kept(world).failing_since) == (1, 0, None)


async def test_an_edit_that_is_refused_for_good_is_left_and_the_thread_goes_on(world: World) -> None:
    move(world, a_rollout_of_hundred())
    await tell(world, STARTED)
    move(world, a_rollout_of_hundred(50, state="paused"))
    world.chat.answers = [Rejected("no", code="edit_window_closed")]
    await tell(world, an_announcement("b"))
    assert (world.chat.replies, world.queue.waiting) == ([("1.0", ["b"], False)], [])


async def test_an_edit_is_given_up_after_a_day(world: World) -> None:
    move(world, a_rollout_of_hundred())
    await tell(world, STARTED)
    move(world, a_rollout_of_hundred(50, state="paused"))
    world.chat.answers = [Unavailable("down"), Malformed("no secret")]
    await show(world)
    assert world.queue.waiting[0].not_before == at(2)
    world.clock.pass_(GIVE_UP_AFTER.total_seconds() + 1)
    await show(world)
    assert len(world.queue.waiting) == 1
    assert kept(world).failing_since is None


async def test_whoever_was_away_for_longer_than_its_turn_gives_way(world: World) -> None:
    move(world, a_rollout_of_hundred())
    opening = world.chat.open

    async def slow(*given: Any, **named: Any) -> Any:
        placed = await opening(*given, **named)
        world.conversations.kept.put(KEY, Conversation(id=KEY, told=("other",)))
        return placed

    world.chat.open = slow  # type: ignore[method-assign] # this once
    with pytest.raises(Throttled):
        await tell(world, STARTED)
    assert kept(world).told == ("other",)
    assert world.queue.messages(NOTIFICATIONS) == [ShowRollout(rollout_id="rollout-1")]


async def test_a_step_asks_for_an_edit_when_something_moved_and_only_then(world: World) -> None:
    for is_shown in (False, True):
        await world.rollouts.create(a_rollout(a_stage(total=0), id=f"r-{is_shown}", is_shown=is_shown))
        await world.step()(f"r-{is_shown}")
        await world.step()(f"r-{is_shown}")
    asked = [message for message in world.queue.messages(NOTIFICATIONS) if isinstance(message, ShowRollout)]
    assert {message.rollout_id for message in asked} == {"r-True"}
    assert world.rollouts.kept.now("r-True").shown == fingerprint(world.rollouts.kept.now("r-True"))


async def test_a_post_goes_into_the_conversation_and_is_tried_again(world: World) -> None:
    move(world, a_rollout_of_hundred())
    world.chat.answers = [Throttled("slow", retry_after=1)]
    await world.tell()(STARTED)
    for _ in range(2):
        for sent in world.queue.visible():
            if not isinstance(sent.message, (Deliver, ShowRollout, StepRollout)):
                continue
            world.queue.waiting.remove(sent)
            await world.deliver(sent.queue, sent.message)
        world.clock.pass_(1)
    assert len(world.chat.heads) == 1
