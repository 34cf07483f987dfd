"""Announcements as programs get them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.azure_events import FAMILIES
from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.cloud_events import EVENT_LIMIT, TYPE_PREFIX, clean, cloud_event, event_id, subject_of
from shared.domain.event_catalogue import EVENTS
from shared.domain.event_schema import events_schema, example

APP = "https://sluice.example"
AT = datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=1)))
FAILED = Announcement(
    id="r1.stage.failed.0",
    kind="stage.failed",
    severity="error",
    title="Stage failed: platform / canary",
    summary="3 of 12 clusters failed",
    facts=(("Commit", "9fceb02d"),),
    clusters=(ClusterLine("shop-0001", "not \u201eready\u201c", "/subscriptions/s/shop-0001"),),
    more_clusters=2,
    links=(("Rollout", f"{APP}/api/dashboard?rollout=r1"),),
    at=AT,
    subject="r1",
    next_step="look at it",
    fields={**example("stage.failed")["data"]["fields"], "rollout": "r1", "revision": "9fceb02d", "failed": 3},
)
VALIDATOR = jsonschema.Draft202012Validator(events_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)

texts = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=[]), max_size=200),
    st.sampled_from(['"\\' * 3000, "\U0001f600" * 5000, "\x00\ud800\u202e<script>", "{{7*7}} ${jndi:x} \r\n\r\nX-Evil: 1", ""]),
)
announcements = st.builds(
    Announcement,
    id=st.text(max_size=40),
    kind=st.sampled_from(list(EVENTS)),
    severity=st.sampled_from(["info", "error"]),
    title=texts,
    summary=texts,
    facts=st.lists(st.tuples(texts, texts), max_size=15).map(tuple),
    clusters=st.lists(st.builds(ClusterLine, name=texts, reason=texts), max_size=3).flatmap(
        lambda some: st.integers(0, 40).map(lambda times: tuple(some * times))
    ),
    more_clusters=st.integers(0, 10**7),
    links=st.lists(st.tuples(texts, st.one_of(texts, st.sampled_from(["https://e/" + "x" * 580, "https://e/x"]))), max_size=8).map(tuple),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
    subject=texts,
    next_step=texts,
    fields=st.dictionaries(texts, texts | st.integers(0, 2**53), max_size=25),
)


def test_an_event_says_what_where_and_when() -> None:
    event = cloud_event(FAILED, APP)
    assert event == {
        "specversion": "1.0",
        "id": event_id(FAILED),
        "source": APP,
        "type": "sluice.stage.failed",
        "subject": "rollouts/r1/stages/canary",
        "time": "2026-03-02T09:30:00Z",
        "datacontenttype": "application/json",
        "data": {
            "severity": "error",
            "title": "Stage failed: platform / canary",
            "summary": "3 of 12 clusters failed",
            "nextStep": "look at it",
            "thread": "r1",
            "facts": [{"label": "Commit", "value": "9fceb02d"}],
            "clusters": [{"name": "shop-0001", "reason": "not \u201eready\u201c", "id": "/subscriptions/s/shop-0001"}],
            "moreClusters": 2,
            "links": [{"text": "Rollout", "url": f"{APP}/api/dashboard?rollout=r1"}],
            "fields": FAILED.fields,
        },
    }
    VALIDATOR.validate(event)


def test_an_id_is_of_the_announcement_alone() -> None:
    again = replace(FAILED, title="other", clusters=(), at=None)
    assert event_id(FAILED) == event_id(again) != event_id(replace(FAILED, id="r1.stage.failed.1"))
    assert event_id(FAILED).startswith("evt_")
    assert "." not in event_id(FAILED)


def test_without_a_time_and_a_place_an_event_has_neither() -> None:
    event = cloud_event(replace(FAILED, at=None, fields={}), APP)
    assert not {"time", "subject"} & set(event)


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"rollout": "r1"}, "rollouts/r1"),
        ({"stage": "canary", "rollout": "r1", "gate": "qa"}, "rollouts/r1/stages/canary/gates/qa"),
        ({"rollout": "r1", "stage": "", "route": "platform"}, "rollouts/r1"),
        ({"route": "platform"}, "routes/platform"),
        ({"cluster": "shop 1/../x", "fluxConfiguration": "apps"}, "clusters/shop%201%2F..%2Fx/configurations/apps"),
        ({"failed": 3}, ""),
    ],
)
def test_a_subject_is_a_path(fields: dict[str, Any], subject: str) -> None:
    assert subject_of(replace(FAILED, fields=fields)) == subject


def test_a_subject_is_not_cut_within_a_character() -> None:
    for shift in range(12):
        subject = subject_of(replace(FAILED, fields={"rollout": "r" * shift, "cluster": "\u00fc" * 500}))
        assert len(subject) <= 400
        assert subject.rpartition("%")[2] == "BC" or len(subject.rpartition("%")[2]) == 2


def test_a_message_s_worth_of_clusters_is_named_in_full() -> None:
    """As many as a message for a program joins, with ARM ids as long as they usually are."""
    lines = tuple(ClusterLine(f"shop-{n:04}", "HealthCheckFailed: timeout " + "x" * 500, f"/{'x' * 240}/shop-{n:04}") for n in range(25))
    tags = {f"tag-{n}": "a value" for n in range(15)}
    data = cloud_event(replace(FAILED, clusters=lines, more_clusters=0, fields={**FAILED.fields, "tags": tags}), APP)["data"]
    assert [line["id"] for line in data["clusters"]] == [line.id for line in lines]
    assert data["moreClusters"] == 0
    assert data["fields"]["tags"] == tags


def test_an_id_that_would_be_cut_is_left_out() -> None:
    for wrong in ("/" + "x" * 600, "shop-1", "/a b"):
        assert "id" not in cloud_event(replace(FAILED, clusters=(ClusterLine("a", "b", wrong),)), APP)["data"]["clusters"][0]


def test_many_clusters_are_counted() -> None:
    many = replace(FAILED, clusters=tuple(ClusterLine(f"shop-{n:04}", "x" * 1000) for n in range(100)), more_clusters=900)
    event = cloud_event(many, APP)
    data = event["data"]
    assert 10 <= len(data["clusters"]) < 100
    assert len(data["clusters"]) + data["moreClusters"] == 1000
    assert data["summary"] == FAILED.summary


def test_the_longest_of_all_events_fits() -> None:
    wide = "\U0001f600" * 5000
    longest = replace(
        FAILED,
        title=wide,
        summary=wide,
        next_step=wide,
        subject=wide,
        facts=((wide, wide),) * 50,
        links=((wide, "https://e/" + "x" * 590),) * 50,
        fields={"rollout": wide, "stage": wide, "tags": {f"{n}{wide}": wide for n in range(90)}, **{f"{n}{wide}": wide for n in range(50)}},
    )
    assert 10_000 < len(msgspec.json.encode(cloud_event(longest, APP))) <= EVENT_LIMIT


@given(announcement=announcements)
def test_any_event_fits_and_is_valid(announcement: Announcement) -> None:
    event = cloud_event(announcement, APP)
    body = msgspec.json.encode(event)
    assert len(body) <= EVENT_LIMIT
    read = json.loads(body)
    assert read["data"]["moreClusters"] + len(read["data"]["clusters"]) == announcement.more_clusters + len(announcement.clusters)
    assert all(link["url"].startswith(("http://", "https://")) for link in read["data"]["links"])
    if announcement.at and announcement.at.year >= 1000:  # what jsonschema takes for a date
        assert datetime.fromisoformat(read["time"]) == announcement.at
    for error in VALIDATOR.iter_errors({key: value for key, value in read.items() if key != "time"}):
        assert "severity" in error.json_path or "fields" in error.json_path, error


@given(text=st.text(alphabet=st.characters(exclude_categories=[]), max_size=60), length=st.integers(1, 50))
def test_a_text_stays_text_within_its_length(text: str, length: int) -> None:
    cut = clean(text, length)
    cut.encode()
    assert len(cut) <= length
    assert not any(ord(character) < 32 and character not in "\t\n" for character in cut)
    if text.isprintable() and len(text) <= length:
        assert cut == text


def test_no_type_of_ours_is_one_that_comes_from_azure() -> None:
    assert not [name for name in FAMILIES if name.lower().startswith(TYPE_PREFIX)]
    assert not {f"{TYPE_PREFIX}{kind}" for kind in EVENTS} & set(FAMILIES)
