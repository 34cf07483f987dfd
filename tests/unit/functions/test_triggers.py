"""The triggers: what each is bound to, and that it calls its use case and answers."""

import base64
import dataclasses
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import azure.functions as func
import pytest
from builders import a_change, a_cluster, a_flux_configuration, a_gate, a_rollout, a_stage, a_target, at, resource_id, sha
from calling import FUNCTIONS, call, told
from counted import Since
from msgspec.structs import replace
from worlds import CONFIG, World

from shared import bootstrap
from shared.domain.errors import Malformed, NotFound, Rejected, Throttled, Unavailable
from shared.domain.messages import ApplyUpdate, CallGate, PlanChange, ReportCommit, StepRollout, encode
from shared.metrics import REFUSED

#: Senders, gates' services and Slack prove themselves; a probe learns nothing.
ANONYMOUS = {"receive", "answer_gate", "answer_in_slack", "health"}


class Invocation:
    """What the worker gives a function as its context."""

    invocation_id = "invocation-1"


def a_message(body: str | bytes) -> func.QueueMessage:
    return func.QueueMessage(id="message-1", body=body)


def a_request(method: str = "GET", *, body: bytes = b"", headers: dict[str, str] | None = None, **params: str) -> func.HttpRequest:
    route: dict[str, str] = {name: params.pop(name) for name in ("name", "id", "rollout", "stage", "gate") if name in params}
    return func.HttpRequest(method, "https://sluice.example/api", headers=headers or {}, params=params, route_params=route, body=body)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("receive", {"type": "httpTrigger", "route": "receivers/{name}/{token?}", "methods": ["POST"], "authLevel": "ANONYMOUS"}),
        ("list_rollouts", {"type": "httpTrigger", "route": "rollouts", "methods": ["GET"], "authLevel": "FUNCTION"}),
        ("get_rollout", {"type": "httpTrigger", "route": "rollouts/{id}", "methods": ["GET"], "authLevel": "FUNCTION"}),
        ("list_targets", {"type": "httpTrigger", "route": "rollouts/{id}/targets", "methods": ["GET"], "authLevel": "FUNCTION"}),
        ("act_on_rollout", {"type": "httpTrigger", "route": "rollouts/{id}/{act}", "methods": ["POST"], "authLevel": "FUNCTION"}),
        (
            "answer_at_gate",
            {"route": "rollouts/{id}/gates/{stage}/{gate}/{answer}", "methods": ["POST"], "authLevel": "FUNCTION"},
        ),
        (
            "answer_gate",
            {"type": "httpTrigger", "route": "gates/{rollout}/{stage:int}/{gate}", "methods": ["POST"], "authLevel": "ANONYMOUS"},
        ),
        (
            "answer_in_slack",
            {"type": "httpTrigger", "route": "slack/interactions/{provider}", "methods": ["POST"], "authLevel": "ANONYMOUS"},
        ),
        ("health", {"type": "httpTrigger", "route": "health", "methods": ["GET"], "authLevel": "ANONYMOUS"}),
        ("ready", {"type": "httpTrigger", "route": "health/ready", "methods": ["GET"], "authLevel": "FUNCTION"}),
        ("on_azure_event", {"type": "eventGridTrigger"}),
        ("plan_change", {"type": "queueTrigger", "queueName": "changes"}),
        ("step_rollout", {"type": "queueTrigger", "queueName": "rollout-steps"}),
        ("apply_update", {"type": "queueTrigger", "queueName": "config-updates"}),
        ("send_notification", {"type": "queueTrigger", "queueName": "notifications"}),
        ("call_gate", {"type": "queueTrigger", "queueName": "gate-calls"}),
        ("report_commit", {"type": "queueTrigger", "queueName": "commit-reports"}),
        ("restore_configuration", {"type": "queueTrigger", "queueName": "restorations"}),
        ("get_digest", {"type": "httpTrigger", "route": "digests/{name}", "methods": ["GET"], "authLevel": "FUNCTION"}),
        ("get_fleet", {"type": "httpTrigger", "route": "fleet", "methods": ["GET"], "authLevel": "FUNCTION"}),
        ("list_notifications", {"type": "httpTrigger", "route": "notifications", "methods": ["GET"], "authLevel": "FUNCTION"}),
        (
            "resend_notification",
            {"route": "notifications/{channel}/{id}/resend", "methods": ["POST"], "authLevel": "FUNCTION"},
        ),
        ("bury_changes", {"type": "queueTrigger", "queueName": "changes-poison"}),
        ("bury_rollout_steps", {"type": "queueTrigger", "queueName": "rollout-steps-poison"}),
        ("bury_config_updates", {"type": "queueTrigger", "queueName": "config-updates-poison"}),
        ("bury_notifications", {"type": "queueTrigger", "queueName": "notifications-poison"}),
        ("onboard", {"type": "queueTrigger", "queueName": "onboarding"}),
        ("bury_onboarding", {"type": "queueTrigger", "queueName": "onboarding-poison"}),
        ("list_clusters", {"type": "httpTrigger", "route": "clusters", "methods": ["GET"], "authLevel": "FUNCTION"}),
        ("sweep_clusters", {"type": "timerTrigger", "schedule": "%SWEEP_CLUSTERS_SCHEDULE%", "runOnStartup": False}),
        ("bury_gate_calls", {"type": "queueTrigger", "queueName": "gate-calls-poison"}),
        ("bury_commit_reports", {"type": "queueTrigger", "queueName": "commit-reports-poison"}),
        ("sweep_rollouts", {"type": "timerTrigger", "schedule": "%SWEEP_ROLLOUTS_SCHEDULE%", "runOnStartup": False}),
        ("sweep_compliance", {"type": "timerTrigger", "schedule": "%SWEEP_COMPLIANCE_SCHEDULE%", "runOnStartup": False}),
        ("export_logs", {"type": "timerTrigger", "schedule": "%EXPORT_LOGS_SCHEDULE%", "runOnStartup": False}),
        ("sweep_fleet", {"type": "timerTrigger", "schedule": "%SWEEP_FLEET_SCHEDULE%", "runOnStartup": False}),
    ],
)
def test_every_function_is_bound_to_what_it_says(name: str, expected: dict[str, object]) -> None:
    trigger, *_ = json.loads(FUNCTIONS[name].get_function_json())["bindings"]
    assert {field: trigger[field] for field in expected} == expected


