"""Programs and who is on call hear of rollouts: signed, as CloudEvents, each event once and under the same id everywhere."""

import json
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


async def told(play: Playground, push: Push, last: str) -> tuple[list[Json], list[Json]]:
    """What webhook and topic got of the push's rollout, once both have the event of the kind `last`."""
    rollout = (await play.summary(push))["id"]

    async def look() -> tuple[list[Json], list[Json]] | None:
        both = await posted(play, rollout), await published(play, rollout)
        return both if all(last in [event["type"] for event in events] for events in both) else None

    found = await eventually(look, f"both channels got {last}", within_seconds=30)
    assert found is not None
    return found


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
        in_order = sorted(events, key=lambda event: (datetime.fromisoformat(event["time"]), event["type"] != "sluice.stage.succeeded"))
        assert [(event["type"], event["subject"]) for event in in_order] == expected
        for event in events:
            jsonschema.Draft202012Validator(events_schema()).validate(event)
            assert event["source"] == play.stack.host
            assert event["data"]["fields"]["revision"] == push.commit
    assert {event["id"]: event for event in hook} == {event["id"]: event for event in topic}
    assert len({event["id"] for event in hook}) == len(expected)
    await eventually(lambda: hooked(play, "opsgenie"), "both services were told that it is over")
    assert [json.loads(one["raw"])["event_action"] for one in await hooked(play, "pagerduty")] == ["resolve"]
    assert [one["name"].rpartition("/")[2] for one in await hooked(play, "opsgenie")] == ["close"]


async def test_trouble_opens_one_incident_and_its_end_resolves_it(play: Playground) -> None:
    push = play.commit()
    await play.azure.fail_commit(push.commit, tags={"ring": "canary"}, count=3, reason="HealthCheckFailed", message="timeout")
    assert (await play.deliver(push)).status == 202
    rollout = await play.ended(push, until="paused")

    async def called(times: int) -> bool:
        return min([len(await hooked(play, service)) for service in ("pagerduty", "opsgenie")]) >= 1 + times

    await eventually(lambda: called(1), "both services were called", within_seconds=30)
    assert (await play.act(push, "resume", reason="the canary is known to be slow")).status == 200
    await eventually(lambda: called(2), "both services were called off", within_seconds=30)

    assert {one["name"] for one in await hooked(play, "pagerduty")} == {"pagerduty/v2/enqueue"}
    earlier, *pages = [json.loads(one["raw"]) for one in await hooked(play, "pagerduty")]
    assert [page["event_action"] for page in pages] == ["trigger", *["resolve"] * (len(pages) - 1)]
    assert {page["routing_key"] for page in pages} == {"r" * 32}
    (key,) = {page["dedup_key"] for page in pages}
    assert key != earlier["dedup_key"]
    details = pages[0]["payload"]["custom_details"]
    assert details["rollout"] == rollout["id"]
    assert len(details["clusters"]) == 3
    assert all("HealthCheckFailed" in cluster for cluster in details["clusters"])

    _, first, second, *_ = await hooked(play, "opsgenie")
    assert (first["name"], json.loads(first["raw"])["alias"]) == ("opsgenie/v2/alerts", key)
    assert second["name"] == f"opsgenie/v2/alerts/{key}/close"


async def test_nothing_secret_is_logged(play: Playground) -> None:
    logged = play.logged()
    for secret in (SECRET, "r" * 32, "GenieKey", "/hooks/sluice", "webhook-signature"):
        assert secret not in logged
