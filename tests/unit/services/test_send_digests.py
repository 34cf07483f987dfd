"""Digests that are due are made of what is stored, and each period's goes out once."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import NOW, a_gate, a_rollout, a_stage
from fakes import Killed
from fleet_fakes import FleetWorld
from msgspec.structs import replace
from sightings import a_cluster, seen

from shared.config.loader import load_text
from shared.domain.announcements import Announcement
from shared.domain.errors import NotFound, Unavailable
from shared.domain.fleet import Sighting
from shared.domain.messages import NOTIFICATIONS
from shared.domain.onboarding_progress import new_progress
from shared.domain.periods import Mark, Marks, last_period

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: NOW is Monday, 23 November 2026, 12:00 UTC: 13:00 in Berlin.
DAILY = "{name: fleet, provider: ops, schedule: daily, at: '13:30', timeZone: Europe/Berlin}"
CONFIG = """
apiVersion: sluice/v1
receivers:
  - {{name: platform, type: github, secretRef: kv://sluice/github}}
routes:
  - {{name: platform, source: {{url: https://github.com/contoso/platform, ref: refs/heads/main}}, action: pin}}
providers:
  - {{name: ops, type: msteams, addressRef: kv://sluice/teams}}
digests:
  - {digest}
"""


def a_world(digest: str = DAILY) -> FleetWorld:
    world = FleetWorld(config=load_text(CONFIG.format(digest=digest)))
    world.inventory.shown = [Sighting(cluster=a_cluster(number), configuration=seen(number)) for number in range(3)]
    return world


@pytest.fixture
def world() -> FleetWorld:
    return a_world()


def told(world: FleetWorld) -> list[Announcement]:
    return [delivery.announcements[0] for delivery in world.deliveries.kept.all()]


async def minutes(world: FleetWorld, count: int, *, each: float = 60) -> None:
    for _ in range(count):
        await world.send_digests()()
        world.clock.pass_(each)


async def test_a_day_s_digest_goes_out_once(world: FleetWorld) -> None:
    await world.sweep()
    await minutes(world, 30)
    assert told(world) == []
    await minutes(world, 90)
    [digest] = told(world)
    assert (digest.kind, digest.fields["period"], digest.fields["clusters"]) == ("digest.daily", "2026-11-23", 3)
    assert len(world.queue.messages(NOTIFICATIONS)) == 1
    [delivery] = world.deliveries.kept.all()
    assert (delivery.provider, delivery.state, delivery.due_at) == ("ops", "collecting", digest.at)


async def test_the_next_day_has_the_next_one(world: FleetWorld) -> None:
    await world.sweep()
    await minutes(world, 40, each=3600)
    assert [digest.fields["period"] for digest in told(world)] == ["2026-11-23", "2026-11-24"]


async def test_after_an_outage_the_newest_comes_late_and_once(world: FleetWorld) -> None:
    await world.sweep()
    await minutes(world, 1)
    world.clock.pass_(3 * 24 * 3600)
    await minutes(world, 100)
    assert [digest.fields["period"] for digest in told(world)] == ["2026-11-25", "2026-11-26"]


@pytest.mark.parametrize("die_at", [1, 2, 3, 4])
async def test_wherever_an_instance_dies_the_period_is_told_once(world: FleetWorld, die_at: int) -> None:
    await world.sweep()
    await minutes(world, 1)
    world.clock.pass_(3600)
    world.faults.writes, world.faults.die_at = 0, die_at
    try:
        await world.send_digests()()
    except Killed:
        pass
    else:
        assert die_at == 4, "record, message, mark"
    world.faults.die_at = None
    await minutes(world, 3)
    assert len(told(world)) == 1
    assert 1 <= len(world.queue.messages(NOTIFICATIONS)) <= 2, "the message may come twice: the one who posts it notices"


async def test_many_instances_at_once_tell_it_once(world: FleetWorld) -> None:
    await world.sweep()
    await minutes(world, 1)
    world.clock.pass_(3600)
    await asyncio.gather(*(world.send_digests()() for _ in range(8)))
    await minutes(world, 2)
    assert len(told(world)) == 1
    assert {message.delivery_id for message in world.queue.messages(NOTIFICATIONS)} == {told(world)[0].id}


async def test_what_was_sent_is_not_put_on_its_way_again_where_the_mark_was_lost(world: FleetWorld) -> None:
    await minutes(world, 1)
    world.clock.pass_(3600)
    await minutes(world, 1)
    [message] = world.queue.messages(NOTIFICATIONS)
    await world.post()(message)
    assert len(world.provider.sent) == 1
    world.digest_marks.kept.put("marks", Marks(marks={"fleet": Mark(since=NOW)}))
    await minutes(world, 3)
    assert len(world.queue.messages(NOTIFICATIONS)) == 1


async def test_one_that_cannot_be_made_is_tried_again_and_holds_up_no_other(world: FleetWorld) -> None:
    two = CONFIG.format(digest=DAILY) + "  - {name: other, provider: ops, schedule: daily, at: '13:30', timeZone: Europe/Berlin}\n"
    world.config = load_text(two)
    await minutes(world, 1)
    world.clock.pass_(3600)
    world.faults.fail_next = [Unavailable("no database", code="503")]
    await minutes(world, 1)
    assert [digest.fields["digest"] for digest in told(world)] == ["other"]
    await minutes(world, 1)
    assert {str(digest.fields["digest"]) for digest in told(world)} == {"fleet", "other"}


async def test_without_digests_nothing_is_written(world: FleetWorld) -> None:
    world.config = load_text("apiVersion: sluice/v1")
    await minutes(world, 2)
    assert world.faults.writes == 0


async def test_one_that_is_taken_out_and_put_back_has_missed_nothing(world: FleetWorld) -> None:
    with_it = world.config
    await minutes(world, 1)
    world.config = load_text("apiVersion: sluice/v1")
    await minutes(world, 1)
    world.clock.pass_(3600)
    world.config = with_it
    await minutes(world, 5)
    assert told(world) == []


async def test_when_all_is_well_it_is_short(world: FleetWorld) -> None:
    await world.sweep()
    world.clock.pass_(1800)
    made = await world.make_digest()(*due_now(world))
    assert made.title == "Daily digest fleet: all is well"
    assert made.summary == "22 Nov 13:30 to 23 Nov 13:30, Europe/Berlin."
    assert made.facts == (("Compliance", "100 % (3 of 3) ·············█ 14 days"), ("Clusters", "3, 3 connected"))
    assert (made.clusters, made.next_step) == ((), "")
    assert made.picture is not None
    assert (made.picture.png, made.picture.text) == (b"a picture", "100 % (3 of 3) ·············█ 14 days")
    assert [text for text, _ in made.links] == ["Fleet", "Rollouts"]
    [(points, start, end, zone)] = world.painted
    assert (len(points), start, end, zone) == (1, NOW - 14 * DAY, NOW, "Europe/Berlin")


def due_now(world: FleetWorld) -> Any:
    [section] = world.config.digests
    return section, last_period(section.when(), world.clock())


async def test_what_needs_people_comes_first(world: FleetWorld) -> None:
    world.inventory.shown[0] = Sighting(cluster=a_cluster(0, connectivity="Offline"), configuration=seen(0))
    world.inventory.shown[1] = Sighting(cluster=a_cluster(1), configuration=seen(1, compliance="Non-Compliant", message="no space"))
    await world.sweep()
    world.clock.pass_(1800)
    gate = a_gate(name="board", asked_at=NOW - 2 * HOUR)
    waiting = a_rollout(a_stage(), a_stage("prod", gates=(gate,)), current=1, id="abcdef0123456789", title="A new till")
    paused = a_rollout(id="paused", state="paused", reason="too many failures", route="shops")
    old = a_rollout(id="old", state="succeeded", created_at=NOW - 30 * DAY, updated_at=NOW - 20 * DAY)
    for rollout in (waiting, paused, old, a_rollout(id="done", state="succeeded", updated_at=NOW - HOUR)):
        world.rollouts.kept.put(rollout.id, rollout)
    world.secrets.ends = {"kv://sluice/teams": NOW + 5 * DAY, "kv://sluice/github": NOW - DAY}
    made = await world.make_digest()(*due_now(world))
    assert made.title == "Daily digest fleet: 1 approval waits, 1 rollout paused, 1 secret expired, 3 more"
    assert made.next_step == 'sluice approve abcdef01 board --stage prod --reason "..."'
    facts = dict(made.facts)
    assert list(facts) == ["Waiting for approval", "Rollouts", "Compliance", "Clusters", "Secrets"]
    assert facts["Waiting for approval"] == "platform / prod (board) since 23 Nov 11:00: A new till"
    assert facts["Rollouts"] == "shops paused since 23 Nov 13:00: too many failures; 1 finished, 1 running"
    assert facts["Compliance"].startswith("66.6 % (2 of 3)")
    assert facts["Secrets"] == (
        "kv://sluice/github expired 22 Nov 13:00 (used by receivers/platform); "
        "kv://sluice/teams expires 28 Nov 13:00 (used by providers/ops)"
    )
    assert [(line.name, line.reason) for line in made.clusters] == [
        ("cluster-000", "offline since 23 Nov 13:00"),
        ("cluster-001 / platform", "not compliant since 23 Nov 13:00: no space"),
    ]


async def test_drift_and_clusters_that_are_not_onboarded(world: FleetWorld) -> None:
    world.ask(0)
    world.ask(1)
    for number in (0, 1):
        world.inventory.shown[number] = Sighting(cluster=a_cluster(number), configuration=seen(number, branch="other"))
    await world.sweep()
    key = f"{a_cluster(9).id}"
    failed = new_progress(key, NOW - 2 * DAY)
    world.onboardings.kept.put(key, replace(failed, state="failed", reason="AuthorizationFailed"))
    made = await world.make_digest()(*due_now(world))
    facts = dict(made.facts)
    assert facts["Drift open"] == "2, the oldest cluster-000 / platform since 23 Nov 13:00 by someone unknown"
    assert facts["Not onboarded"] == "cluster-009: AuthorizationFailed"
    assert (made.title, made.next_step) == ("Daily digest fleet: 2 drifted, 1 cluster not onboarded", "sluice fleet --drift any")
    assert [line.reason for line in made.clusters] == ["drift (spec) since 23 Nov 13:00 by someone unknown"] * 2


async def test_what_is_old_has_its_days_and_its_year(world: FleetWorld) -> None:
    world.inventory.shown[0] = Sighting(cluster=a_cluster(0, connectivity="Offline"), configuration=seen(0))
    await world.sweep()
    world.clock.pass_(50 * 24 * 3600)
    await world.sweep()
    [line] = (await world.make_digest()(*due_now(world))).clusters
    assert line.reason == "offline since 23 Nov 2026 13:00 (50 days)"


async def test_clusters_beyond_ten_are_counted(world: FleetWorld) -> None:
    world.inventory.shown = [Sighting(cluster=a_cluster(number, connectivity="Expired")) for number in range(13)]
    await world.sweep()
    made = await world.make_digest()(*due_now(world))
    assert (len(made.clusters), made.more_clusters) == (10, 3)
    assert dict(made.facts)["Compliance"] == "nothing to judge"


async def test_clusters_that_have_left_azure(world: FleetWorld) -> None:
    await world.sweep()
    del world.inventory.shown[0]
    for _ in range(2):
        world.clock.pass_(2 * 3600)
        await world.sweep()
    world.clock.pass_(20 * 3600)
    facts = dict((await world.make_digest()(*due_now(world))).facts)
    assert facts["Clusters"] == "2, 2 connected, 1 gone from Azure"


async def test_a_paused_rollout_has_its_next_step_and_old_ones_that_are_open_are_told(world: FleetWorld) -> None:
    await world.sweep()
    for number in range(150):
        many = a_rollout(id=f"r{number}", state="succeeded", created_at=NOW - number * DAY, updated_at=NOW - number * DAY - 2 * HOUR)
        world.rollouts.kept.put(many.id, many)
    old = a_rollout(id="0123456789", state="paused", reason="a look", created_at=NOW - 400 * DAY)
    world.rollouts.kept.put(old.id, old)
    world.rollouts.listed = {old.id: old.created_at, "gone": old.created_at, "r0": NOW}
    made = await world.make_digest()(*due_now(world))
    assert dict(made.facts)["Rollouts"] == "platform paused since 23 Nov 13:00: a look; 1 finished"
    assert made.next_step == "sluice status, then resume, retry or rollback 01234567"


async def test_a_fleet_that_nobody_looks_at_is_told(world: FleetWorld) -> None:
    world.clock.pass_(1800)
    never = await world.make_digest()(*due_now(world))
    assert (never.title, never.picture) == ("Daily digest fleet: the fleet is not looked at", None)
    assert never.summary.endswith("The fleet was never looked at.")
    await world.sweep()
    world.clock.pass_(3 * 3600)
    assert (await world.make_digest()(*due_now(world))).summary.endswith("as of 23 Nov 13:30: nobody has looked at it since.")


async def test_a_secret_that_cannot_be_read_is_told(world: FleetWorld) -> None:
    await world.sweep()
    del world.secrets.known["kv://sluice/teams"]
    made = await world.make_digest()(*due_now(world))
    assert dict(made.facts)["Secrets"] == "kv://sluice/teams cannot be read: there is none (used by providers/ops)"
    world.secrets.down = Unavailable("no vault", code="503")
    assert "2 secrets cannot be read" in (await world.make_digest()(*due_now(world))).title


async def test_messages_that_reached_nobody_are_counted(world: FleetWorld) -> None:
    await world.sweep()
    await minutes(world, 1)
    world.clock.pass_(3600)
    await minutes(world, 1)
    [delivery] = world.deliveries.kept.all()
    world.deliveries.kept.put((delivery.channel, delivery.id), replace(delivery, state="failed"))
    made = await world.make_digest()(*due_now(world))
    assert dict(made.facts)["Undelivered"] == "1 message of the last 7 days reached nobody"


async def test_a_selector_has_a_trend_of_its_own() -> None:
    world = a_world("{name: prod, provider: ops, schedule: weekly, selector: {tags: {ring: prod}}}")
    world.inventory.shown[0] = Sighting(cluster=a_cluster(0, tags={"ring": "prod"}), configuration=seen(0))
    await world.sweep()
    assert sorted(trend.points[0].counts.clusters for trend in world.pages.trends.all()) == [1, 3]
    made = await world.make_digest()(*due_now(world))
    assert (made.kind, made.fields["clusters"]) == ("digest.weekly", 1)
    assert "12 weeks" in dict(made.facts)["Compliance"]


async def test_a_look_writes_a_point_only_when_the_quarter_of_the_day_turns(world: FleetWorld) -> None:
    for _ in range(13):  # from 12:00 to 18:30
        await world.sweep()
        world.clock.pass_(1800)
    await world.sweep()
    [trend] = world.pages.trends.all()
    assert [point.at for point in trend.points] == [NOW, NOW + 6 * HOUR]


async def test_what_was_is_told_beside_what_is(world: FleetWorld) -> None:
    await world.sweep()
    world.clock.pass_(24 * 3600)
    world.inventory.shown[0] = Sighting(cluster=a_cluster(0), configuration=seen(0, compliance="Non-Compliant"))
    world.inventory.shown.append(Sighting(cluster=a_cluster(7)))
    await world.sweep()
    world.clock.pass_(1800)
    facts = dict((await world.make_digest()(*due_now(world))).facts)
    assert facts["Compliance"].startswith("66.6 % (2 of 3), was 100 %")
    assert facts["Clusters"] == "4, 4 connected, 1 new"


async def test_people_look_without_waiting(world: FleetWorld) -> None:
    await world.sweep()
    found: dict[str, Any] = await world.report_digest()("fleet")
    assert (found["lastAt"], found["nextAt"]) == (None, "2026-11-23T12:30:00+00:00")
    assert found["preview"]["title"] == "Daily digest fleet: all is well"
    assert found["preview"]["summary"].startswith("22 Nov 13:30 to 23 Nov 13:00")
    assert world.deliveries.kept.all() == []
    await minutes(world, 60)
    assert (await world.report_digest()("fleet"))["lastAt"] == "2026-11-23T12:30:00+00:00"
    with pytest.raises(NotFound, match="no digest named other"):
        await world.report_digest()("other")


def test_now_is_what_the_tests_above_take_it_for() -> None:
    assert datetime.fromisoformat("2026-11-23T12:00:00+00:00") == NOW
