"""Approve and Reject in Slack: who may, what is asked, and what comes of it."""

import asyncio
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from builders import NOW, a_gate, a_rollout, a_stage
from worlds import CONFIG, World

from shared.config.loader import load_text
from shared.domain.errors import Rejected, Unavailable
from shared.domain.gates import Verdict
from shared.domain.interactions import MAX_BODY_BYTES, Asked
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.services.answer_in_slack import Reply

SLACK = (
    "{name: ops, type: slack, tokenRef: kv://sluice/slack, channel: C1, signingSecretRef: kv://sluice/signing, "
    "previousSigningSecretRef: kv://sluice/signing-old}\n  - {name: teams, type: msteams, addressRef: kv://sluice/teams}"
)
PEOPLE = """
people:
  - {identity: alice@contoso.example, slack: [{team: T001, user: U001}], roles: [platform-leads]}
  - {identity: bob@contoso.example, slack: [{team: T001, user: U002}]}
"""
ASKED = Asked(rollout="rollout-1", stage="prod", gate="go")


@pytest.fixture(autouse=True)
def slack(world: World) -> None:
    world.config = load_text(CONFIG.replace("{name: ops, type: msteams, addressRef: kv://sluice/teams}", SLACK) + PEOPLE)
    world.secrets.known |= {"kv://sluice/signing": "s", "kv://sluice/signing-old": "old"}
    gates = (a_gate(), a_gate(name="ci", type="checks", checks=("ci/build",)))
    stages = (a_stage(state="succeeded", counts={"compliant": 1}), a_stage("prod", gates=gates))
    world.rollouts.kept.put("rollout-1", a_rollout(*stages, current=1, waiting_for="approval"))


def signed(payload: object, *, secret: str = "s", seconds: float = 0) -> tuple[dict[str, str], bytes]:  # noqa: S107 -- the tests' secret
    body = urlencode({"payload": json.dumps(payload)}).encode()
    timestamp = str(int(NOW.timestamp() + seconds))
    signature = hmac.digest(secret.encode(), f"v0:{timestamp}:".encode() + body, "sha256").hex()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={signature}"}, body


def click(user: str = "U001", action: str = "approve", asked: Asked = ASKED) -> dict[str, Any]:
    actions = [{"action_id": action, "value": asked.encoded()}]
    return {
        "type": "block_actions",
        "user": {"id": user, "team_id": "T001"},
        "channel": {"id": "C1"},
        "trigger_id": "1.2.3",
        "actions": actions,
    }


def submission(user: str = "U001", answer: str = "approve", reason: str = "looks good", asked: Asked = ASKED) -> dict[str, Any]:
    state = {"values": {"reason": {"text": {"value": reason}}}}
    view = {"callback_id": f"gate.{answer}", "private_metadata": asked.encoded(), "state": state}
    return {"type": "view_submission", "user": {"id": user, "team_id": "T001"}, "view": view}


async def send(world: World, payload: object, **how: Any) -> Reply:
    return await world.answer_in_slack()("ops", *signed(payload, **how))


def verdicts(world: World) -> tuple[Verdict, ...]:
    return world.rollouts.kept.now("rollout-1").stages[1].gates[0].verdicts


def beside_the_reason(reply: Reply) -> str:
    assert reply.status == 200
    body: Any = reply.body
    assert body["response_action"] == "errors"
    return str(body["errors"]["reason"])


async def test_a_click_asks_why_and_changes_nothing(world: World) -> None:
    assert await send(world, click()) == Reply(200)
    assert world.dialog.asked == [("1.2.3", "approve", ASKED, "rollout-1")]
    assert (verdicts(world), world.dialog.whispers) == ((), [])


@pytest.mark.parametrize(("answer", "approved", "done"), [("approve", True, "Approved"), ("reject", False, "Rejected")])
async def test_the_reason_makes_it_an_answer_of_the_mapped_person(world: World, answer: str, approved: bool, done: str) -> None:
    reply = await send(world, submission(answer=answer, reason="  looks good  "))
    body: Any = reply.body
    assert (reply.status, body["response_action"]) == (200, "update")
    assert f"{done} as alice@contoso.example: looks good" in json.dumps(body["view"])
    (verdict,) = verdicts(world)
    assert (verdict.by, verdict.approved) == ("alice@contoso.example", approved)
    assert verdict.reason == "looks good (via Slack T001/U001)"
    (entry,) = [link.entry async for link in world.audit.read()]
    assert entry
    assert (entry.actor, entry.action, entry.detail["reason"]) == (verdict.by, "gate.answered", verdict.reason)
    assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]


async def test_a_replay_has_no_second_effect(world: World) -> None:
    for _ in range(3):
        assert (await send(world, submission())).status == 200
    assert len(verdicts(world)) == 1
    assert world.audit.actions() == ["gate.answered"]


