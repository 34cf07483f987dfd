"""What PagerDuty, Opsgenie and Event Grid are sent: their limits, and hostile texts in every field."""

import json
from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given
from texts import HOSTILE, announcements, strings

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.deliveries import Parcel
from shared.domain.errors import Rejected, Throttled, Unavailable
from shared.providers import opsgenie, pagerduty
from shared.providers.eventgrid import BATCH_LIMIT, EventGridProvider, batches
from shared.providers.means import Means
from shared.providers.one_by_one import one_by_one
from shared.providers.opsgenie import OpsgenieProvider
from shared.providers.pagerduty import PagerDutyProvider
from shared.providers.webhook import WebhookProvider

APP = "https://sluice.example"
FAILED = Announcement(
    id="1",
    kind="stage.failed",
    severity="error",
    title="Stage failed: platform / canary",
    summary="3 of 12 clusters failed",
    facts=(("Commit", "9fceb02d"),),
    clusters=(ClusterLine("shop-0001", "HealthCheckFailed"),),
    links=(("Rollout", f"{APP}/api/dashboard?rollout=r1"), ("Evil", "javascript:alert(1)")),
    subject="r1",
    next_step="sluice retry r1",
    fields={"rollout": "r1", "route": "platform", "stage": "canary"},
)


def test_pagerduty_is_told_what_where_and_what_to_do() -> None:
    event = pagerduty.render(FAILED, "opens", APP)
    assert event["event_action"] == "trigger"
    payload = event["payload"]
    assert payload["summary"] == FAILED.title
    assert (payload["source"], payload["severity"], payload["component"], payload["class"]) == (
        "shop-0001",
        "error",
        "platform",
        "stage.failed",
    )
    assert payload["custom_details"] == {
        "summary": "3 of 12 clusters failed",
        "next step": "sluice retry r1",
        "Commit": "9fceb02d",
        "clusters": ["shop-0001: HealthCheckFailed"],
        "rollout": "r1",
        "route": "platform",
        "stage": "canary",
    }
    assert event["links"] == [{"href": f"{APP}/api/dashboard?rollout=r1", "text": "Rollout"}]
    assert pagerduty.render(FAILED, "resolves", APP) == {"event_action": "resolve", "dedup_key": event["dedup_key"]}


@given(announcement=announcements)
def test_pagerduty_s_limits_hold(announcement: Announcement) -> None:
    event = pagerduty.render(announcement, "opens", APP)
    assert len(msgspec.json.encode(event)) + 100 <= pagerduty.BODY_LIMIT
    assert 0 < len(event["payload"]["summary"]) <= 1024
    assert 0 < len(event["dedup_key"]) <= 255
    assert event["payload"]["source"]
    assert event["payload"]["severity"] in ("info", "error")


def test_opsgenie_is_told_what_where_and_what_to_do() -> None:
    alert = opsgenie.render(FAILED)
    assert alert["message"] == FAILED.title
    assert alert["description"] == f"3 of 12 clusters failed\n\nsluice retry r1\n\nRollout: {APP}/api/dashboard?rollout=r1"
    assert alert["details"]["clusters"] == "shop-0001: HealthCheckFailed"
    assert (alert["entity"], alert["tags"], alert["source"]) == ("platform", ["stage.failed"], "Sluice")


@given(announcement=announcements)
def test_opsgenie_s_limits_hold(announcement: Announcement) -> None:
    alert = opsgenie.render(announcement)
    msgspec.json.encode(alert)
    assert 0 < len(alert["message"]) <= 130
    assert len(alert["description"]) <= 15_000
    assert len(alert["entity"]) <= 512
    assert all(len(tag) <= 50 for tag in alert["tags"])
    details = alert["details"]
    assert sum(len(name) + len(value) for name, value in details.items()) <= 8_000
    assert all(isinstance(value, str) for value in details.values())


def test_details_that_do_not_fit_are_left_out() -> None:
    many = msgspec.structs.replace(FAILED, facts=tuple((f"fact {n} {'x' * 50}", "y" * 500) for n in range(20)), fields={"z": "1" * 500})
    more = msgspec.structs.replace(many, fields={f"field {n} {'x' * 50}": "1" * 500 for n in range(20)})
    assert len(opsgenie.render(many)["details"]) > 10
    assert sum(len(name) + len(value) for name, value in opsgenie.render(more)["details"].items()) <= 8_000


