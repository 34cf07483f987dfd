"""Webhook gates are asked, and gates are answered."""

import asyncio
import base64
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from builders import NOW, a_gate, a_rollout, a_stage, at
from fakes import Killed
from msgspec.structs import replace
from worlds import World

from shared.domain.errors import Malformed, NotAllowed, NotFound, Refused, Rejected, Throttled, Unavailable
from shared.domain.gate_calls import make_token
from shared.domain.gates import Gate, GateFacts, Verdict, judge
from shared.domain.messages import ROLLOUT_STEPS, CallGate, StepRollout
from shared.domain.rollouts import Rollout
from shared.services.answer_gate import MAX_BODY_BYTES
from shared.services.call_gate import Call

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
WEBHOOK: dict[str, Any] = {
    "name": "window",
    "type": "webhook",
    "url": "https://gate.example/ask",
    "secret_ref": "kv://sluice/gate",
    "expires_after_seconds": 3600,
}
ASK = CallGate(rollout_id="rollout-1", stage=1, gate="window")
YES = Verdict(by="alice", approved=True, reason="looks good", at=NOW)


@pytest.fixture(autouse=True)
def gate_secret(world: World) -> None:
    world.secrets.known["kv://sluice/gate"] = SECRET


def waiting(world: World, *, webhook: dict[str, Any] | None = None, **fields: Any) -> Rollout:
    """A rollout whose second stage waits at two gates."""
    gates = (a_gate(required=2), a_gate(**WEBHOOK | (webhook or {})))
    rollout = a_rollout(a_stage(), a_stage("prod", gates=gates), **fields)
    world.rollouts.kept.put(rollout.id, rollout)
    return rollout


def gates(world: World) -> dict[str, Gate]:
    return {gate.name: gate for gate in world.rollouts.kept.now("rollout-1").stages[1].gates}


def meanwhile(world: World, **fields: Any) -> None:
    """Someone else saves the rollout just then."""
    change = world.rollouts.kept.now("rollout-1")
    world.rollouts.kept.meanwhile = lambda: world.rollouts.kept.put("rollout-1", replace(change, **fields))


