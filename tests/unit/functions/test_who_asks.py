"""People over HTTP: who may see and do what, and every way to be refused."""

import base64
import json
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest
from builders import NOW, a_rollout, a_stage, a_target
from calling import call, told
from worlds import World

from shared import bootstrap
from shared.domain.errors import Unavailable
from shared.domain.gates import Gate
from shared.domain.ledger import Head, head_id
from shared.domain.messages import StepRollout
from shared.domain.rollouts import Rollout

WHY = {"reason": "tills are down"}
LEADS = Gate(name="leads", type="approval", asked_at=NOW, approvers=("Approver", "platform-leads"), required=2)


def a_request(method: str = "POST", *, body: object = WHY, headers: dict[str, str] | None = None, **path: str) -> func.HttpRequest:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    route = {"id": "rollout-1", **path}
    params = {name: route.pop(name) for name in ("targets", "state", "limit") if name in route}
    return func.HttpRequest(method, "https://sluice.example/api", headers=sent, params=params, route_params=route, body=content)


def as_(name: str, *roles: str) -> dict[str, str]:
    """The header of App Service for somebody with these roles."""
    claims = [{"typ": "preferred_username", "val": name}, *({"typ": "roles", "val": role} for role in roles)]
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps({"auth_typ": "aad", "claims": claims}).encode()).decode()}


@pytest.fixture
def rollout(world: World) -> Rollout:
    """Its first stage is under way, with one target; its second waits at two gates."""
    stages = (a_stage("canary", 1, state="running"), a_stage("prod", 1, gates=(LEADS, Gate(name="ci", type="checks", asked_at=NOW))))
    made = a_rollout(*stages, reason="")
    world.rollouts.kept.put(made.id, made)
    world.rollouts.kept_targets.put((made.id, "target-000"), a_target())
    head = Head(id=head_id(made.ref), source=made.source, rollouts=(made.id,))
    world.changes.heads.put((made.source, head.id), head)
    return made


@pytest.fixture
def signs_in(app: bootstrap.App) -> None:
    app.settings = replace(app.settings, signs_in=True)


async def asked(name: str, request: func.HttpRequest) -> tuple[int, Any]:
    response = await call(name, request)
    return response.status_code, told(response)


@pytest.mark.usefixtures("rollout")
async def test_an_act_answers_with_the_rollout_as_it_is_then(world: World) -> None:
    status, summary = await asked("act_on_rollout", a_request(act="pause", headers={"X-Sluice-Actor": "alex"}))
    said = "paused by key (claimed: alex): tills are down"
    assert (status, summary["state"], summary["reason"]) == (200, "paused", said)
    (entry,) = [link.entry async for link in world.audit.read("rollout-1") if link.entry]
    assert (entry.actor, entry.action, entry.detail["reason"]) == ("key (claimed: alex)", "rollout.paused", "tills are down")
    assert StepRollout(rollout_id="rollout-1") in world.queue.messages("rollout-steps")
    assert await asked("act_on_rollout", a_request(act="pause")) == (409, {"error": f"a rollout that is paused cannot be paused ({said})"})


@pytest.mark.usefixtures("rollout")
@pytest.mark.parametrize(
    ("act", "body", "status", "says"),
    [
        ("abort", WHY, 200, "aborted by key: tills are down"),
        ("resume", WHY, 409, "a rollout that is running cannot be resumed"),
        ("retry", WHY, 409, "none of its clusters has failed"),
        ("rollback", WHY, 409, "nothing has been updated yet"),
        ("rollback", {**WHY, "stage": "prod"}, 409, "nothing has been updated yet"),
    ],
)
async def test_each_act_reaches_the_rollout(act: str, body: dict[str, str], status: int, says: str) -> None:
    """One that runs and has updated nothing yet."""
    given, answer = await asked("act_on_rollout", a_request(act=act, body=body))
    assert (given, says in (answer.get("error") or answer["reason"])) == (status, True)


