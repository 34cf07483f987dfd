"""Programs and who is on call hear of rollouts: signed, as CloudEvents, each event once and under the same id everywhere."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

import jsonschema
import pytest
import pytest_asyncio
from conftest import Start
from playground import Playground, Push
from standardwebhooks.webhooks import Webhook
from waiting import eventually

from shared.domain.event_schema import events_schema

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
PROVIDERS = """\
  - {{name: hook, type: webhook, address: "{azure}/hooks/sluice", tokenRef: kv://sluice/hook}}
  - {{name: topic, type: eventgrid, address: "{azure}/topics/sluice/api/events"}}
  - {{name: pager, type: pagerduty, address: "{azure}/hooks/pagerduty", tokenRef: kv://sluice/pagerduty}}
  - {{name: genie, type: opsgenie, address: "{azure}/hooks/opsgenie", tokenRef: kv://sluice/opsgenie}}

alerts:
  - {{name: hook, provider: hook}}
  - {{name: topic, provider: topic}}
  - {{name: pager, provider: pager, severity: error}}
  - {{name: genie, provider: genie}}
"""

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=20, canary_share=0.25)
    for name, value in (("hook", SECRET), ("pagerduty", "r" * 32), ("opsgenie", "a-key")):
        await play.azure.put(f"secrets/{name}", {"value": value})
    play.configure("\nalerts:\n", PROVIDERS.format(azure=play.stack.azure))
    play.configure("success: {complianceWithin", "success: {grace: 1s, complianceWithin")
    return play


async def pages(play: Playground) -> list[Json]:
    """What PagerDuty was sent, oldest first."""
    return [json.loads(one["raw"]) for one in await hooked(play, "pagerduty/v2/enqueue")]


async def hooked(play: Playground, name: str) -> list[Json]:
    return [one for one in await play.azure.get("messages", channel="hooks") if one["name"].startswith(name)]


async def published(play: Playground, rollout: str) -> list[Json]:
    return [body for body in await play.azure.messages("eventgrid") if body["data"]["thread"] == rollout]


async def posted(play: Playground, rollout: str) -> list[Json]:
    """The events that the webhook took, each with its signature verified."""
    events = []
    for one in await hooked(play, "sluice"):
        headers = {name.lower(): value for name, value in one["headers"].items()}
        event = Webhook(SECRET).verify(one["raw"], headers)
        assert headers["webhook-id"] == event["id"]
        events.append(event)
    return [event for event in events if event["data"]["thread"] == rollout]


def named(events: list[Json]) -> int:
    return sum(len(event["data"]["clusters"]) for event in events if event["type"] == "sluice.target.compliant")


async def told(play: Playground, push: Push, last: str) -> tuple[list[Json], list[Json]]:
    """What webhook and topic got of the push's rollout, once both have the event of the kind `last`."""
    rollout = (await play.summary(push))["id"]

    async def look() -> tuple[list[Json], list[Json]] | None:
        both = await posted(play, rollout), await published(play, rollout)
        return both if all(last in [event["type"] for event in events] and named(events) == 20 for events in both) else None

    found = await eventually(look, f"both channels got {last}", within_seconds=30)
    assert found is not None
    return found


def timed(event: Json) -> Json:
    """Microsoft's client writes no zeros at the end of a fraction of a second: the same time in other letters."""
    return {**event, "time": datetime.fromisoformat(event["time"])}


async def test_a_rollout_is_told_to_programs_each_event_once(play: Playground) -> None:
    await play.azure.fail_requests("POST", "/hooks/sluice", status=503, times=1)
    await play.azure.fail_requests("POST", "/topics/sluice", status=429, times=1, retryAfter=1)
    push = await play.push()
    await play.ended(push)
    hook, topic = await told(play, push, "sluice.rollout.succeeded")
    rollout = await play.summary(push)

    canary, prod = (f"rollouts/{rollout['id']}/stages/{stage}" for stage in ("canary", "prod"))
    whole = f"rollouts/{rollout['id']}"
    expected = [
        ("sluice.rollout.started", whole),
        ("sluice.stage.succeeded", canary),
        ("sluice.stage.succeeded", prod),
        ("sluice.rollout.succeeded", whole),
    ]
    for events in (hook, topic):
        of_stages = [event for event in events if event["type"] != "sluice.target.compliant"]
        in_order = sorted(of_stages, key=lambda event: (datetime.fromisoformat(event["time"]), event["type"] != "sluice.stage.succeeded"))
        assert [(event["type"], event["subject"]) for event in in_order] == expected
        for event in events:
            jsonschema.Draft202012Validator(events_schema()).validate(event)
            assert event["source"] == play.stack.host
            assert event["data"]["fields"]["revision"] == push.commit
    assert {event["id"]: timed(event) for event in hook} == {event["id"]: timed(event) for event in topic}
    assert len({event["id"] for event in hook}) == len(hook)
    names = Counter(
        cluster["name"] for event in hook if event["type"] == "sluice.target.compliant" for cluster in event["data"]["clusters"]
    )
    assert names == dict.fromkeys(await play.azure.clusters(), 1)
    for service in ("pagerduty", "opsgenie"):
        await eventually(lambda service=service: hooked(play, service), f"{service} was told that it is over")  # type: ignore[misc]  # of this turn
    assert [page["event_action"] for page in await pages(play)] == ["resolve"]
    assert [one["name"].rpartition("/")[2] for one in await hooked(play, "opsgenie")] == ["close"]


async def test_trouble_opens_one_incident_and_its_end_resolves_it(play: Playground) -> None:
    push = play.commit()
    await play.azure.fail_commit(push.commit, tags={"ring": "canary"}, count=3, reason="HealthCheckFailed", message="timeout")
    assert (await play.deliver(push)).status == 202
    rollout = await play.ended(push, until="paused")

    async def stopped() -> Json | None:
        return next((page for page in await pages(play) if page.get("payload", {}).get("class") == "stage.failed"), None)

    page = await eventually(stopped, "who is on call was called", within_seconds=30)
    assert page is not None
    key = page["dedup_key"]
    assert page["routing_key"] == "r" * 32
    details = page["payload"]["custom_details"]
    assert details["rollout"] == rollout["id"]
    assert len(details["clusters"]) == 3
    assert all("HealthCheckFailed" in cluster for cluster in details["clusters"])
    assert (await play.act(push, "resume", reason="the canary is known to be slow")).status == 200

    async def over() -> bool:
        closed = [one["name"].endswith(f"/{key}/close") for one in await hooked(play, "opsgenie")]
        return closed[-1] and bool((await pages(play))[-1]["event_action"] == "resolve")

    await eventually(over, "both services were called off", within_seconds=30)
    earlier, *_ = told = await pages(play)
    assert {page["dedup_key"] for page in told} == {earlier["dedup_key"], key}, "one incident a rollout"
    actions = [page["event_action"] for page in told if page["dedup_key"] == key]
    assert actions == sorted(actions, reverse=True), "nothing opens what was resolved"
    aliases = [json.loads(one["raw"]).get("alias") for one in await hooked(play, "opsgenie") if one["name"] == "opsgenie/v2/alerts"]
    assert set(aliases) == {key}


async def test_nothing_secret_is_logged(play: Playground) -> None:
    logged = play.logged()
    for secret in (SECRET, "r" * 32, "GenieKey", "/hooks/sluice", "webhook-signature"):
        assert secret not in logged