class TestCall:
    async def test_the_service_is_asked_with_a_signed_question(self, world: World) -> None:
        rollout = waiting(world)
        await world.call_gate()(ASK)
        (posted,) = world.gate_caller.posted
        assert posted.address == "https://gate.example/ask"
        body = json.loads(posted.body)
        address = urlsplit(body["data"].pop("callbackUrl"))
        assert (address.netloc, address.path) == ("sluice.example", "/api/gates/rollout-1/1/window")
        assert body == {
            "type": "gate.asked",
            "timestamp": "2026-11-23T12:00:00Z",
            "data": {
                "rollout": "rollout-1",
                "route": "platform",
                "stage": "prod",
                "gate": "window",
                "revision": rollout.revision,
                "url": "github.com/contoso/platform",
                "ref": "refs/heads/main",
                "author": "alice",
                "title": "Change the platform",
                "expiresAt": "2026-11-23T13:00:00Z",
            },
        }
        signed = f"{posted.headers['webhook-id']}.{posted.headers['webhook-timestamp']}.".encode() + posted.body
        assert posted.headers["webhook-signature"] == f"v1,{base64.b64encode(hmac.digest(KEY, signed, 'sha256')).decode()}"
        assert gates(world)["window"].called_at == NOW
        assert world.audit.actions() == ["gate.called"]

    async def test_a_second_attempt_has_the_same_id_and_body_and_its_own_time(self, world: World) -> None:
        waiting(world)
        world.faults.die_at = 2  # after the post, before its record
        with pytest.raises(Killed):
            await world.call_gate()(ASK)
        world.clock.pass_(600)
        await world.call_gate()(ASK)
        first, second = world.gate_caller.posted
        assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
        assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 600
        assert world.audit.actions() == ["gate.called"]

    @pytest.mark.parametrize(
        ("webhook", "fields"),
        [
            ({"asked_at": None}, {}),
            ({"state": "approved"}, {}),
            ({"verdicts": (YES,)}, {}),
            ({"expires_after_seconds": 0}, {}),
            ({"type": "approval"}, {}),
            ({}, {"state": "superseded"}),
        ],
    )
    async def test_nobody_is_asked_for_an_answer_that_nobody_waits_for(
        self, world: World, webhook: dict[str, Any], fields: dict[str, Any]
    ) -> None:
        waiting(world, webhook=webhook, **fields)
        await world.call_gate()(ASK)
        assert (world.gate_caller.posted, world.faults.writes) == ([], 0)

    @pytest.mark.parametrize("error", [Throttled("slow down"), Unavailable("down"), Rejected("no", code="404")])
    async def test_a_call_that_fails_is_marked_so_that_no_step_sends_more_and_asks_again(self, world: World, error: Exception) -> None:
        waiting(world)
        world.gate_caller.answers = [error]
        with pytest.raises(type(error)):
            await world.call_gate()(ASK)
        assert (gates(world)["window"].called_at, world.audit.actions()) == (NOW, [])
        world.clock.pass_(60)
        await world.call_gate()(ASK)
        assert (gates(world)["window"].called_at, world.audit.actions()) == (NOW, ["gate.called"])
        assert len(world.gate_caller.posted) == 1

    async def test_an_answer_that_comes_during_the_call_is_kept(self, world: World) -> None:
        rollout = waiting(world)
        answered = replace(rollout.stages[1].gates[1], verdicts=(YES,))
        stage = replace(rollout.stages[1], gates=(rollout.stages[1].gates[0], answered))
        meanwhile(world, stages=(rollout.stages[0], stage))
        await world.call_gate()(ASK)
        assert (gates(world)["window"].verdicts, gates(world)["window"].called_at) == ((YES,), NOW)

    async def test_a_gate_that_is_asked_anew_is_a_new_question(self, world: World) -> None:
        waiting(world)
        await world.call_gate()(ASK)
        world.clock.pass_(4000)
        waiting(world, webhook={"asked_at": world.clock()})
        await world.call_gate()(ASK)
        first, second = world.gate_caller.posted
        assert first.headers["webhook-id"] != second.headers["webhook-id"]
        assert world.audit.actions() == ["gate.called", "gate.called"]

    async def test_a_call_of_the_last_time_is_not_taken_for_one_of_this_time(self, world: World) -> None:
        rollout = waiting(world)
        anew = replace(rollout.stages[1].gates[1], asked_at=at(60))
        meanwhile(world, stages=(rollout.stages[0], replace(rollout.stages[1], gates=(rollout.stages[1].gates[0], anew))))
        await world.call_gate()(ASK)
        assert gates(world)["window"] == anew

    async def test_two_calls_at_once_are_noted_once(self, world: World) -> None:
        waiting(world)
        await asyncio.gather(*(world.call_gate()(ASK) for _ in range(2)))
        assert gates(world)["window"].called_at == NOW
        assert len({posted.headers["webhook-id"] for posted in world.gate_caller.posted}) == 1
        assert world.audit.actions() == ["gate.called"]

    @pytest.mark.parametrize("message", [replace(ASK, rollout_id="other"), replace(ASK, stage=2), replace(ASK, gate="other")])
    async def test_an_unknown_gate_is_an_error(self, world: World, message: CallGate) -> None:
        waiting(world)
        with pytest.raises(NotFound):
            await world.call_gate()(message)

    async def test_a_secret_or_an_address_that_is_missing_is_an_error(self, world: World) -> None:
        waiting(world)
        with pytest.raises(Malformed, match="SLUICE_URL"):
            await Call(world.rollouts, world.secrets, world.gate_caller, world.audit, world.clock, "")(ASK)
        world.secrets.known["kv://sluice/gate"] = "hunter2"
        with pytest.raises(Malformed, match="whsec_"):
            await world.call_gate()(ASK)
        del world.secrets.known["kv://sluice/gate"]
        with pytest.raises(NotFound):
            await world.call_gate()(ASK)
        assert world.gate_caller.posted == []


class TestAnswer:
    async def test_a_verdict_is_kept_audited_and_wakes_the_rollout(self, world: World) -> None:
        waiting(world)
        world.clock.pass_(5)
        gate = await world.answer_gate()("rollout-1", 1, "go", YES, cause="request-1")
        assert gate == gates(world)["go"]
        assert gate.verdicts == (YES,)
        assert world.rollouts.kept.now("rollout-1").updated_at == at(5)
        assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]
        (entry,) = [link.entry for link in world.audit.streams["rollout-1"]]
        assert entry is not None
        assert (entry.actor, entry.action, entry.resource, entry.cause) == ("alice", "gate.answered", "platform prod go", "request-1")
        assert (entry.detail["approved"], entry.detail["reason"]) == ("true", "looks good")

    async def test_the_same_verdict_again_only_wakes(self, world: World) -> None:
        waiting(world)
        for _ in range(3):
            await world.answer_gate()("rollout-1", 1, "go", YES, cause="request-1")
        assert len(gates(world)["go"].verdicts) == 1
        assert world.audit.actions() == ["gate.answered"]
        assert len(world.queue.messages(ROLLOUT_STEPS)) == 3

    async def test_two_people_at_once_both_count(self, world: World) -> None:
        waiting(world)
        await asyncio.gather(
            *(world.answer_gate()("rollout-1", 1, "go", replace(YES, by=by), cause="c") for by in ("alice", "bob", "alice"))
        )
        assert sorted(verdict.by for verdict in gates(world)["go"].verdicts) == ["alice", "bob"]
        assert judge(gates(world)["go"], GateFacts(), at(1)).state == "approved"

    async def test_what_the_state_forbids_is_refused_with_the_reason(self, world: World) -> None:
        waiting(world, state="superseded")
        with pytest.raises(NotAllowed, match="the rollout is superseded already"):
            await world.answer_gate()("rollout-1", 1, "go", YES, cause="c")
        waiting(world)
        meanwhile(world, state="aborted")
        with pytest.raises(NotAllowed, match="aborted"):
            await world.answer_gate()("rollout-1", 1, "go", YES, cause="c")
        assert world.queue.sent == []

    @pytest.mark.parametrize("place", [("other", 1, "go"), ("rollout-1", 0, "go"), ("rollout-1", -1, "go"), ("rollout-1", 1, "stop")])
    async def test_an_unknown_gate_is_not_found(self, world: World, place: tuple[str, int, str]) -> None:
        waiting(world)
        with pytest.raises(NotFound):
            await world.answer_gate()(*place, YES, cause="c")

    @pytest.mark.parametrize("die_at", [1, 2, 3])
    async def test_an_instance_that_dies_anywhere_leaves_what_a_second_try_completes(self, world: World, die_at: int) -> None:
        waiting(world)
        world.faults.die_at = die_at
        with pytest.raises(Killed):
            await world.answer_gate()("rollout-1", 1, "go", YES, cause="c")
        await world.answer_gate()("rollout-1", 1, "go", YES, cause="c")
        assert gates(world)["go"].verdicts == (YES,)
        assert world.audit.actions() == ["gate.answered"]
        assert world.queue.messages(ROLLOUT_STEPS) == [StepRollout(rollout_id="rollout-1")]