def test_nobody_but_a_sender_a_gate_s_service_slack_a_probe_and_a_browser_comes_in_without_a_key() -> None:
    bindings = {name: json.loads(function.get_function_json())["bindings"][0] for name, function in FUNCTIONS.items()}
    of_the_dashboard = {name for name, binding in bindings.items() if binding.get("route", "").startswith("dashboard")}
    assert {name for name, binding in bindings.items() if binding.get("authLevel") == "ANONYMOUS"} == ANONYMOUS | of_the_dashboard


PUSH = json.dumps(
    {"ref": "refs/heads/main", "before": sha(0), "after": sha(1), "repository": {"clone_url": "https://github.com/contoso/platform"}}
).encode()
SIGNED = {
    "X-GitHub-Event": "push",
    "X-GitHub-Delivery": "d-1",
    "X-Hub-Signature-256": f"sha256={hmac.digest(b'new', PUSH, 'sha256').hex()}",
}


async def test_a_signed_push_is_accepted_and_one_that_is_not_gets_no_word(world: World) -> None:
    response = await call("receive", a_request("POST", body=PUSH, headers=SIGNED, name="platform"))
    assert (response.status_code, told(response)) == (202, {"changes": [world.changes.kept.all()[0].id]})
    assert response.headers["Cache-Control"] == "no-store"
    assert response.mimetype == "application/json"
    response = await call("receive", a_request("POST", body=PUSH, name="platform"))
    assert (response.status_code, response.get_body()) == (401, b"")
    assert (await call("receive", a_request("POST", body=PUSH, headers=SIGNED))).status_code == 404


async def test_a_flood_is_told_when_to_come_back() -> None:
    for _ in range(600):
        response = await call("receive", a_request("POST", name="of-nobody"))
        assert (response.status_code, response.headers.get("Retry-After")) == (404, None)
    response = await call("receive", a_request("POST", name="of-nobody"))
    assert (response.status_code, response.get_body(), response.headers["Retry-After"]) == (429, b"", "1")


