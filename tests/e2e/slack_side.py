"""Slack, as the people in it see it: the messages as they stand now, their threads, and clicks that Slack signs."""

import json
import time
from dataclasses import dataclass
from hmac import digest
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from messages import text_of
from playground import Answer, Json, Playground

from local.stack.seed import SLACK_SIGNING

TEAM = "T0CONTOSO"
PROVIDER = "ops-slack"


@dataclass(frozen=True)
class Interaction:
    """One request, as it may be sent once more."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class SlackSide:
    play: Playground

    async def heads(self) -> list[Json]:
        """The messages of the channel itself, as they stand now, each with `ts`."""
        posted = [one for one in await self.play.azure.slack("chat.postMessage") if not one["body"].get("thread_ts")]
        edits = {one["ts"]: one["body"] for one in await self.play.azure.slack("chat.update")}
        return [{"ts": one["ts"]} | one["body"] | edits.get(one["ts"], {}) for one in posted]

    async def replies(self) -> list[Json]:
        return [one["body"] for one in await self.play.azure.slack("chat.postMessage") if one["body"].get("thread_ts")]

    async def head(self) -> Json:
        """Of the one rollout; empty before it is there."""
        found = await self.heads()
        assert len(found) <= 1, [text_of(one) for one in found]
        return found[0] if found else {}

    async def buttons(self) -> dict[str, Json]:
        """What can be clicked on, by its action."""
        blocks = (await self.head()).get("blocks", [])
        return {button["action_id"]: button for block in blocks if block["type"] == "actions" for button in block["elements"]}

    def click(self, user: str, button: Json, **signing: Any) -> Interaction:
        action = {"type": "button", "action_id": button["action_id"], "block_id": "gate.0", "value": button["value"], "action_ts": "1"}
        payload = {"trigger_id": f"12.34.{uuid4().hex}", "channel": {"id": "C0OPS", "name": "ops"}, "actions": [action]}
        return interaction("block_actions", user, payload, **signing)

    def submission(self, user: str, view: Json, reason: str) -> Interaction:
        state = {"values": {"reason": {"text": {"type": "plain_text_input", "value": reason}}}}
        return interaction("view_submission", user, {"view": view | {"id": "V1", "state": state}})

    async def send(self, given: Interaction) -> Answer:
        return await self.play.post_to(f"slack/interactions/{PROVIDER}", given.body, given.headers)


def interaction(kind: str, user: str, payload: Json, *, secret: str = SLACK_SIGNING, seconds: float = 0) -> Interaction:
    """Signed as docs.slack.dev/authentication/verifying-requests-from-slack says."""
    who = {"type": kind, "user": {"id": user, "team_id": TEAM}, "team": {"id": TEAM, "domain": "contoso"}, "api_app_id": "A1"}
    body = urlencode({"payload": json.dumps(who | payload)}).encode()
    timestamp = str(int(time.time() + seconds))
    signature = digest(secret.encode(), f"v0:{timestamp}:".encode() + body, "sha256").hex()
    headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={signature}"}
    return Interaction(headers | {"Content-Type": "application/x-www-form-urlencoded"}, body)
