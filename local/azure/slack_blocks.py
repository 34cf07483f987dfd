"""What Slack refuses of a message or a dialog. https://docs.slack.dev/reference/block-kit and https://docs.slack.dev/surfaces/modals"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

MAX_BLOCKS, MAX_MODAL_BLOCKS = 50, 100
MAX_SECTION, MAX_HEADER = 3000, 150
MAX_FIELDS, MAX_FIELD = 10, 2000
MAX_CONTEXT, MAX_ACTIONS = 10, 25
MAX_BUTTON, MAX_VALUE, MAX_ID, MAX_URL = 75, 2000, 255, 3000
MAX_TITLE, MAX_METADATA = 24, 3000
MAX_TEXT = 40_000
MAX_ALL_BLOCKS = 13_200


class SlackRefusalError(Exception):
    """Slack's error code, and its explanations of what it refuses."""

    def __init__(self, code: str, messages: list[str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages or []


def check_message(message: dict[str, Any]) -> None:
    text, blocks = message.get("text") or "", message.get("blocks") or []
    if not text and not blocks and not message.get("attachments"):
        raise SlackRefusalError("no_text")
    if len(text) > MAX_TEXT:
        raise SlackRefusalError("msg_too_long")
    if not isinstance(blocks, list):
        raise SlackRefusalError("invalid_blocks_format")
    _refuse("invalid_blocks", _block_problems(blocks, MAX_BLOCKS))
    if sum(_text_length(block) for block in blocks) > MAX_ALL_BLOCKS:
        raise SlackRefusalError("msg_blocks_too_long")


def check_view(view: Any) -> None:
    if not isinstance(view, dict) or view.get("type") != "modal" or not isinstance(view.get("blocks"), list):
        raise SlackRefusalError("invalid_arguments")
    problems = _block_problems(view["blocks"], MAX_MODAL_BLOCKS)
    for name in ("title", "submit", "close"):
        text = _text(view.get(name))
        if (name in view and not text) or len(text) > MAX_TITLE:
            problems.append(f"must be 1 to {MAX_TITLE} characters [json-pointer:/view/{name}]")
    if len(str(view.get("private_metadata", ""))) > MAX_METADATA:
        problems.append("must be less than 3001 characters [json-pointer:/view/private_metadata]")
    if not view.get("title") or (any(block.get("type") == "input" for block in view["blocks"]) and not view.get("submit")):
        problems.append("missing required field [json-pointer:/view]")
    _refuse("invalid_arguments", problems)


def _refuse(code: str, problems: list[str]) -> None:
    if problems:
        raise SlackRefusalError(code, [f"[ERROR] {problem}" for problem in problems])


def _block_problems(blocks: list[Any], most: int) -> list[str]:
    problems = [f"no more than {most} items allowed [json-pointer:/blocks]"] if len(blocks) > most else []
    ids = Counter(block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block)
    problems += [f"block_id {name} is used twice [json-pointer:/blocks]" for name, count in ids.items() if count > 1]
    for index, block in enumerate(blocks):
        where = f"[json-pointer:/blocks/{index}"
        if not isinstance(block, dict) or not block.get("type"):
            problems.append(f"missing required field: type {where}]")
            continue
        problems += [f"{problem} {where}]" for problem in _problems(block)]
    return problems


def _problems(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "section":
            yield from _section_problems(block)
        case "header":
            yield from _text_problems(block.get("text"), MAX_HEADER, "plain_text")
        case "context":
            yield from _count_problems(block, MAX_CONTEXT)
            for element in block.get("elements") or []:
                yield from _text_problems(element, MAX_FIELD)
        case "actions":
            yield from _count_problems(block, MAX_ACTIONS)
            yield from _action_problems(block.get("elements") or [])
        case "rich_text":
            yield from _count_problems(block, MAX_ACTIONS * MAX_CONTEXT)


def _section_problems(block: dict[str, Any]) -> Iterator[str]:
    fields = block.get("fields") or []
    if "text" not in block and not fields:
        yield "a section needs text or fields"
    if "text" in block:
        yield from _text_problems(block["text"], MAX_SECTION)
    if len(fields) > MAX_FIELDS:
        yield f"no more than {MAX_FIELDS} fields"
    for field in fields:
        yield from _text_problems(field, MAX_FIELD)


def _action_problems(elements: list[dict[str, Any]]) -> Iterator[str]:
    names = [str(element.get("action_id", "")) for element in elements]
    if len(set(names)) != len(names):
        yield "action_id must be unique"
    for element in elements:
        yield from _text_problems(element.get("text"), MAX_BUTTON, "plain_text")
        for name, most in (("action_id", MAX_ID), ("value", MAX_VALUE), ("url", MAX_URL)):
            if len(str(element.get(name, ""))) > most:
                yield f"{name} must be less than {most + 1} characters"
        if element.get("style") not in (None, "primary", "danger"):
            yield "style must be primary or danger"


def _count_problems(block: dict[str, Any], most: int) -> Iterator[str]:
    if not 1 <= len(block.get("elements") or []) <= most:
        yield f"between 1 and {most} elements"


def _text_problems(part: Any, most: int, kind: str = "") -> Iterator[str]:
    if not isinstance(part, dict) or part.get("type") not in ("plain_text", "mrkdwn") or (kind and part["type"] != kind):
        yield f"text must be {kind or 'a text object'}"
    elif not 1 <= len(_text(part)) <= most:
        yield f"must be between 1 and {most} characters"


def _text(part: Any) -> str:
    return str(part.get("text") or "") if isinstance(part, dict) else ""


def _text_length(value: Any) -> int:
    """The characters in every `text` of a block, however deep."""
    if isinstance(value, list):
        return sum(_text_length(item) for item in value)
    if not isinstance(value, dict):
        return 0
    return sum(len(item) if name == "text" and isinstance(item, str) else _text_length(item) for name, item in value.items())
