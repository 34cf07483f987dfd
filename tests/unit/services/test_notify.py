"""An event is told."""

import asyncio
from typing import Any

import pytest
from builders import NOW, a_rollout, a_stage, a_target, at, resource_id, sha
from fakes import Killed
from msgspec.structs import replace
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.deliveries import ATTEMPT_LASTS, GIVE_UP_AFTER, Delivery
from shared.domain.errors import Conflict, NotFound, Rejected, SluiceError, Throttled, Unavailable
from shared.domain.gates import Gate
from shared.domain.messages import NOTIFICATIONS, Deliver, Notify
from shared.domain.rollouts import RolloutEvent
from shared.services.announce import announce
from shared.services.watch_config import WatchConfig


def an_announcement(name: str = "a", **fields: Any) -> Announcement:
    values: dict[str, Any] = {"id": name, "kind": "stage.succeeded", "severity": "info", "title": name, "summary": ""}
    return Announcement(**values | fields)


def alerts(world: World, *lines: str) -> None:
    world.config = load_text(CONFIG.partition("alerts:")[0] + "alerts:\n" + "".join(f"  - {line}\n" for line in lines))


async def post_what_is_due(world: World) -> None:
    for sent in world.queue.visible():
        world.queue.waiting.remove(sent)
        await world.deliver(sent.queue, sent.message)


def delivery(world: World) -> Delivery:
    (found,) = world.deliveries.kept.all()
    return found


def posted(world: World) -> list[list[str]]:
    return [[announcement.id for announcement in post] for post in world.provider.sent]


async def test_without_an_interval_every_announcement_is_a_message_at_once(world: World) -> None:
    for name in ("a", "b"):
        await world.tell()(an_announcement(name))
    await post_what_is_due(world)
    assert posted(world) == [["a"], ["b"]]
    assert {kept.state for kept in world.deliveries.kept.all()} == {"sent"}


GROUPED = "{name: grouped, provider: ops, group: {by: [rollout, stage], interval: 30s}}"


async def test_announcements_of_a_group_are_one_message_when_its_window_closes(world: World) -> None:
    alerts(world, GROUPED)
    for number in range(5):
        await world.tell()(an_announcement(f"a-{number}"), group={"rollout": "r", "stage": "0"})
        world.clock.pass_(5)
    await world.tell()(an_announcement("other"), group={"rollout": "r", "stage": "1"})
    await post_what_is_due(world)
    assert posted(world) == []
    world.clock.now = at(30)
    await post_what_is_due(world)
    assert posted(world) == [[f"a-{number}" for number in range(5)]]
    world.clock.now = at(60)
    await post_what_is_due(world)
    assert posted(world)[1:] == [["other"]]


async def test_what_comes_after_a_window_has_closed_begins_the_next(world: World) -> None:
    alerts(world, GROUPED)
    for name in ("a", "b", "c"):
        await world.tell()(an_announcement(name), group={"rollout": "r", "stage": "0"})
        world.clock.pass_(31)
        await post_what_is_due(world)
    assert posted(world) == [["a"], ["b"], ["c"]]


async def test_a_storm_at_once_is_one_message_and_nothing_is_lost(world: World) -> None:
    alerts(world, GROUPED)
    names = [f"a-{number:02}" for number in range(40)]
    group = {"rollout": "r", "stage": "0"}
    await asyncio.gather(*(world.tell()(an_announcement(name), group=group) for name in names))
    world.clock.pass_(30)
    await post_what_is_due(world)
    ((*told,),) = posted(world)
    assert sorted(told) == names


@pytest.mark.parametrize("line", ["{name: all, provider: ops}", GROUPED])
async def test_the_same_announcement_twice_is_told_once(world: World, line: str) -> None:
    alerts(world, line)
    for _ in range(3):
        await world.tell()(an_announcement(), group={"rollout": "r", "stage": "0"})
        world.clock.pass_(31)
        await post_what_is_due(world)
    assert posted(world) == [["a"]]