@pytest.fixture
def no_config(config_path: Path) -> None:
    config_path.unlink()


@pytest.mark.usefixtures("no_config")
async def test_without_a_configuration_a_push_is_to_be_delivered_again(world: World) -> None:
    since = Since(REFUSED)
    response = await call("receive", a_request("POST", body=PUSH, headers=SIGNED, name="platform"))
    assert (response.status_code, world.faults.writes) == (503, 0)
    assert since.grown() == {("not-configured", "unknown"): 1}


async def test_a_push_goes_all_the_way_by_its_messages(world: World) -> None:
    world.fleet.found = [a_flux_configuration(0)]
    await call("receive", a_request("POST", body=PUSH, headers=SIGNED, name="platform"))
    names = {
        "changes": "plan_change",
        "rollout-steps": "step_rollout",
        "config-updates": "apply_update",
        "notifications": "send_notification",
    }
    while visible := world.queue.visible():
        for sent in visible:
            world.queue.waiting.remove(sent)
            more = [Invocation()] if sent.queue == "config-updates" else []
            await call(names[sent.queue], a_message(sent.text), *more)
    assert [patch.commit for patch in world.resource_manager.applied] == [sha(1)]
    assert {kept.state for kept in world.rollouts.kept_targets.all()} == {"applied"}


async def test_the_timers_find_what_no_message_will(world: World) -> None:
    change = a_change(1)
    await world.changes.mark_unplanned(change)
    rollout = a_rollout()
    world.rollouts.kept.put(rollout.id, rollout)
    world.rollouts.kept_targets.put((rollout.id, "target-000"), a_target(state="applied", applied_at=at(0)))
    world.rollouts.listed[rollout.id] = world.clock()
    world.fleet.found = [a_flux_configuration(0)]
    world.clock.pass_(121)
    await call("sweep_rollouts", None)
    assert world.queue.messages("rollout-steps") == [StepRollout(rollout_id=rollout.id)]
    assert world.queue.messages("changes") == [PlanChange(source=change.source, change_id=change.id)]
    await call("sweep_compliance", None)
    assert world.rollouts.kept_targets.now((rollout.id, "target-000")).observation == world.fleet.found[0].observation


@pytest.fixture
def with_baseline(config_path: Path) -> None:
    config_path.write_text(f"{CONFIG}baselines:\n  - {{name: edge}}\n")


@pytest.mark.usefixtures("with_baseline")
async def test_a_cluster_goes_all_the_way_by_its_messages(world: World) -> None:
    world.arm.add(a_cluster())
    await call("sweep_clusters", None)
    for _ in range(10):
        world.clock.pass_(15)
        for sent in world.queue.visible():
            world.queue.waiting.remove(sent)
            await call("onboard" if sent.queue == "onboarding" else "send_notification", a_message(sent.text))
        world.arm.models[a_cluster().id].settle()
    response = await call("list_clusters", a_request(state="done", limit="5"))
    assert response.status_code == 200
    assert [one["cluster"] for one in told(response)["clusters"]] == ["cluster-000"]
    assert (await call("list_clusters", a_request(state="happy"))).status_code == 400
    assert (await call("list_clusters", a_request(limit="none"))).status_code == 400


@pytest.fixture
async def broken_config(app: bootstrap.App, config_path: Path) -> None:
    """A good version was in force before."""
    await app.config.latest()
    config_path.write_text("apiVersion: sluice/v1\nrecievers: []\n")  # noqa: ASYNC240 -- a line in a temporary folder


@pytest.mark.usefixtures("broken_config")
async def test_a_configuration_that_is_refused_is_told_once(world: World) -> None:
    for _ in range(3):
        await call("sweep_rollouts", None)
    (delivery,) = world.deliveries.kept.all()
    assert [announcement.kind for announcement in delivery.announcements] == ["config.refused"]
    assert "sluice.yaml:2" in delivery.announcements[0].summary


ASK = encode(CallGate(rollout_id="rollout-1", stage=0, gate="window"))
UPDATE = encode(ApplyUpdate(rollout_id="rollout-1", target_id="target-000", dispatch=1))


