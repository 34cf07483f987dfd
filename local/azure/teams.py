"""A Teams Workflows webhook: takes a message with Adaptive Cards, within its size and rate, and keeps it.

https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
"""

import re
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from local.azure.answers import AzureError, read_object
from local.azure.buckets import FixedWindow
from local.azure.journal import Journal

MAX_BYTES = 28 * 1024
REQUESTS_PER_SECOND = 4
CHANNEL = "teams"
CARD_TYPE = "application/vnd.microsoft.card.adaptive"
ELEMENTS = frozenset(
    {
        *("ActionSet", "ColumnSet", "Container", "FactSet", "Image", "ImageSet", "Media", "RichTextBlock", "Table"),
        *("TextBlock", "Input.ChoiceSet", "Input.Date", "Input.Number", "Input.Text", "Input.Time", "Input.Toggle"),
    }
)
ACTIONS = frozenset({"Action.OpenUrl", "Action.ShowCard", "Action.ToggleVisibility", "Action.Submit", "Action.Execute"})
REQUIRED = {
    "TextBlock": "text",
    "Image": "url",
    "FactSet": "facts",
    "Container": "items",
    "ColumnSet": "columns",
    "RichTextBlock": "inlines",
    "Table": "rows",
    "ActionSet": "actions",
}


class TeamsWorkflows:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._windows: dict[str, FixedWindow] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/teams/{path:.+}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        take = self._windows.setdefault(path, FixedWindow(REQUESTS_PER_SECOND, 1.0)).take()
        if not take.allowed:
            raise AzureError(429, "TooManyRequests", "Rate limit is exceeded.", headers={"Retry-After": str(take.retry_after_seconds)})
        if len(await request.read()) > MAX_BYTES:
            raise AzureError(413, "RequestEntityTooLarge", f"The message is larger than {MAX_BYTES} bytes.")
        message = await read_object(request)
        _check_message(message)
        self._journal.keep(CHANNEL, path=path, body=message)
        return web.Response(status=202)


def _check_message(message: dict[str, Any]) -> None:
    attachments = message.get("attachments")
    if message.get("type") != "message" or not isinstance(attachments, list) or not attachments:
        raise _bad("the message needs type 'message' and attachments")
    for attachment in attachments:
        if not isinstance(attachment, dict) or attachment.get("contentType") != CARD_TYPE:
            raise _bad(f"an attachment needs contentType '{CARD_TYPE}'")
        _check_card(attachment.get("content"))


def _check_card(card: Any) -> None:
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        raise _bad("the content needs type 'AdaptiveCard'")
    if not re.fullmatch(r"1\.[0-6]", str(card.get("version"))):
        raise _bad(f"version '{card.get('version')}' is not 1.0 to 1.6")
    if not isinstance(card.get("body", []), list):
        raise _bad("body must be a list")
    for element in card.get("body", []):
        _check_element(element)
    for action in card.get("actions", []):
        _check_action(action)


def _check_element(element: Any) -> None:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in ELEMENTS:
        raise _bad(f"unknown element type {kind!r}")
    if REQUIRED.get(kind, "type") not in element:
        raise _bad(f"{kind} needs {REQUIRED[kind]}")
    for child in (*element.get("items", []), *_held(element)):
        _check_element(child)
    for inline in element.get("inlines", []):
        if not isinstance(inline, str) and not (isinstance(inline, dict) and inline.get("type") == "TextRun" and "text" in inline):
            raise _bad("an inline needs type 'TextRun' and text")
    for action in element.get("actions", []):
        _check_action(action)


def _held(element: dict[str, Any]) -> Iterator[Any]:
    """What lies in the columns of a ColumnSet, and in the cells of a Table."""
    columns = element.get("columns", []) if element["type"] == "ColumnSet" else []
    cells = [cell for row in element.get("rows", []) for cell in row.get("cells", [])]
    return (child for holder in (*columns, *cells) for child in holder.get("items", []))


def _check_action(action: Any) -> None:
    kind = action.get("type") if isinstance(action, dict) else None
    if kind not in ACTIONS:
        raise _bad(f"unknown action type {kind!r}")
    if kind == "Action.OpenUrl" and not str(action.get("url", "")).startswith(("http://", "https://")):
        raise _bad("Action.OpenUrl needs an absolute url")
    if kind == "Action.ShowCard":
        _check_card(action.get("card"))


def _bad(reason: str) -> AzureError:
    return AzureError(400, "InvalidBotAdaptiveCard", f"Bad card: {reason}.")