@pytest.mark.parametrize("write", [1, 2])
async def test_an_instance_that_dies_while_it_tells_is_made_good_by_the_next(world: World, write: int) -> None:
    world.faults.die_at = write
    with pytest.raises(Killed):
        await world.tell()(an_announcement())
    await world.tell()(an_announcement())
    await post_what_is_due(world)
    assert posted(world) == [["a"]]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{name: x, provider: ops}", True),
        ("{name: x, provider: ops, severity: error}", False),
        ('{name: x, provider: ops, events: ["stage.*"]}', True),
        ('{name: x, provider: ops, events: ["rollout.*", "target.*"]}', False),
        ('{name: x, provider: ops, routes: ["plat*"]}', True),
        ("{name: x, provider: ops, routes: [apps]}", False),
    ],
)
async def test_an_alert_takes_what_it_asks_for(world: World, line: str, expected: bool) -> None:
    alerts(world, line)
    await world.tell()(an_announcement(), route="platform")
    assert bool(world.queue.sent) is expected


async def test_errors_go_to_every_alert_and_what_is_of_no_route_to_all_routes(world: World) -> None:
    alerts(world, "{name: one, provider: ops, severity: error}", "{name: two, provider: ops, routes: [apps]}")
    await world.tell()(an_announcement(severity="error"))
    await post_what_is_due(world)
    assert posted(world) == [["a"], ["a"]]


async def test_a_message_before_its_time_is_put_back(world: World) -> None:
    alerts(world, GROUPED)
    await world.tell()(an_announcement(), group={})
    message = world.queue.sent[0].message
    await world.post()(message)
    assert (world.provider.calls, world.queue.sent[-1].not_before) == (0, at(30))


async def test_a_message_that_is_not_recorded_is_an_error(world: World) -> None:
    with pytest.raises(NotFound):
        await world.post()(Deliver(channel="c", delivery_id="d"))


async def test_five_attempts_at_once_post_once(world: World) -> None:
    await world.tell()(an_announcement())
    message = world.queue.sent[0].message
    results = await asyncio.gather(*(world.post()(message) for _ in range(5)), return_exceptions=True)
    assert all(result is None or isinstance(result, Conflict) for result in results)
    assert posted(world) == [["a"]]
    world.clock.now += ATTEMPT_LASTS
    await post_what_is_due(world)
    assert posted(world) == [["a"]]


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Throttled("slow", code="429", status=429, retry_after=7), 7),
        (Throttled("slow", code="429", status=429), 2),
        (Unavailable("down", code="503"), 2),
    ],
    ids=["429 with a wish", "429", "503"],
)
async def test_a_channel_that_cannot_now_is_asked_again(world: World, error: SluiceError, seconds: float) -> None:
    world.provider.answers = [error]
    await world.tell()(an_announcement())
    await post_what_is_due(world)
    assert world.queue.sent[-1].not_before == at(seconds)
    assert (delivery(world).state, delivery(world).attempts) == ("collecting", 1)
    world.clock.now = at(seconds)
    await post_what_is_due(world)
    assert posted(world) == [["a"]]
    assert (delivery(world).state, delivery(world).error) == ("sent", "")


async def test_what_comes_while_the_channel_is_down_is_told_with_the_rest(world: World) -> None:
    alerts(world, GROUPED)
    world.provider.answers = [Unavailable("down")]
    await world.tell()(an_announcement("a"), group={})
    world.clock.now = at(30)
    await post_what_is_due(world)
    await world.tell()(an_announcement("b"), group={})
    world.clock.now = at(40)
    await post_what_is_due(world)
    assert posted(world) == [["a", "b"]]


async def test_a_channel_that_is_down_for_a_day_is_asked_all_day_and_then_given_up_audibly(world: World) -> None:
    world.provider.is_down = Unavailable("down", code="503")
    await world.tell()(an_announcement(title="Stage failed"))
    while world.queue.waiting:
        world.clock.now = max(world.clock.now, min(sent.not_before or NOW for sent in world.queue.waiting))
        await post_what_is_due(world)
    assert world.clock.now - NOW == GIVE_UP_AFTER
    assert world.provider.calls > 90
    assert (delivery(world).state, delivery(world).error) == ("failed", "Unavailable 503")
    (link,) = world.audit.streams[delivery(world).channel]
    assert link.entry is not None
    assert (link.entry.action, link.entry.resource) == ("notification.failed", "ops")
    assert "Stage failed" in link.entry.detail["titles"]