async def test_the_other_answer_afterwards_is_refused(world: World) -> None:
    await send(world, submission())
    assert "approved already" in beside_the_reason(await send(world, submission(answer="reject")))


@pytest.mark.parametrize(
    ("user", "asked", "says"),
    [
        ("U009", ASKED, "U009 of T001"),
        ("U002", ASKED, "platform-leads is missing"),
        ("U001", Asked(rollout="rollout-2", stage="prod", gate="go"), "no rollout rollout-2"),
        ("U001", Asked(rollout="rollout-1", stage="prod", gate="stop"), "no such gate"),
        ("U001", Asked(rollout="rollout-1", stage="prod", gate="ci"), "nobody is asked"),
    ],
)
async def test_whoever_may_not_is_told_so_alone(world: World, user: str, asked: Asked, says: str) -> None:
    assert await send(world, click(user, asked=asked)) == Reply(200)
    ((channel, whom, text),) = world.dialog.whispers
    assert (channel, whom) == ("C1", user)
    assert says in text
    assert says in beside_the_reason(await send(world, submission(user, asked=asked)))
    assert (verdicts(world), world.dialog.asked, world.audit.actions()) == ((), [], [])


async def test_a_gate_that_is_closed_meanwhile_is_told(world: World) -> None:
    stages = (a_stage(), a_stage("prod", gates=(a_gate(state="approved"),)))
    world.rollouts.kept.put("rollout-1", a_rollout(*stages, current=1))
    await send(world, click())
    assert "approved already" in world.dialog.whispers[0][2]
    world.rollouts.kept.put("rollout-1", a_rollout(a_stage(), a_stage("prod", gates=(a_gate(),)), current=1, state="aborted"))
    await send(world, click())
    assert "aborted already" in world.dialog.whispers[1][2]
    assert "aborted already" in beside_the_reason(await send(world, submission()))


@pytest.mark.parametrize("reason", ["", "   ", "a\nb", "x" * 501])
async def test_a_reason_is_needed(world: World, reason: str) -> None:
    assert "reason must be" in beside_the_reason(await send(world, submission(reason=reason)))
    assert verdicts(world) == ()


async def test_the_previous_secret_is_valid_until_it_is_deleted(world: World) -> None:
    assert (await send(world, click(), secret="old")).status == 200
    del world.secrets.known["kv://sluice/signing-old"]
    assert (await send(world, click(), secret="old")).status == 401


@pytest.mark.parametrize("how", [{"secret": "wrong"}, {"seconds": -301}, {"seconds": 301}])
async def test_what_is_not_proven_does_nothing(world: World, how: Mapping[str, Any]) -> None:
    assert await send(world, submission(), **how) == Reply(401)
    assert (verdicts(world), world.dialog.whispers) == ((), [])


async def test_limits_come_first(world: World) -> None:
    headers, _ = signed({})
    answer = world.answer_in_slack()
    assert await answer("ops", headers, b"x" * (MAX_BODY_BYTES + 1)) == Reply(413)
    for name in ("teams", "nobody", ""):
        assert await answer(name, *signed(click())) == Reply(404)
    assert await answer("ops", *signed({"type": "block_actions"})) == Reply(400)
    assert await send(world, {"type": "view_closed", "user": {"id": "U001"}}) == Reply(200)


async def test_a_flood_of_refusals_is_answered_429(world: World) -> None:
    replies = [await send(world, click(), secret="wrong") for _ in range(70)]
    assert {reply.status for reply in replies} == {401, 429}
    assert replies[-1].retry_after > 0
    assert (await send(world, click())).status == 200


async def test_a_missing_signing_secret_is_our_own_trouble(world: World) -> None:
    del world.secrets.known["kv://sluice/signing"]
    assert await send(world, click()) == Reply(503)


@pytest.mark.parametrize("error", [Rejected("no", code="expired_trigger_id"), Unavailable("down")])
async def test_a_dialog_that_does_not_open_is_no_error_for_slack(world: World, error: Exception) -> None:
    world.dialog.refuses = error
    assert await send(world, click()) == Reply(200)


async def test_an_outage_is_told_beside_the_reason(world: World) -> None:
    world.faults.down = Unavailable("down")
    assert "did not answer in time" in beside_the_reason(await send(world, submission()))


async def test_slack_is_answered_within_three_seconds(world: World) -> None:
    async def never(*_: object) -> Any:
        await asyncio.sleep(60)

    world.rollouts.get = never  # type: ignore[method-assign] # the database does not answer
    begun = asyncio.get_running_loop().time()
    assert "did not answer in time" in beside_the_reason(await send(world, submission()))
    assert await send(world, click()) == Reply(200)
    assert asyncio.get_running_loop().time() - begun < 6