def queued(world: World) -> None:
    rollout = a_rollout(state="running")
    world.rollouts.kept.put(rollout.id, rollout)
    world.rollouts.kept_targets.put((rollout.id, "target-000"), a_target(state="queued", dispatch=1, slot=world.clock()))


async def test_the_invocation_holds_the_turn(world: World) -> None:
    queued(world)
    held: list[str] = []
    world.resource_manager.meanwhile = lambda: held.extend(kept.holder for kept in world.configurations.kept.all())
    await call("apply_update", a_message(UPDATE), Invocation())
    assert held == ["invocation-1"]
    assert [patch.configuration_id for patch in world.resource_manager.applied] == [resource_id(0)]


@pytest.mark.parametrize(("error", "seconds"), [(Unavailable("database"), 60), (Throttled("database", retry_after=7), 7)])
@pytest.mark.parametrize(
    ("name", "queue", "text"),
    [
        ("plan_change", "changes", encode(PlanChange(source="s", change_id="c"))),
        ("step_rollout", "rollout-steps", encode(StepRollout(rollout_id="rollout-1"))),
        ("apply_update", "config-updates", UPDATE),
        ("call_gate", "gate-calls", ASK),
        ("report_commit", "commit-reports", encode(ReportCommit(rollout_id="rollout-1"))),
        ("send_notification", "notifications", '{"rolloutId":"r","eventId":"e"}'),
        ("send_notification", "notifications", '{"channel":"c","deliveryId":"d"}'),
        ("send_notification", "notifications", '{"rolloutId":"r","at":"2026-11-23T12:00:00Z","ended":[]}'),
    ],
)
async def test_an_outage_puts_a_message_back_and_buries_nothing(
    world: World, name: str, queue: str, text: str, error: Exception, seconds: float
) -> None:
    down = [error]
    original = world.faults.read

    async def read() -> None:
        if down:
            raise down.pop()
        await original()

    world.faults.read = read  # type: ignore[method-assign]
    await call(name, a_message(text), *([Invocation()] if name == "apply_update" else []))
    (sent,) = world.queue.sent
    assert (sent.queue, sent.text, sent.not_before) == (queue, text, at(seconds))


async def test_without_a_usable_configuration_messages_wait(world: World, config_path: Path) -> None:
    config_path.write_text("routs: []")  # noqa: ASYNC240 -- one line of a temporary file
    text = encode(PlanChange(source="s", change_id="c"))
    await call("plan_change", a_message(text))
    (sent,) = world.queue.sent
    assert (sent.queue, sent.text, sent.not_before) == ("changes", text, at(60))


async def test_what_will_never_work_fails_the_invocation(world: World) -> None:
    world.faults.down = Rejected("forbidden", code="403")
    with pytest.raises(Rejected):
        await call("step_rollout", a_message(encode(StepRollout(rollout_id="rollout-1"))))
    world.faults.down = None
    with pytest.raises(NotFound):
        await call("plan_change", a_message(encode(PlanChange(source="s", change_id="c"))))
    for name in ("plan_change", "step_rollout", "call_gate", "report_commit", "send_notification"):
        with pytest.raises(Malformed):
            await call(name, a_message(b"\xff"))
    assert world.queue.sent == []


@pytest.mark.parametrize("queue", ["changes", "rollout-steps", "config-updates", "notifications", "gate-calls", "commit-reports"])
async def test_a_poisoned_message_is_buried_whatever_it_holds(world: World, queue: str) -> None:
    await call(f"bury_{queue.replace('-', '_')}", a_message(b'{"a": "\xff"}'))
    (entry,) = await world.replay().buried()
    assert (entry.resource, entry.cause, entry.detail["body"]) == (queue, "message-1", '{"a": "\ufffd"}')


@pytest.fixture
def gated(app: bootstrap.App, world: World) -> None:
    """A rollout that waits at a webhook gate."""
    vars(app).update(outbound_http=world.gate_caller)
    app.settings = dataclasses.replace(app.settings, sluice_url="https://sluice.example")
    world.secrets.known["kv://sluice/gate"] = f"whsec_{base64.b64encode(bytes(32)).decode()}"
    gate = a_gate(name="window", type="webhook", url="https://gate.example", secret_ref="kv://sluice/gate")
    world.rollouts.kept.put("rollout-1", a_rollout(a_stage(gates=(gate,))))