@pytest.mark.usefixtures("rollout")
@pytest.mark.parametrize(
    ("request_", "status", "says"),
    [
        (a_request(act="delete"), 404, "acts are pause"),
        (a_request(act="pause", id="rollout-9"), 404, "no rollout rollout-9"),
        (a_request(act="pause", id="../../keys"), 404, "no such rollout"),
        (a_request(act="pause", id="x" * 65), 404, "no such rollout"),
        (a_request(act="pause", id=""), 404, "no such rollout"),
        (a_request(act="pause", body={}), 400, "reason"),
        (a_request(act="pause", body=b"{"), 400, "JSON"),
        (a_request(act="pause", body={**WHY, "stage": "prod"}), 400, "only a rollback"),
        (a_request(act="pause", body=b" " * 20_000), 413, "bytes"),
        (a_request(act="pause", headers={"Content-Type": "text/plain"}), 415, "application/json"),
        (a_request(act="pause", headers={"Sec-Fetch-Site": "cross-site"}), 403, "another site"),
        (a_request(act="pause", headers={"X-Sluice-Actor": "a\x00"}), 400, "X-Sluice-Actor"),
        (a_request(act="pause", headers=as_("root", "Operator")), 401, "authentication is off"),
        (a_request(act="rollback", body={**WHY, "stage": "moon"}), 409, "no stage moon"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_written(world: World, request_: func.HttpRequest, status: int, says: str) -> None:
    response = await asked("act_on_rollout", request_)
    assert response[0] == status
    assert says in response[1]["error"]
    assert world.faults.writes == 0


@pytest.mark.usefixtures("rollout", "signs_in")
async def test_where_people_sign_in_their_roles_decide() -> None:
    acts = [
        (await asked("act_on_rollout", a_request(act="pause", headers=headers)))
        for headers in ({}, {"X-Sluice-Actor": "alex"}, {"X-MS-CLIENT-PRINCIPAL": "?"}, as_("sam", "Reader", "Approver"))
    ]
    assert [status for status, _ in acts] == [401, 401, 401, 403]
    assert acts[-1][1] == {"error": "the role Operator is missing"}
    status, summary = await asked("act_on_rollout", a_request(act="pause", headers=as_("sam", "Operator")))
    assert (status, summary["reason"]) == (200, "paused by sam: tills are down")


@pytest.mark.usefixtures("rollout", "signs_in")
@pytest.mark.parametrize("function", ["list_rollouts", "get_rollout", "list_targets"])
async def test_reading_needs_a_role_of_ours_where_people_sign_in(function: str) -> None:
    statuses = [
        (await asked(function, a_request("GET", headers=headers)))[0]
        for headers in ({}, as_("sam"), as_("sam", "platform-leads"), as_("sam", "Reader"), as_("sam", "Operator"), as_("sam", "Approver"))
    ]
    assert statuses == [401, 403, 403, 200, 200, 200]


@pytest.mark.usefixtures("rollout", "signs_in")
async def test_a_gate_is_answered_by_those_whom_it_names(world: World) -> None:
    def answer(said: str, headers: dict[str, str], gate: str = "leads", stage: str = "prod") -> func.HttpRequest:
        return a_request(stage=stage, gate=gate, answer=said, headers=headers)

    lead, approver = as_("sam", "platform-leads"), as_("kim", "Approver")
    assert await asked("answer_at_gate", answer("approve", as_("alex", "Operator"))) == (
        403,
        {"error": "the role Approver or platform-leads is missing"},
    )
    assert (await asked("answer_at_gate", answer("approve", {})))[0] == 401
    for headers in (lead, lead, approver):
        assert (await asked("answer_at_gate", answer("approve", headers)))[0] == 200
    assert [verdict.by for verdict in world.rollouts.kept.now("rollout-1").stages[1].gates[0].verdicts] == ["sam", "kim"]
    assert await asked("answer_at_gate", answer("reject", lead)) == (409, {"error": "sam has approved already"})
    assert await asked("answer_at_gate", answer("approve", lead, gate="ci")) == (
        409,
        {"error": "nobody is asked at gate ci: it is of type checks"},
    )
    assert (await asked("answer_at_gate", answer("approve", lead, gate="x")))[1]["error"].endswith("the gates of stage prod are leads, ci")
    assert (await asked("answer_at_gate", answer("approve", lead, stage="x")))[1]["error"].endswith("stages are canary, prod")
    assert (await asked("answer_at_gate", answer("maybe", lead)))[0] == 404


@pytest.mark.usefixtures("rollout")
async def test_all_who_hold_a_key_are_one_at_a_gate(world: World) -> None:
    for name in ("alex", "sam"):
        request = a_request(stage="prod", gate="leads", answer="approve", headers={"X-Sluice-Actor": name})
        assert (await asked("answer_at_gate", request))[0] == 200
    (verdict,) = world.rollouts.kept.now("rollout-1").stages[1].gates[0].verdicts
    assert (verdict.by, verdict.reason) == ("key", "tills are down (claimed: alex)")


@pytest.mark.usefixtures("rollout")
async def test_an_answer_needs_a_rollout_and_a_reason() -> None:
    path = {"stage": "prod", "gate": "leads", "answer": "approve"}
    assert (await asked("answer_at_gate", a_request(**path, id="rollout-9")))[0] == 404
    assert (await asked("answer_at_gate", a_request(**path, body={})))[0] == 400


@pytest.mark.usefixtures("rollout")
async def test_a_rollout_is_shown_with_its_targets_unless_they_are_not_wanted() -> None:
    whole = (await asked("get_rollout", a_request("GET")))[1]
    assert ([target["id"] for target in whole["targets"]], whole["moreTargets"]) == (["target-000"], None)
    assert "targets" not in (await asked("get_rollout", a_request("GET", targets="0")))[1]


@pytest.mark.usefixtures("rollout")
async def test_targets_are_asked_for_by_state() -> None:
    assert [t["id"] for t in (await asked("list_targets", a_request("GET", state="pending")))[1]["targets"]] == ["target-000"]
    assert (await asked("list_targets", a_request("GET", state="failed")))[1] == {"targets": [], "continuation": None}
    assert (await asked("list_targets", a_request("GET", state="broken")))[0] == 400
    assert (await asked("list_targets", a_request("GET", limit="x")))[0] == 400


@pytest.mark.usefixtures("rollout")
async def test_an_outage_is_told_as_one(world: World) -> None:
    world.faults.down = Unavailable("https://database.example")
    status, body = await asked("act_on_rollout", a_request(act="pause"))
    assert (status, body) == (503, {"error": "a dependency is unavailable: ask again"})
