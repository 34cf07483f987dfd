"""Which events an alert takes, which become one message, and when that goes out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders import NOW, at, resource_id
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.alerting import (
    GATHERED,
    GATHERED_AT_MOST,
    Rule,
    Trouble,
    due_at,
    group_of,
    interval_of,
    limits_of,
    quiet_until,
    selects,
    slot,
    takes,
    takes_kind,
)
from shared.domain.announcements import Announcement, ClusterLine, Field, join
from shared.domain.clusters import Traits, traits_of
from shared.domain.deliveries import MOST_TOLD, Delivery, Limits, add, after_success, gather, has, is_full, take
from shared.domain.endings import are_wanted
from shared.domain.event_fields import of_cluster
from shared.domain.selectors import Selector
from shared.domain.windows import Window

NIGHT = Window(time_zone="UTC", days=tuple(range(7)), start="22:00", end="06:00")
EVENING, MORNING = NOW.replace(hour=23), NOW.replace(hour=6) + timedelta(days=1)


def a_rule(**fields: Any) -> Rule:
    return Rule(**{"name": "all", "provider": "ops"} | fields)


def an_event(name: str = "a", **fields: Any) -> Announcement:
    values: dict[str, Any] = {"id": name, "kind": "stage.failed", "severity": "error", "title": name, "summary": "", "at": NOW}
    return Announcement(**values | fields)


def of_one(number: int, **fields: Any) -> Announcement:
    """An event that many clusters may have at once."""
    line = ClusterLine(name=f"cluster-{number}", reason="down")
    values: dict[str, Any] = {"kind": "target.failed", "many": "{n} clusters failed", "clusters": (line,)}
    return an_event(f"e-{number}", **values | fields)


PROD = of_cluster(resource_id(1), Traits(location="westeurope", distribution="k3s", tags={"ring": "prod"}))


@pytest.mark.parametrize(
    ("rule", "taken"),
    [
        ({}, True),
        ({"severity": "error"}, True),
        ({"events": ("rollout.*",)}, False),
        ({"events": ("rollout.*", "stage.*")}, True),
        ({"routes": ("shop",)}, False),
        ({"routes": ("plat*",)}, True),
        ({"include": 'event.route == "platform"'}, True),
        ({"include": 'event.route == "shop"'}, False),
        ({"exclude": 'event.route == "platform"'}, False),
        ({"include": "true", "exclude": "event.failed > 3"}, True),
        ({"selector": Selector(tags={"ring": "canary"})}, False),
        ({"selector": Selector(tags={"ring": "prod"}, location="west*")}, True),
    ],
)
def test_an_alert_takes_what_it_asks_for(rule: dict[str, Any], taken: bool) -> None:
    event = an_event(fields={**PROD, "route": "platform", "failed": 2})
    assert takes(a_rule(**rule), event, "platform") == (taken, [])
    if rule.get("severity") == "error":
        assert takes(a_rule(**rule), an_event(severity="info"), "") == (False, [])


def test_a_mistake_in_a_filter_silences_nothing() -> None:
    """What cannot be computed is told. A tag that is not there is no mistake: such an event is not what is asked for."""
    broken, missing = "event.total / event.failed > 1", 'event.tags.owner == "shop"'
    trouble, lack = "divides by zero", "asks for a tag that the event does not have"
    event = an_event()
    assert takes(a_rule(include=broken), event, "") == (True, [Trouble(field="include", reason=trouble)])
    assert takes(a_rule(exclude=broken), event, "") == (True, [Trouble(field="exclude", reason=trouble)])
    assert takes(a_rule(include=missing), event, "") == (False, [Trouble(field="include", reason=lack)])
    assert takes(a_rule(exclude=missing), event, "") == (True, [Trouble(field="exclude", reason=lack)])
    unknown = Trouble(field="include", reason="asks for a tag of a cluster whose tags are not known")
    assert takes(a_rule(include=missing), an_event(fields=of_cluster(resource_id(1))), "") == (True, [unknown])
    assert takes(a_rule(include=missing), an_event(fields=PROD), "") == (False, [Trouble(field="include", reason=lack)])


@pytest.mark.parametrize(
    ("selector", "fields", "expected"),
    [
        (Selector(tags={"ring": "prod"}), {}, True),  # about no cluster
        (Selector(tags={"ring": "canary"}), PROD, False),
        (Selector(resource_group="edge", cluster="cluster-0*", configuration="platform"), PROD, True),
        (Selector(configuration="shop"), PROD, False),
        (Selector(subscription="sub-2"), PROD, False),
        (Selector(tags={"ring": "canary"}, location="north"), of_cluster(resource_id(1)), True),  # nothing is known of these
        (Selector(cluster="other"), of_cluster(resource_id(1)), False),
    ],
)
def test_a_selector_keeps_back_only_what_is_known_to_be_another_cluster(
    selector: Selector,
    fields: dict[str, Field],
    expected: bool,
) -> None:
    assert selects(selector, fields) is expected


def test_what_happens_to_every_cluster_is_for_programs_and_those_who_ask_for_it() -> None:
    assert not takes_kind(a_rule(), "target.compliant", "info")
    assert takes_kind(a_rule(is_for_programs=True), "target.compliant", "info")
    assert takes_kind(a_rule(events=("*", "target.*")), "target.compliant", "info")
    assert are_wanted([a_rule(severity="error"), a_rule()], ["target.compliant", "target.recovered"])
    assert not are_wanted([a_rule(severity="error")], ["target.compliant", "target.recovered"])
    assert not are_wanted([a_rule()], [])
    assert limits_of(a_rule(maximum=7)) == Limits(announcements=7)
    assert limits_of(a_rule(is_for_programs=True)).by_name


def test_quiet_hours_hold_back_and_errors_only_where_they_are_to() -> None:
    rule = a_rule(quiet=(NIGHT,))
    assert quiet_until(rule, "error", NOW) is None
    assert quiet_until(rule, "info", EVENING) == MORNING
    assert quiet_until(rule, "error", EVENING) == MORNING
    lets_through = a_rule(quiet=(NIGHT,), holds_errors=False)
    assert quiet_until(lets_through, "error", EVENING) is None
    assert due_at(rule, "info", EVENING, timedelta(0)) == MORNING
    assert due_at(rule, "info", NOW.replace(hour=21, minute=59), timedelta(minutes=2)) == MORNING
    assert due_at(lets_through, "error", EVENING, GATHERED) == EVENING + GATHERED
    holidays = a_rule(quiet=(Window(time_zone="UTC", first="2026-11-01T00:00", last="2026-12-24T00:00"),))
    assert due_at(holidays, "info", NOW, GATHERED) == NOW + GATHERED + timedelta(days=6)
    always = a_rule(quiet=(Window(time_zone="UTC", days=tuple(range(7)), start="00:00", end="00:00"),))
    assert due_at(always, "info", NOW, GATHERED) == NOW + GATHERED


def group(rule: Rule, event: Announcement, moment: datetime | None = NOW, **values: str) -> tuple[str, ...]:
    return group_of(rule, event, values, moment)


def test_what_is_alike_is_one_group() -> None:
    rule, waits = a_rule(), a_rule(interval=timedelta(seconds=30))
    values = {"rollout": "r", "stage": "0"}
    assert group(rule, an_event("a"), **values) != group(rule, an_event("b"), **values)
    assert group(waits, an_event("a"), **values) == group(waits, an_event("b"), **values)
    assert group(waits, an_event("a"), **values) != group(waits, an_event("a"), rollout="r", stage="1")
    assert group(waits, an_event("a")) != group(waits, an_event("a"), NOW + timedelta(days=1))
    assert group(waits, an_event("a")) == group(waits, an_event("b"), at(3599))
    assert group(rule, of_one(1)) == group(rule, of_one(2, kind="cluster.offline"))
    for timeless in (group(a_rule(quiet=(NIGHT,)), of_one(1), None), group(waits, an_event("a"), None)):
        assert not any("2026" in part for part in timeless)
    program = a_rule(is_for_programs=True)
    assert group(program, of_one(1), batch="x") == group(program, of_one(2), batch="x")
    assert group(program, of_one(1)) != group(program, of_one(2))
    assert group(rule, of_one(1), reminder="t") != group(rule, of_one(1))


def test_a_night_is_one_group_whatever_happens_in_it() -> None:
    rule = a_rule(quiet=(NIGHT,), holds_errors=False)
    night = group(rule, an_event("a", severity="info"), EVENING)
    assert night == group(rule, of_one(1, severity="info"), EVENING + timedelta(hours=3))
    assert night != group(rule, an_event("a"), EVENING)
    assert group(a_rule(quiet=(NIGHT,)), an_event("a"), EVENING) == group(a_rule(quiet=(NIGHT,)), of_one(3), EVENING)


def test_a_storm_is_gathered_longer_and_longer_while_it_lasts() -> None:
    def length(now: datetime, before: Delivery | None) -> timedelta:
        return interval_of(a_rule(), of_one(1), before, now)

    before, now, lengths = None, NOW, []
    for _ in range(8):
        lengths.append(length(now, before))
        before = Delivery(id="d", channel="c", provider="ops", created_at=now, due_at=now + lengths[-1])
        now = before.due_at + timedelta(seconds=1)
    assert [each / timedelta(minutes=1) for each in lengths] == [2, 4, 8, 16, 32, 60, 60, 60]
    assert length(now + 3 * GATHERED_AT_MOST, before) == GATHERED
    assert interval_of(a_rule(), an_event(), before, now) == timedelta(0)
    assert interval_of(a_rule(interval=GATHERED), of_one(1), before, now) == GATHERED
    assert interval_of(a_rule(is_for_programs=True), of_one(1), before, now) == timedelta(0)


def test_reminders_come_at_one_moment_for_all() -> None:
    every = timedelta(hours=4)
    assert {slot(every, NOW + timedelta(minutes=minutes)) for minutes in range(239)} == {datetime(2026, 11, 23, 12, tzinfo=UTC)}


def test_joined_is_what_both_have() -> None:
    one, other = (
        of_one(1, subject="r", fields={"rollout": "r", "stage": "a"}),
        of_one(2, subject="r", fields={"rollout": "r", "stage": "b"}),
    )
    both = join(one, other)
    assert both is not None
    assert (both.title, both.subject, both.fields) == ("2 clusters failed", "r", {"rollout": "r", "count": 2})
    assert join(one, of_one(2, fields={"rollout": "s"})) is None
    assert join(one, of_one(2, severity="info", fields={"rollout": "r"})) is None
    apart = join(of_one(1, subject="a", at=at(5)), of_one(2, subject="b", at=at(3)))
    assert apart is not None
    assert (apart.subject, apart.at) == ("", at(3))
    assert join(one, other, most=1, by_name=True) is None


def test_a_program_is_told_every_name() -> None:
    delivery = Delivery(id="d", channel="c", provider="ops", created_at=NOW, due_at=NOW)
    gathered, left = gather(delivery, [of_one(number) for number in range(250)], limits_of(a_rule(is_for_programs=True)))
    assert (left, [len(each.clusters) for each in gathered.announcements]) == ([], [25] * 10)


def test_one_message_remembers_no_more_than_a_document_holds() -> None:
    known = of_one(0, others=tuple(str(number) for number in range(MOST_TOLD)))
    full = Delivery(id="d", channel="c", provider="ops", created_at=NOW, due_at=NOW, announcements=(known,))
    assert add(full, of_one(1)) is None
    assert is_full(full, Limits(announcements=1))


EVENTS = st.one_of(
    st.integers(0, 30).map(of_one),
    st.integers(0, 30).map(lambda number: an_event(f"a-{number}")),
    st.integers(0, 9).map(lambda number: of_one(100 + number, kind="cluster.offline", many="{n} clusters offline")),
)


@given(st.lists(st.tuples(st.lists(EVENTS, max_size=12), st.booleans()), max_size=12), st.integers(1, 5), st.booleans())
def test_each_event_is_told_once_in_any_order_and_however_often_it_comes(
    rounds: list[tuple[list[Announcement], bool]],
    maximum: int,
    by_name: bool,
) -> None:
    """Messages of one group, one after the other, of which some are on their way or sent when more comes."""
    limits = Limits(announcements=maximum, clusters=3, by_name=by_name)
    deliveries: list[Delivery] = []
    for events, goes_out in rounds:
        rest, window = events, 0
        while rest:
            if window == len(deliveries):
                deliveries.append(Delivery(id=str(window), channel="c", provider="ops", created_at=NOW, due_at=NOW))
            deliveries[window], left = gather(deliveries[window], rest, limits)
            rest, window = left, window + 1
        if goes_out and deliveries:
            deliveries[-1] = after_success(take(deliveries[-1], NOW) or deliveries[-1])
    told = [each for delivery in deliveries for known in delivery.announcements for each in (known.id, *known.others)]
    assert sorted(told) == sorted({event.id for events, _ in rounds for event in events})
    assert all(len(delivery.announcements) <= maximum for delivery in deliveries)
    named = [known for delivery in deliveries for known in delivery.announcements if known.many]
    assert all(len(known.clusters) + known.more_clusters == len(known.others) + 1 for known in named)
    assert all(has(delivery, known.id) for delivery in deliveries for known in delivery.announcements)


@given(st.integers(0, 525_600).map(lambda minutes: NOW + timedelta(minutes=minutes)), st.sampled_from(["info", "error"]), st.booleans())
def test_what_is_held_back_goes_out_when_the_hours_end(moment: datetime, severity: str, holds: bool) -> None:
    rule = a_rule(quiet=(NIGHT,), holds_errors=holds)
    due = due_at(rule, severity, moment, GATHERED)
    assert moment + GATHERED <= due <= moment + GATHERED + timedelta(hours=8)
    assert quiet_until(rule, severity, due) is None
    assert (due.hour, due.minute) == (6, 0) or due == moment + GATHERED


def test_of_a_cluster_s_tags_those_are_kept_that_have_room() -> None:
    class Seen:
        location, distribution, kubernetes_version = "westeurope", "k3s", "1.31"
        tags = {"a": "1", "b": "x" * 2000, "c": "3"}

    assert traits_of(Seen()).tags == {"a": "1"}
