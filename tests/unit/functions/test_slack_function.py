"""A click in Slack, as the worker hands it over."""

import hmac
import json
from pathlib import Path
from urllib.parse import urlencode

import azure.functions as func
import pytest
from builders import NOW, a_gate, a_rollout, a_stage
from calling import call, told
from worlds import CONFIG, World

from shared import bootstrap
from shared.domain.interactions import Asked
from shared.domain.messages import ShowRollout, encode

SLACK = "{name: ops, type: slack, tokenRef: kv://sluice/slack, channel: C1, signingSecretRef: kv://sluice/signing}"
PEOPLE = "people: [{identity: alice@contoso.example, slack: [{team: T001, user: U001}], roles: [platform-leads]}]\n"
VIEW = {
    "callback_id": "gate.approve",
    "private_metadata": Asked(rollout="rollout-1", stage="canary", gate="go").encoded(),
    "state": {"values": {"reason": {"text": {"value": "fine"}}}},
}


@pytest.fixture(autouse=True)
def slack(world: World, config_path: Path, app: bootstrap.App) -> None:
    config_path.write_text(CONFIG.replace("{name: ops, type: msteams, addressRef: kv://sluice/teams}", SLACK) + PEOPLE)
    world.secrets.known |= {"kv://sluice/signing": "s", "kv://sluice/slack": "xoxb-1"}
    world.rollouts.kept.put("rollout-1", a_rollout(a_stage(gates=(a_gate(),)), waiting_for="approval"))


def a_submission(secret: str = "s", provider: str = "ops") -> func.HttpRequest:  # noqa: S107 -- the tests' secret
    payload = {"type": "view_submission", "user": {"id": "U001", "team_id": "T001"}, "view": VIEW}
    body = urlencode({"payload": json.dumps(payload)}).encode()
    timestamp = str(int(NOW.timestamp()))
    signature = hmac.digest(secret.encode(), f"v0:{timestamp}:".encode() + body, "sha256").hex()
    headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={signature}"}
    return func.HttpRequest(
        "POST", "https://sluice.example/api", headers=headers, params={}, route_params={"provider": provider}, body=body
    )


async def test_an_answer_is_taken(world: World) -> None:
    response = await call("answer_in_slack", a_submission())
    assert (response.status_code, told(response)["response_action"]) == (200, "update")
    assert world.rollouts.kept.now("rollout-1").stages[0].gates[0].verdicts[0].by == "alice@contoso.example"


@pytest.mark.parametrize(("secret", "provider", "status"), [("wrong", "ops", 401), ("s", "nobody", 404)])
async def test_what_is_not_proven_is_told_nothing(world: World, secret: str, provider: str, status: int) -> None:
    response = await call("answer_in_slack", a_submission(secret, provider))
    assert (response.status_code, response.get_body()) == (status, b"")


@pytest.fixture
def no_config(config_path: Path) -> None:
    config_path.unlink()


@pytest.mark.usefixtures("no_config")
async def test_without_a_configuration_nothing_is_known() -> None:
    assert (await call("answer_in_slack", a_submission())).status_code == 503


async def test_a_rollout_that_moved_is_shown(world: World, app: bootstrap.App) -> None:
    body = encode(ShowRollout(rollout_id="rollout-1"))
    await call("send_notification", func.QueueMessage(id="m", body=body))
    assert world.conversations.kept.all() == []  # nothing was told of it yet


async def test_the_way_to_slack_has_its_secrets(world: World, app: bootstrap.App) -> None:
    provider = (await app.config.latest()).providers[0]
    assert await app.connect_dialog(provider)
    assert await app.connect_converser(provider)
    post = await app.post()
    assert await post.connect(provider)