async def test_a_channel_that_is_back_after_hours_tells(world: World) -> None:
    world.provider.is_down = Unavailable("down")
    await world.tell()(an_announcement())
    while world.clock.now < at(20 * 3600):
        world.clock.now = max(world.clock.now, min(sent.not_before or NOW for sent in world.queue.waiting))
        await post_what_is_due(world)
    world.provider.is_down = None
    world.clock.pass_(900)
    await post_what_is_due(world)
    assert posted(world) == [["a"]]


async def test_what_the_channel_rejects_is_not_tried_again(world: World) -> None:
    world.provider.answers = [Rejected("no such channel", code="channel_not_found")]
    await world.tell()(an_announcement())
    await post_what_is_due(world)
    assert (delivery(world).state, world.queue.waiting) == ("failed", [])
    assert world.audit.actions() == ["notification.failed"]


async def test_a_missing_secret_is_waited_for(world: World) -> None:
    del world.secrets.known["kv://sluice/teams"]
    await world.tell()(an_announcement())
    await post_what_is_due(world)
    assert (delivery(world).state, delivery(world).error) == ("collecting", "its address or token cannot be used (NotFound)")
    world.secrets.known["kv://sluice/teams"] = "https://teams.example/hook"
    world.clock.pass_(2)
    await post_what_is_due(world)
    assert posted(world) == [["a"]]


async def test_a_provider_that_is_no_longer_configured_is_given_up_audibly(world: World) -> None:
    await world.tell()(an_announcement())
    world.config = replace(world.config, providers=(), alerts=())
    await post_what_is_due(world)
    assert (delivery(world).state, world.audit.actions()) == ("failed", ["notification.failed"])


async def test_an_attempt_that_died_is_followed_by_another(world: World) -> None:
    world.provider.answers = [Killed()]
    await world.tell()(an_announcement())
    message = world.queue.sent[0].message
    with pytest.raises(Killed):
        await world.post()(message)
    await world.post()(message)
    assert (posted(world), world.queue.sent[-1].not_before) == ([], NOW + ATTEMPT_LASTS)
    world.clock.now += ATTEMPT_LASTS
    await world.post()(message)
    assert posted(world) == [["a"]]


STAGE = a_stage("canary", 40, counts={"compliant": 10, "failed": 30})
FAILED = RolloutEvent(id="rollout-1.stage.failed.0", kind="stage.failed", at=NOW, summary="30 failed", stage=0, severity="error")
STARTED = RolloutEvent(id="rollout-1.rollout.started", kind="rollout.started", at=NOW, summary="40 clusters")


def a_failed_rollout(world: World) -> None:
    rollout = a_rollout(STAGE, a_stage("prod", 2), events=(STARTED, FAILED))
    world.rollouts.kept.put(rollout.id, rollout)
    for number in range(40):
        target = a_target(number, state="failed" if number < 30 else "compliant", reason="build failed")
        world.rollouts.kept_targets.put((rollout.id, target.id), target)


async def test_a_failure_is_told_with_its_clusters_and_their_reasons(world: World) -> None:
    a_failed_rollout(world)
    await world.tell_event()(Notify(rollout_id="rollout-1", event_id=FAILED.id))
    await post_what_is_due(world)
    ((announcement,),) = world.provider.sent
    assert announcement.title == "Stage failed: platform / canary"
    assert announcement.clusters[0] == ClusterLine(name="cluster-000", reason="build failed", id=resource_id(0))
    assert (len(announcement.clusters), announcement.more_clusters) == (25, 5)
    assert ("Clusters", "10 compliant, 30 failed") in announcement.facts


async def test_what_is_no_failure_names_no_clusters(world: World) -> None:
    a_failed_rollout(world)
    await world.tell_event()(Notify(rollout_id="rollout-1", event_id=STARTED.id))
    await post_what_is_due(world)
    ((announcement,),) = world.provider.sent
    assert (announcement.title, announcement.clusters) == ("Rollout started: platform", ())
    assert ("Clusters", "10 compliant, 30 failed, 2 pending") in announcement.facts