TOKEN = make_token(KEY, "rollout-1", 1, "window", at(3600))
APPROVED = b'{"approved": true, "reason": "no change is under way"}'


async def refusal(world: World, token: str = TOKEN, body: bytes = APPROVED, gate: str = "window") -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        await world.callback()("rollout-1", 1, gate, token, body)
    assert world.faults.writes == 0
    return refused.value.status, refused.value.reason


class TestCallback:
    async def test_the_url_of_the_question_takes_the_answer(self, world: World) -> None:
        waiting(world)
        await world.call_gate()(ASK)
        url = urlsplit(json.loads(world.gate_caller.posted[0].body)["data"]["callbackUrl"])
        (token,) = parse_qs(url.query)["token"]
        for _ in range(2):
            await world.callback()("rollout-1", 1, "window", token, APPROVED)
        (verdict,) = gates(world)["window"].verdicts
        assert (verdict.by, verdict.approved, verdict.reason) == ("webhook window", True, "no change is under way")
        with pytest.raises(NotAllowed, match="webhook window has approved already"):
            await world.callback()("rollout-1", 1, "window", token, b'{"approved": false}')

    async def test_a_wrong_token_is_refused_before_the_body_is_looked_at(self, world: World) -> None:
        waiting(world)
        other = make_token(KEY, "rollout-1", 0, "window", at(3600))
        forged = make_token(bytes(32), "rollout-1", 1, "window", at(3600))
        for token, reason in (("", "token-invalid"), ("x" * 9999, "token-invalid"), (other, "token-wrong"), (forged, "token-wrong")):
            assert await refusal(world, token, b"\xff") == (401, reason)

    async def test_a_token_without_a_form_costs_no_look_into_the_database(self, world: World) -> None:
        world.faults.down = Unavailable("database")
        assert await refusal(world, "token") == (401, "token-invalid")

    async def test_a_gate_that_is_no_webhook_has_no_token(self, world: World) -> None:
        waiting(world)
        token = make_token(KEY, "rollout-1", 1, "go", at(3600))
        assert await refusal(world, token, gate="go") == (401, "token-wrong")

    async def test_a_token_expires_with_its_gate(self, world: World) -> None:
        waiting(world)
        world.clock.pass_(3600)
        assert await refusal(world) == (401, "token-invalid")

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"", "body-invalid: not valid JSON"),
            (b"\xff", "body-invalid: not valid JSON"),
            (b"[" * 9999, "body-invalid: "),
            (b"[]", "body-invalid: Expected `object`"),
            (b"{}", "body-invalid: Object missing required field `approved`"),
            (b'{"approved": "secret"}', "body-invalid: Expected `bool`"),
            (json.dumps({"approved": True, "reason": "x" * 501}).encode(), "body-invalid: Expected `str` of length <= 500"),
        ],
    )
    async def test_a_body_of_another_shape_is_refused_with_the_reason(self, world: World, body: bytes, reason: str) -> None:
        waiting(world)
        status, told = await refusal(world, body=body)
        assert status == 400
        assert told.startswith(reason)
        assert "secret" not in told

    async def test_a_body_that_is_too_large_is_not_read(self, world: World) -> None:
        waiting(world)
        assert (await refusal(world, body=b" " * (MAX_BODY_BYTES + 1)))[0] == 413

    @pytest.mark.parametrize("secret", [None, "hunter2"])
    async def test_our_own_trouble_with_the_secret_is_no_refusal(self, world: World, secret: str | None) -> None:
        waiting(world)
        del world.secrets.known["kv://sluice/gate"]
        if secret:
            world.secrets.known["kv://sluice/gate"] = secret
        with pytest.raises(Unavailable):
            await world.callback()("rollout-1", 1, "window", TOKEN, APPROVED)
