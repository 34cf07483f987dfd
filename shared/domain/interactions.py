"""What somebody did to one of our messages in Slack: clicked a button, or sent off the dialog that it opened.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload and .../view-interactions-payload
"""

from typing import Annotated, Any, Literal, TypeGuard
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

from shared.domain.errors import Refused
from shared.domain.record import Record

#: A payload of a click holds the message that was clicked on, with all of its blocks.
MAX_BODY_BYTES = 256 * 1024
Answering = Literal["approve", "reject"]

_DIALOGS: dict[str, Answering] = {"gate.approve": "approve", "gate.reject": "reject"}
REASON_BLOCK, REASON_FIELD = "reason", "text"

_Text = Annotated[str, Meta(max_length=200)]
_Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,64}$")]


class Asked(Record, frozen=True):
    """Which gate a button, or a dialog, is about. It goes to Slack and comes back."""

    rollout: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    stage: _Text
    gate: _Text

    def encoded(self) -> str:
        return msgspec.json.encode(self).decode()


class SlackUser(Record, frozen=True):
    """Who did it. Ids of users are unique within their workspace (docs.slack.dev/reference/objects/user-object)."""

    team: str
    id: str


class Click(Record, frozen=True):
    """A button below one of our messages."""

    user: SlackUser
    channel: str
    answering: Answering
    asked: Asked
    trigger: str  #: opens a dialog, once and within 3 seconds


class Submission(Record, frozen=True):
    """The dialog was sent off."""

    user: SlackUser
    answering: Answering
    asked: Asked
    reason: str


class Nothing(Record, frozen=True):
    """What needs an answer, and no work: a link was followed, a dialog was closed."""


class _Team(msgspec.Struct, frozen=True):
    id: _Id


class _User(msgspec.Struct, frozen=True):
    id: _Id
    team_id: _Id | None = None  #: their own workspace, where a channel is shared between several


class _Channel(msgspec.Struct, frozen=True):
    id: _Id


class _Action(msgspec.Struct, frozen=True):
    action_id: str = ""
    value: Annotated[str, Meta(max_length=2000)] = ""


class _View(msgspec.Struct, frozen=True):
    callback_id: str = ""
    private_metadata: Annotated[str, Meta(max_length=3000)] = ""
    state: dict[str, Any] = {}


class _Payload(msgspec.Struct, frozen=True):
    """The parts of a payload that matter here."""

    type: str
    user: _User
    team: _Team | None = None
    channel: _Channel | None = None
    trigger_id: Annotated[str, Meta(max_length=200)] = ""
    actions: tuple[_Action, ...] = ()
    view: _View | None = None


def read_interaction(body: bytes) -> Click | Submission | Nothing:
    """What a proven body tells. Raises Refused 400 where it is none of Slack's, or does not hold what we put into it."""
    payload = _payload(body)
    user = SlackUser(team=payload.user.team_id or (payload.team.id if payload.team else ""), id=payload.user.id)
    if payload.type == "block_actions":
        return _click(payload, user)
    if payload.type == "view_submission":
        return _submission(payload, user)
    return Nothing()


def dialog_id(answering: Answering) -> str:
    """The callback_id of the dialog that asks for the reason."""
    return next(name for name, known in _DIALOGS.items() if known == answering)


def _payload(body: bytes) -> _Payload:
    try:
        form = parse_qs(body.decode(), max_num_fields=8)
        return msgspec.json.decode(form["payload"][0], type=_Payload)
    except (KeyError, ValueError, RecursionError):
        raise Refused(400, "payload-invalid") from None


def _click(payload: _Payload, user: SlackUser) -> Click | Nothing:
    action = payload.actions[0] if payload.actions else _Action()
    answering = action.action_id
    if not _is_answering(answering):
        return Nothing()
    if payload.channel is None or not payload.trigger_id:
        raise Refused(400, "payload-incomplete")
    return Click(user=user, channel=payload.channel.id, answering=answering, asked=_asked(action.value), trigger=payload.trigger_id)


def _submission(payload: _Payload, user: SlackUser) -> Submission | Nothing:
    view = payload.view or _View()
    answering = _DIALOGS.get(view.callback_id)
    if answering is None:
        return Nothing()
    return Submission(user=user, answering=answering, asked=_asked(view.private_metadata), reason=_reason(view.state))


def _is_answering(name: str) -> TypeGuard[Answering]:
    return name in _DIALOGS.values()


def _asked(text: str) -> Asked:
    try:
        return msgspec.json.decode(text, type=Asked)
    except (ValueError, RecursionError):
        raise Refused(400, "payload-foreign") from None


def _reason(state: object) -> str:
    """What was typed; empty where nothing was, which is then refused in words."""
    node = state
    for name in ("values", REASON_BLOCK, REASON_FIELD, "value"):
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, str) else ""