@pytest.mark.parametrize("message", [Notify(rollout_id="rollout-9", event_id=FAILED.id), Notify(rollout_id="rollout-1", event_id="other")])
async def test_an_event_that_does_not_exist_is_an_error(world: World, message: Notify) -> None:
    a_failed_rollout(world)
    with pytest.raises(NotFound):
        await world.tell_event()(message)
    assert not [sent for sent in world.queue.sent if sent.queue == NOTIFICATIONS]


def test_where_people_are_asked_the_command_that_answers_is_told() -> None:
    gates = (
        Gate(name="lead", type="approval", asked_at=NOW),
        Gate(name="leads", type="approval", asked_at=NOW),
        Gate(name="ci", type="checks"),
    )
    rollout = a_rollout(a_stage("canary", 1), a_stage("prod", 1, gates=gates))
    for gate in ("leads", "ci"):
        rollout = rollout.with_event("gate.waiting", NOW, "waits", key=f"{gate}.{NOW.isoformat()}", stage=1)
    people, machine = (dict(announce(rollout, event, []).facts) for event in rollout.events)
    assert people["Answer"] == "sluice approve rollout-1 leads --stage prod --reason TEXT (or reject)"
    assert "Answer" not in machine
    assert announce(rollout, rollout.events[0], []).title == "Waiting at a gate: platform / prod"


def test_what_is_told_says_what_moved_and_who_moved_it() -> None:
    rollout = a_rollout(STAGE, forced=True, author="", ref="refs/tags/v1")
    event = RolloutEvent(id="e", kind="unheard.of", at=NOW, summary="s")
    announcement = announce(rollout, event, [])
    assert announcement.title == "unheard.of: platform"
    assert dict(announcement.facts) == {
        "Source": "github.com/contoso/platform refs/tags/v1",
        "Commit": f"{sha(1)[:8]} (force-pushed) Change the platform",
        "Clusters": "10 compliant, 30 failed",
        "Rollout": "rollout-1",
    }


@pytest.mark.parametrize("problem", ["", "sluice.yaml:2: recievers: unknown field"])
async def test_a_refused_configuration_is_told_once_and_a_good_one_never(world: World, problem: str) -> None:
    for _ in range(3):
        await WatchConfig(problem, world.tell())()
    await post_what_is_due(world)
    assert [post[0].kind for post in world.provider.sent] == (["config.refused"] if problem else [])


async def test_another_problem_is_told_again(world: World) -> None:
    for problem in ("one", "two"):
        await WatchConfig(problem, world.tell())()
    await post_what_is_due(world)
    assert [problem in post[0].summary for post, problem in zip(world.provider.sent, ("one", "two"), strict=True)] == [True, True]


@pytest.mark.parametrize(
    ("kind", "state", "error", "says"),
    [
        ("rollout.started", "running", False, ""),
        ("rollout.succeeded", "succeeded", False, "sluice retry rollout-1"),
        ("stage.failed", "paused", True, "sluice resume"),
        ("stage.failed", "running", True, "sluice retry rollout-1"),
        ("stage.failed", "rolling-back", True, "go back to their previous revision"),
        ("rollout.rolled-back", "rolled-back", True, "push again"),
        ("stage.succeeded", "running", False, ""),
    ],
)
def test_what_to_do_next_is_told(kind: str, state: str, error: bool, says: str) -> None:
    rollout = a_rollout(STAGE, state=state).with_event(kind, NOW, "s", stage=None if kind.startswith("rollout") else 0, error=error)
    told = announce(rollout, rollout.events[0], [], "https://sluice.example")
    assert says in told.next_step
    assert bool(says) is bool(told.next_step)
    links = {"Open the rollout": "https://sluice.example/api/dashboard?rollout=rollout-1"}
    failed = {"Failed clusters": "https://sluice.example/api/dashboard?rollout=rollout-1&stage=canary&state=failed"}
    assert dict(told.links) == (links | failed if kind.startswith("stage") and error else links)
