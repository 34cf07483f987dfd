"""Programs and on-call services are told: what is theirs, each once, and as the schema of events says."""

from collections import Counter
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from builders import at
from fakes import FakeProvider
from test_fleet_of_fifty import Fleet
from test_storms import CLUSTERS, Thousand
from test_storms import CONFIG as THOUSAND
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.domain.announcements import Announcement
from shared.domain.cloud_events import cloud_event
from shared.domain.deliveries import Parcel
from shared.domain.errors import Rejected, Unavailable
from shared.domain.event_catalogue import EVENTS
from shared.domain.event_schema import events_schema

PAGER = "providers:\n  - {name: ops, type: pagerduty, tokenRef: kv://sluice/teams}\n"
BEFORE = CONFIG.partition("providers:")[0]
VALIDATOR = jsonschema.Draft202012Validator(events_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def told(kind: str, **fields: Any) -> Announcement:
    values: dict[str, Any] = {"id": kind, "kind": kind, "severity": "info", "title": kind, "summary": "", "subject": "r1"}
    return Announcement(**values | fields)


FAILED = told("stage.failed", severity="error")


async def post_what_is_due(world: World) -> None:
    for sent in world.queue.visible():
        world.queue.waiting.remove(sent)
        await world.deliver(sent.queue, sent.message)


def posted(world: World) -> list[str]:
    return [announcement.kind for post in world.provider.sent for announcement in post]


@pytest.mark.parametrize("rule", ["", ", severity: error", ", severity: error, events: [stage.failed]"])
async def test_who_is_on_call_hears_of_trouble_and_of_its_end_and_of_nothing_else(world: World, rule: str) -> None:
    world.config = load_text(f"{BEFORE}{PAGER}alerts:\n  - {{name: all, provider: ops{rule}}}\n")
    for announcement in (told("rollout.started"), FAILED, told("gate.waiting"), told("rollout.succeeded")):
        await world.tell()(announcement, route="platform")
    await post_what_is_due(world)
    assert posted(world) == ["stage.failed", "rollout.succeeded"]


async def test_trouble_that_ends_is_told_at_once_and_a_storm_of_what_does_not_end_is_gathered(world: World) -> None:
    world.config = load_text(f"{BEFORE}{PAGER}alerts:\n  - {{name: all, provider: ops}}\n")
    failed = told("target.failed", severity="error", many="{n} clusters failed")
    await world.tell()(failed, route="platform", group={"rollout": "r1", "batch": "b1"})
    for number in range(3):
        await world.tell()(told("flux.alert", id=f"f{number}", severity="error", many="{n} fail", subject=f"c{number}"))
    await post_what_is_due(world)
    assert posted(world) == ["target.failed"]
    world.clock.pass_(120)
    await post_what_is_due(world)
    assert [one.title for one in world.provider.sent[-1]] == ["3 fail"]


async def test_who_is_on_call_for_one_route_hears_nothing_of_another(world: World) -> None:
    world.config = load_text(f"{BEFORE}{PAGER}alerts:\n  - {{name: all, provider: ops, routes: [platform]}}\n")
    for announcement in (FAILED, told("rollout.succeeded")):
        await world.tell()(announcement, route="tills")
    assert not world.deliveries.kept.all()


class OneAtATime(FakeProvider):
    """Takes so many announcements, and then fails."""

    def __init__(self, error: Exception, takes: int) -> None:
        super().__init__()
        self._error = error
        self._takes = takes

    async def post(self, parcel: Parcel) -> None:
        self.sent.append(parcel.announcements[: self._takes])
        if len(parcel.announcements) > self._takes:
            self._error.taken = frozenset(one.id for one in parcel.announcements[: self._takes])  # type: ignore[attr-defined]  # both are ours
            raise self._error


GROUPED = "alerts:\n  - {name: grouped, provider: ops, group: {by: [rollout], interval: 30s}}\n"


async def test_what_a_channel_took_before_it_failed_is_not_sent_again(world: World) -> None:
    world.config = load_text(CONFIG.partition("alerts:")[0] + GROUPED)
    world.provider = OneAtATime(Unavailable("down"), takes=2)
    for number in range(5):
        await world.tell()(told(f"stage.n{number}"), group={"rollout": "r1"})
    for second in (30, 60, 90, 120):
        world.clock.now = at(second)
        await post_what_is_due(world)
    assert posted(world) == [f"stage.n{number}" for number in range(5)]
    (delivery,) = world.deliveries.kept.all()
    assert delivery.state == "sent"

    await world.tell()(told("stage.n0"), group={"rollout": "r1"})
    assert len(world.deliveries.kept.all()) == 1, "what was taken is still known as told"


async def test_of_what_is_refused_only_what_nobody_took_stands_in_the_audit_trail(world: World) -> None:
    world.config = load_text(CONFIG.partition("alerts:")[0] + GROUPED)
    world.provider = OneAtATime(Rejected("no"), takes=1)
    for name in ("stage.a", "stage.b"):
        await world.tell()(told(name), group={"rollout": "r1"})
    world.clock.now = at(30)
    await post_what_is_due(world)
    (entry,) = [link.entry async for link in world.audit.read() if link.entry]
    assert (entry.action, entry.detail["titles"]) == ("notification.failed", "stage.b")


def check(announcement: Announcement) -> None:
    """Against the schema, and against what the catalogue says of its fields."""
    event = cloud_event(announcement, "https://sluice.example")
    VALIDATOR.validate(event)
    known = EVENTS[announcement.kind]
    fields = set(event["data"]["fields"])
    assert set(known.fields) <= fields <= {*known.fields, *known.of_one, "count"}
    if len(announcement.clusters) == 1 and known.of_one and "rollout" not in known.fields:
        assert {"cluster", "clusterId"} <= fields


async def test_all_events_of_rollouts_are_as_the_schema_says() -> None:
    """Of one that succeeds, and of one of which a stage fails."""
    kinds: list[str] = []
    for broken in ((), range(8)):
        fleet = Fleet(1, broken=set(broken))
        await fleet.push(1)
        await fleet.run(3600)
        for announcement in (announcement for post in fleet.world.provider.sent for announcement in post):
            check(announcement)
            kinds.append(announcement.kind)
    assert {"rollout.started", "stage.succeeded", "stage.failed", "rollout.succeeded"} <= set(kinds)


async def test_all_events_of_a_thousand_clusters_are_as_the_schema_says_and_name_each() -> None:
    webhook = THOUSAND.replace("type: msteams, addressRef", "type: webhook, address: https://hooks.example, tokenRef")
    assert webhook != THOUSAND
    thousand = Thousand(webhook)
    await thousand.push()
    await thousand.run(timedelta(minutes=40))
    told = [announcement for post in thousand.world.provider.sent for announcement in post]
    for announcement in told:
        check(announcement)
    named = Counter(line.id for one in told if one.kind in ("target.compliant", "target.failed") for line in one.clusters)
    assert (len(named), set(named.values())) == (CLUSTERS, {1})
    assert {"target.failed", "target.compliant", "configuration.non-compliant"} <= {one.kind for one in told}
