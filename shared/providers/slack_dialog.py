"""How people are asked for the reason of an answer in Slack, and told in private what came of it.

https://docs.slack.dev/reference/methods/views.open, https://docs.slack.dev/reference/methods/chat.postEphemeral and
https://docs.slack.dev/surfaces/modals
"""

from shared.domain.asks import MAX_REASON_CHARACTERS
from shared.domain.interactions import REASON_BLOCK, REASON_FIELD, Answering, Asked, dialog_id
from shared.domain.rollouts import Rollout
from shared.providers.http import OutboundHttp
from shared.providers.slack_api import SlackApi
from shared.providers.slack_blocks import context, paragraph, plain, rich, run
from shared.providers.wording import Message, line, safe

_TITLE = 24  # characters of a modal's title and buttons
_WHERE, _COMMIT, _TOLD = 200, 300, 1500
_VERBS: dict[Answering, str] = {"approve": "Approve", "reject": "Reject"}


class SlackDialog:
    """Implements ports.Dialog."""

    def __init__(self, http: OutboundHttp, address: str, token: str) -> None:
        self._api = SlackApi(http, address, token)

    async def ask(self, trigger: str, answering: Answering, asked: Asked, rollout: Rollout) -> None:
        await self._api.call("views.open", {"trigger_id": trigger, "view": reason_modal(answering, asked, rollout)})

    async def whisper(self, channel: str, user: str, text: str) -> None:
        """Not by the response_url of the request: nothing is sent where a request says."""
        told = safe(text, _TOLD) or "?"
        blocks = [{"type": "section", "text": plain(told)}]
        escaped = told.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        await self._api.call("chat.postEphemeral", {"channel": channel, "user": user, "text": escaped, "blocks": blocks})


def reason_modal(answering: Answering, asked: Asked, rollout: Rollout) -> Message:
    verb = _VERBS[answering]
    commit = line(f"{rollout.revision[:8]} {rollout.title}", _COMMIT)
    what = rich([paragraph(run(line(f"{rollout.route} / {asked.stage} / {asked.gate}", _WHERE), bold=True)), paragraph(run(commit))])
    element = {
        "type": "plain_text_input",
        "action_id": REASON_FIELD,
        "min_length": 1,
        "max_length": MAX_REASON_CHARACTERS,
        "focus_on_load": True,
        "placeholder": plain("Others read it in the audit trail"),
    }
    return {
        "type": "modal",
        "callback_id": dialog_id(answering),
        "private_metadata": asked.encoded(),
        "title": plain(verb),
        "submit": plain(verb),
        "close": plain("Cancel"),
        "blocks": [what, {"type": "input", "block_id": REASON_BLOCK, "label": plain("Why?"), "element": element}],
    }


def told_modal(title: str, text: str) -> Message:
    """What stands in the dialog's place once it is answered."""
    blocks = [{"type": "section", "text": plain(safe(text, _TOLD) or "?")}, context("The message in the channel follows.")]
    return {"type": "modal", "title": plain(title[:_TITLE]), "close": plain("Close"), "blocks": blocks}