@pytest.mark.usefixtures("gated")
async def test_the_service_behind_a_gate_is_asked_and_answers(world: World) -> None:
    await call("call_gate", a_message(ASK))
    url = urlsplit(json.loads(world.gate_caller.posted[0].body)["data"]["callbackUrl"])
    (token,) = parse_qs(url.query)["token"]
    assert url.path == "/api/gates/rollout-1/0/window"

    async def answered(body: bytes, token: str = token, rollout: str = "rollout-1") -> tuple[int, Any]:
        request = a_request("POST", body=body, token=token, rollout=rollout, stage="0", gate="window")
        response = await call("answer_gate", request)
        return response.status_code, response.get_body() and told(response)

    assert await answered(b'{"approved": true}', token="wrong") == (401, b"")
    assert await answered(b'{"approved": true}', token="") == (401, b"")
    assert await answered(b'{"approved": true}', rollout="rollout-2") == (404, {"error": "there is no such gate"})
    assert await answered(b"[]") == (400, {"error": "body-invalid: Expected `object`, got `array`"})
    assert await answered(b'{"approved": true}') == (200, {"gate": "window", "recorded": True})
    assert await answered(b'{"approved": false}') == (409, {"error": "webhook window has approved already"})
    world.faults.down = Unavailable("database")
    assert (await answered(b'{"approved": true}'))[0] == 503
    assert [verdict.approved for verdict in world.rollouts.kept.now("rollout-1").stages[0].gates[0].verdicts] == [True]


async def test_people_see_rollouts(world: World) -> None:
    for number in range(3):
        rollout = a_rollout(id=f"rollout-{number}", created_at=at(number))
        world.rollouts.kept.put(rollout.id, replace(rollout, reason=""))
    page = told(await call("list_rollouts", a_request(limit="2")))
    assert [rollout["id"] for rollout in page["rollouts"]] == ["rollout-2", "rollout-1"]
    page = told(await call("list_rollouts", a_request(limit="2", continuation=page["continuation"])))
    assert ([rollout["id"] for rollout in page["rollouts"]], page["continuation"]) == (["rollout-0"], None)
    assert len(told(await call("list_rollouts", a_request()))["rollouts"]) == 3
    assert told(await call("get_rollout", a_request(id="rollout-1")))["id"] == "rollout-1"
    response = await call("get_rollout", a_request(id="rollout-9"))
    assert (response.status_code, told(response)) == (404, {"error": "there is no rollout rollout-9"})


@pytest.mark.parametrize("limit", ["-1", "1.5", "many", "1e9", " 1"])
async def test_a_limit_that_is_no_number_is_refused(limit: str) -> None:
    assert (await call("list_rollouts", a_request(limit=limit))).status_code == 400


@pytest.mark.parametrize("limit", ["0", "99999999999999999999999"])
async def test_a_limit_out_of_range_is_brought_into_it(limit: str) -> None:
    assert (await call("list_rollouts", a_request(limit=limit))).status_code == 200


class Answers:
    async def check(self) -> None:
        return


class IsDown:
    async def check(self) -> None:
        raise Unavailable("https://database.example")


async def test_alive_is_not_ready(app: bootstrap.App) -> None:
    vars(app).update(database=Answers(), queue=Answers(), fleet=Answers(), key_encryption_key=Answers())
    assert told(await call("ready", a_request()))["status"] == "ok"
    vars(app).update(database=IsDown())
    response = await call("ready", a_request())
    assert (response.status_code, told(response)["status"]) == (503, "not ready")
    assert told(response)["dependencies"] == {"configuration": "ok", "database": "Unavailable", "queues": "ok", "fleet": "ok", "keys": "ok"}
    assert (await call("health", a_request())).status_code == 200


async def test_without_settings_it_is_alive_and_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_app", None)
    for name in ("COSMOS_ENDPOINT", "KEY_ENCRYPTION_KEY", "SLUICE_CONFIG", "AzureWebJobsStorage"):
        monkeypatch.delenv(name, raising=False)
    assert (await call("health", a_request())).status_code == 200
    response = await call("ready", a_request())
    assert response.status_code == 503
    assert "COSMOS_ENDPOINT" in told(response)["error"]