def test_no_markup_of_chats_gets_through_on_call_services() -> None:
    """They pass what they are told on to chats of their own."""
    hostile = Announcement(
        id="1",
        kind="stage.failed",
        severity="error",
        title=HOSTILE,
        summary=HOSTILE,
        facts=((HOSTILE, HOSTILE),),
        clusters=(ClusterLine(HOSTILE, HOSTILE),),
        next_step=HOSTILE,
        fields={"route": HOSTILE},
    )
    for rendered in (pagerduty.render(hostile, "opens", APP), opsgenie.render(hostile)):
        assert not [text for text in strings(rendered) if "<!" in text or "<@" in text or "<at>" in text]


def test_a_batch_for_event_grid_is_at_most_a_megabyte_as_the_client_writes_it() -> None:
    wide = [
        msgspec.structs.replace(FAILED, id=str(n), clusters=tuple(ClusterLine("\u4f60" * 60, "\u597d" * 280) for _ in range(100)))
        for n in range(50)
    ]
    made = list(batches(wide, APP))
    assert len(made) > 1
    assert [told.id for batch in made for told, _ in batch] == [str(n) for n in range(50)]
    assert all(len(json.dumps([event for _, event in batch])) <= BATCH_LIMIT for batch in made)
    assert list(batches((), APP)) == []


@pytest.mark.parametrize("kind", [WebhookProvider, EventGridProvider, PagerDutyProvider, OpsgenieProvider])
def test_no_channel_is_made_without_what_it_needs(kind: type[WebhookProvider]) -> None:
    with pytest.raises(ValueError, match="needs"):
        kind(Means(None, address="https://x.example"))  # type: ignore[arg-type]  # nothing is sent


def test_means_are_not_shown() -> None:
    means = Means(None, address="https://secret.example", token="hunter2")  # type: ignore[arg-type]  # nothing is sent
    assert repr(means) == "Means()"


async def test_one_that_is_refused_does_not_hold_up_the_others() -> None:
    sent: list[str] = []

    async def send(announcement: Announcement) -> None:
        sent.append(announcement.id)
        if announcement.id == "2":
            raise Rejected("no", code="400")

    with pytest.raises(Rejected) as caught:
        await one_by_one([msgspec.structs.replace(FAILED, id=id_) for id_ in "123"], send)
    assert (sent, caught.value.taken) == (["1", "2", "3"], {"1", "3"})


@pytest.mark.parametrize("error", [Throttled("slow"), Rejected("gone", code="410")])
async def test_one_that_is_down_or_gone_is_left_alone(error: Exception) -> None:
    sent: list[str] = []

    async def send(announcement: Announcement) -> None:
        sent.append(announcement.id)
        if announcement.id == "2":
            raise error

    with pytest.raises(type(error)) as caught:
        await one_by_one([msgspec.structs.replace(FAILED, id=id_) for id_ in "123"], send)
    assert (sent, caught.value.taken) == (["1", "2"], {"1"})  # type: ignore[attr-defined]  # both are ours


class Topics:
    """Takes so many requests."""

    def __init__(self, takes: int) -> None:
        self.requests = 0
        self._takes = takes

    async def publish(self, topic: str, events: Sequence[Mapping[str, object]], *, key: str = "") -> None:
        self.requests += 1
        if self.requests > self._takes:
            raise Rejected("not allowed", code="Unauthorized", status=401)


async def test_of_several_batches_those_that_were_taken_are_told() -> None:
    lines = tuple(ClusterLine("\u4f60" * 60, "\u597d" * 280) for _ in range(100))
    many = [msgspec.structs.replace(FAILED, id=str(n), clusters=lines) for n in range(50)]
    first = [told.id for told, _ in next(iter(batches(many, APP)))]
    means = Means(None, address="https://t.example/api/events", source=APP, topics=Topics(1))  # type: ignore[arg-type]  # not by HTTP
    with pytest.raises(Unavailable) as caught:
        await EventGridProvider(means).post(Parcel(id="d1", announcements=tuple(many)))
    assert caught.value.taken == frozenset(first)


async def test_a_slow_channel_gets_the_rest_next_time() -> None:
    seconds = iter(range(0, 100, 5))

    async def send(announcement: Announcement) -> None:
        pass

    with pytest.raises(Throttled) as caught:
        await one_by_one([msgspec.structs.replace(FAILED, id=str(n)) for n in range(9)], send, now=lambda: next(seconds))
    assert (caught.value.retry_after, caught.value.taken) == (0, {"0", "1", "2"})
