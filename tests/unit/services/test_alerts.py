"""Alerts as people write them: who hears of what, when, how often, and that nothing is lost."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, a_rollout, a_stage, a_target, an_observation, at, resource_id
from fakes import Killed
from fleet_fakes import FleetWorld
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace
from sightings import a_cluster, seen
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.config.models import Config
from shared.domain.alerting import Rule
from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.clusters import Traits
from shared.domain.endings import endings
from shared.domain.errors import NotFound, Throttled
from shared.domain.event_fields import of_cluster
from shared.domain.fleet import Sighting
from shared.domain.messages import NOTIFICATIONS, Deliver, TellTargets
from shared.services.effects import Effects
from shared.services.remind import Remind
from shared.services.watch_config import WatchConfig

NIGHT = 'quietHours: {windows: [{days: daily, from: "22:00", to: "06:00", timeZone: UTC}]'


def configured(*lines: str) -> Config:
    return load_text(
        CONFIG.partition("alerts:")[0] + "alerts:\n" + "".join(f"  - {{name: a{n}, {line}}}\n" for n, line in enumerate(lines))
    )


def an_event(name: str = "a", **fields: Any) -> Announcement:
    values: dict[str, Any] = {"id": name, "kind": "stage.failed", "severity": "error", "title": name, "summary": "", "at": NOW}
    return Announcement(**values | fields)


def of_one(number: int, **fields: Any) -> Announcement:
    about = of_cluster(resource_id(number), Traits(tags={"ring": "canary" if number % 5 == 0 else "prod"}))
    line = ClusterLine(name=f"cluster-{number}", reason="down")
    values: dict[str, Any] = {"kind": "cluster.offline", "many": "{n} clusters offline", "clusters": (line,), "fields": about}
    return an_event(f"e-{number}", **values | fields)


async def post_due(world: World) -> None:
    for sent in world.queue.visible():
        world.queue.waiting.remove(sent)
        await world.deliver(sent.queue, sent.message)


def titles(world: World) -> list[list[str]]:
    return [[told.title for told in message] for message in world.provider.sent]


def told_ids(world: World) -> list[str]:
    return sorted(each for message in world.provider.sent for told in message for each in (told.id, *told.others))


async def test_clusters_are_chosen_by_selector_and_by_expression(world: World) -> None:
    world.config = configured("provider: ops, selector: {tags: {ring: canary}}", "provider: ops, exclude: 'event.tags.ring == \"prod\"'")
    await world.tell().all([of_one(number) for number in range(20)])
    world.clock.pass_(120)
    await post_due(world)
    assert titles(world) == [["4 clusters offline"]] * 2


async def test_an_expression_that_cannot_be_computed_silences_nothing_and_is_logged_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.config = configured("provider: ops, include: event.total / event.failed > 1")
    with caplog.at_level(logging.WARNING, "sluice.tell"):
        for name in ("a", "b", "c"):
            await world.tell()(an_event(name))
    await post_due(world)
    assert titles(world) == [["a"], ["b"], ["c"]]
    assert [record.msg.partition(" ")[0] for record in caplog.records] == ["alert.expression"]


async def test_what_happens_at_night_is_told_in_one_message_in_the_morning(world: World) -> None:
    world.config = configured(f"provider: ops, {NIGHT}}}")
    night = NOW.replace(hour=23)
    world.clock.now = night
    await world.tell()(an_event("stage failed", at=night))
    await world.tell().all([of_one(number, at=night) for number in range(30)])
    world.clock.pass_(3600)
    await world.tell()(an_event("recovered", at=world.clock(), severity="info"))
    await post_due(world)
    assert titles(world) == []
    world.clock.now = NOW.replace(hour=6) + timedelta(days=1)
    await post_due(world)
    assert titles(world) == [["stage failed", "30 clusters offline", "recovered"]]
    await world.tell()(an_event("stage failed", at=night))  # its message comes again
    await post_due(world)
    assert len(world.provider.sent) == 1


async def test_errors_are_told_at_night_where_they_are_to_be(world: World) -> None:
    world.config = configured(f"provider: ops, {NIGHT}, errors: tell}}")
    night = NOW.replace(hour=23)
    world.clock.now = night
    await world.tell()(an_event("failed", at=night))
    await world.tell()(an_event("done", at=night, severity="info"))
    await post_due(world)
    assert titles(world) == [["failed"]]
    world.clock.now = NOW.replace(hour=6) + timedelta(days=1)
    await post_due(world)
    assert titles(world) == [["failed"], ["done"]]


async def test_a_channel_that_is_down_when_a_long_weekend_ends_is_asked_again(world: World) -> None:
    world.config = configured("provider: ops, quietHours: {windows: [{from: 2026-11-20T18:00, to: 2026-11-25T06:00, timeZone: UTC}]}")
    await world.tell()(an_event("failed"))
    world.provider.answers = [Throttled("slow", code="429", status=429, retry_after=7)]
    world.clock.now = NOW.replace(day=25, hour=6)
    await post_due(world)
    world.clock.pass_(7)
    await post_due(world)
    assert titles(world) == [["failed"]]


async def test_a_message_that_is_full_goes_out_at_once_and_the_next_begins(world: World) -> None:
    world.config = configured("provider: ops, group: {by: [route], interval: 10m, maximum: 3}")
    for number in range(7):
        await world.tell()(an_event(str(number)), group={"route": "platform"})
    await post_due(world)
    assert titles(world) == [["0", "1", "2"], ["3", "4", "5"]]
    world.clock.pass_(600)
    await post_due(world)
    assert titles(world)[2:] == [["6"]]


ENDED = a_rollout(a_stage("canary", 3), a_stage("prod", 1))


def with_targets(world: World, *targets: Any) -> TellTargets:
    world.rollouts.kept.put(ENDED.id, ENDED)
    for target in targets:
        world.rollouts.kept_targets.put((ENDED.id, target.id), target)
    return TellTargets(rollout_id=ENDED.id, at=NOW, ended=endings(targets))


async def test_targets_are_told_by_name_and_once(world: World) -> None:
    unwell = an_observation(compliance="Non-Compliant")
    message = with_targets(
        world,
        a_target(1, state="failed", reason="build failed", dispatch=1),
        a_target(2, state="failed", reason="timeout", stage=1, dispatch=1),
        a_target(3, state="compliant", before=unwell, dispatch=1),
        a_target(4, state="compliant", dispatch=1),
    )
    for _ in range(2):
        await world.tell_targets()(message)
        world.clock.pass_(120)
        await post_due(world)
    (told,) = world.provider.sent
    assert [each.title for each in told] == ["2 clusters failed: platform", "1 cluster recovered: platform"]
    assert [(line.name, line.reason) for line in told[0].clusters] == [("cluster-001", "build failed"), ("cluster-002", "timeout")]
    assert (told[0].fields["rollout"], told[0].fields["count"]) == (ENDED.id, 2)
    assert (told[1].fields["cluster"], told[1].fields["stage"]) == ("cluster-003", "canary")


async def test_a_target_that_is_tried_again_meanwhile_is_told_all_the_same(world: World) -> None:
    message = with_targets(world, a_target(1, state="failed", reason="build failed"))
    with_targets(world, a_target(1, state="pending"))
    await world.tell_targets()(message)
    world.clock.pass_(120)
    await post_due(world)
    ((told,),) = world.provider.sent
    assert told.clusters[0] == ClusterLine(name="cluster-001", reason="", id=resource_id(1))


async def test_a_late_failure_stands_in_the_list_of_events_and_is_told_by_name_alone(world: World) -> None:
    late = ENDED.with_event("target.failed", NOW, "1 failed after stage canary had closed", stage=0, error=True)
    told = await Effects(world.audit, world.queue, world.clock).tell(late)
    assert (told.announced, world.audit.actions(), world.queue.sent) == (1, ["target.failed"], [])


async def test_what_became_of_no_rollout_is_an_error(world: World) -> None:
    with pytest.raises(NotFound):
        await world.tell_targets()(TellTargets(rollout_id="rollout-9", at=NOW, ended=()))


class Programs(Config, frozen=True):
    """Every alert goes to a program."""

    def rules(self) -> tuple[Rule, ...]:
        return tuple(replace(rule, is_for_programs=True) for rule in super().rules())


async def test_a_program_is_told_every_cluster_of_a_step_at_once(world: World) -> None:
    config = configured("provider: ops")
    world.config = Programs(**asdict(config))
    message = with_targets(world, *(a_target(number, state="compliant", dispatch=1) for number in range(90)))
    for _ in range(2):
        await world.tell_targets()(message)
        await post_due(world)
    (told,) = world.provider.sent
    assert {(one.kind, one.more_clusters) for one in told} == {("target.compliant", 0)}
    assert [len(one.clusters) for one in told] == [25, 25, 25, 15]
    assert [line.id for one in told for line in one.clusters] == [resource_id(number) for number in range(90)]


def a_fleet(*lines: str) -> FleetWorld:
    return FleetWorld(config=configured(*lines))


def show(world: FleetWorld, bad: set[int]) -> None:
    world.inventory.shown = [
        Sighting(
            cluster=a_cluster(number),
            configuration=seen(number, compliance="Non-Compliant" if number in bad else "Compliant", message="down"),
        )
        for number in range(20)
    ]


async def sweep_for(world: FleetWorld, span: timedelta) -> None:
    ends = world.clock() + span
    while world.clock() < ends:
        await world.sweep()
        world.clock.pass_(300)
        await post_due(world)


async def test_what_lasts_is_told_again_and_what_is_over_is_not() -> None:
    world = a_fleet("provider: ops, repeat: 4h", "provider: ops")
    show(world, set())
    await sweep_for(world, timedelta(minutes=10))
    show(world, {1, 2, 3})
    await sweep_for(world, timedelta(hours=9))
    show(world, {3})
    await sweep_for(world, timedelta(hours=4))
    show(world, set())
    await sweep_for(world, timedelta(hours=5))
    three, two = "Non-Compliant: 3 fluxConfigurations", "Compliant again: 2 fluxConfigurations"
    last = "Compliant again: 1 fluxConfiguration"
    assert titles(world) == [
        *[[three]] * 2,
        [f"Still: {three}"],  # 16:00
        [f"Still: {three}"],  # 20:00
        *[[two]] * 2,
        ["Still: Non-Compliant: 1 fluxConfiguration"],  # 24:00
        *[[last]] * 2,
    ]
    reminder = next(message[0] for message in world.provider.sent if message[0].title.startswith("Still"))
    assert reminder.at == at(600)


async def test_drift_and_clusters_that_are_away_are_reminded_of_but_not_what_is_no_longer_seen() -> None:
    world = a_fleet("provider: ops, repeat: 1h")
    world.ask(1)
    show(world, set())
    await sweep_for(world, timedelta(minutes=10))
    drifted = Sighting(cluster=a_cluster(1), configuration=seen(1, commit="", branch="other"))
    away = Sighting(cluster=a_cluster(2, connectivity="Offline"), configuration=seen(2))
    world.inventory.shown[1:3] = [drifted, away]
    await sweep_for(world, timedelta(minutes=115))
    assert ["Still: Offline: 1 cluster", "Still: Drift: 1 fluxConfiguration"] in [sorted(each, reverse=True) for each in titles(world)]


async def test_reminders_of_a_night_are_one() -> None:
    world = a_fleet(f"provider: ops, repeat: 1h, {NIGHT}}}")
    show(world, set())
    await sweep_for(world, timedelta(minutes=10))
    show(world, {1})
    await sweep_for(world, timedelta(hours=19))
    reminders = [told for message in titles(world) for told in message if told.startswith("Still")]
    assert len(reminders) == 9 + 1 + 1  # 13:00 to 21:00, the night, 7:00


async def test_a_rollout_that_waits_for_people_is_reminded_of(world: World) -> None:
    waiting = a_rollout(a_stage("canary", 3), id="waits").with_event("gate.waiting", NOW, "waits for approval", key="lead.x", stage=0)
    paused = a_rollout(a_stage("canary", 3), id="paused", state="paused").with_event("stage.failed", NOW, "3 failed", stage=0, error=True)
    paused = paused.with_event("gate.waiting", NOW, "as before", key="lead.x", stage=0)
    moving = a_rollout(a_stage("canary", 3), id="moves").with_event("rollout.started", NOW, "3 clusters")
    for rollout in (waiting, paused, moving, a_rollout(id="new")):
        world.rollouts.kept.put(rollout.id, rollout)
        world.rollouts.listed[rollout.id] = NOW
    world.clock.pass_(4 * 3600)
    await Remind(world.rollouts, world.tell())()
    assert world.deliveries.kept.all() == []
    world.config = configured("provider: ops, repeat: 4h")
    for _ in range(3):
        await Remind(world.rollouts, world.tell())()
        world.clock.pass_(300)
        await post_due(world)
    assert titles(world) == [["Still: Waiting at a gate: platform / canary", "Still: Stage failed: platform / canary"]]
    world.clock.pass_(3600)
    await Remind(world.rollouts, world.tell())()
    await post_due(world)
    assert len(world.provider.sent) == 1


async def test_what_has_no_time_is_told_once_however_long_it_comes_again(world: World) -> None:
    world.config = configured(f"provider: ops, {NIGHT}}}, group: {{interval: 30s}}")
    for _ in range(48):
        await WatchConfig("sluice.yaml:2: unknown field", world.tell())()
        world.clock.pass_(3600)
        await post_due(world)
    assert titles(world) == [["sluice.yaml is refused"]]


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.lists(st.integers(0, 15), min_size=1, max_size=6)),
        st.tuples(st.just("die"), st.integers(1, 4)),
        st.tuples(st.just("pass"), st.sampled_from([1, 60, 900, 4 * 3600])),
        st.tuples(st.just("post"), st.just(0)),
    ),
    max_size=25,
)
LINES = [
    "provider: ops",
    "provider: ops, severity: error",
    "provider: ops, group: {by: [route], interval: 2m, maximum: 2}",
    f"provider: ops, {NIGHT}}}",
    f"provider: ops, {NIGHT}, errors: tell}}, group: {{interval: 10m}}",
]


def numbered(number: int) -> Announcement:
    """Of sixteen events a few are of one cluster, a few are errors; each has a time of its own, in the day or the night."""
    when, severity = at(number * 5400), "error" if number % 3 else "info"
    if number % 2:
        return of_one(number, at=when, severity=severity)
    return an_event(f"e-{number}", at=when, severity=severity)


@given(ACTS, st.sampled_from(LINES))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
async def test_whatever_happens_each_event_is_told_once(acts: list[tuple[str, Any]], line: str) -> None:
    """Told late, twice, in any order, by instances that die: whoever sends the message tries again until it is done."""
    world = World(config=configured(line))
    told: set[int] = set()
    for act, what in acts:
        match act:
            case "tell":
                told |= set(what)
                await until_done(world, [numbered(number) for number in what])
            case "die":
                world.faults.die_at = world.faults.writes + what
            case "pass":
                world.clock.pass_(what)
            case _:
                await post_carefully(world)
    world.faults.die_at = None
    await until_done(world, [numbered(number) for number in told])  # every message may come again
    for _ in range(100):
        world.clock.pass_(3600)
        await post_carefully(world)
    wanted = [numbered(number) for number in told]
    assert told_ids(world) == sorted(each.id for each in wanted if "severity: error" not in line or each.severity == "error")


async def until_done(world: World, events: list[Announcement]) -> None:
    while True:
        try:
            await world.tell().all(events, route="platform", group={"route": "platform"})
        except Killed:
            continue
        return


async def post_carefully(world: World) -> None:
    """A message whose instance died comes again. One that posted and could not say so is another matter (test_notify)."""
    world.faults.die_at = None
    await post_due(world)


async def test_a_step_tells_its_targets_with_one_message_and_again_after_a_crash(world: World) -> None:
    unwell = an_observation(60, compliance="Non-Compliant", message="build failed")
    fields = {"state": "applied", "applied_at": NOW, "accepted_at": NOW, "failing_since": NOW, "has_news": True, "dispatch": 1}
    targets = [a_target(number, observation=unwell, **fields) for number in range(3)]
    stage = a_stage("canary", 3, state="running", opened_at=NOW, counts={"applied": 3})
    world.rollouts.kept.put("rollout-1", a_rollout(stage))
    world.rollouts.listed["rollout-1"] = NOW
    for target in targets:
        world.rollouts.kept_targets.put(("rollout-1", target.id), target)
    world.clock.pass_(61)
    await world.step()("rollout-1")
    sent = [message for message in world.queue.messages(NOTIFICATIONS) if isinstance(message, TellTargets)]
    assert [[(each.target_id, each.state) for each in message.ended] for message in sent] == [[(t.id, "failed") for t in targets]]
    left = world.rollouts.kept.now("rollout-1")
    world.rollouts.kept.put(
        "rollout-1", type(left)(**{**{f: getattr(left, f) for f in left.__struct_fields__}, "unnoted": tuple(t.id for t in targets)})
    )
    world.clock.pass_(30)
    await world.step()("rollout-1")
    again = [message for message in world.queue.messages(NOTIFICATIONS) if isinstance(message, TellTargets)]
    assert again == [sent[0], sent[0]]
    for message in again:
        await world.tell_targets()(message)
    assert len([each for each in world.queue.messages(NOTIFICATIONS) if isinstance(each, Deliver)]) >= 1
    world.clock.pass_(120)
    await post_due(world)
    failed = [told for message in world.provider.sent for told in message if told.kind == "target.failed"]
    assert [told.title for told in failed] == ["3 clusters failed: platform"]
