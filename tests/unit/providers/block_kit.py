"""Block Kit as Slack's own SDK models it, and the limits of its documentation that the models do not know."""

from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from texts import nodes

# https://docs.slack.dev/reference/block-kit: one page a block, an element and a composition object.
MOST = {"section": 3000, "header": 150, "button": 75}


def check_message(message: dict[str, Any]) -> None:
    check_blocks(message["blocks"], 50)
    assert 1 <= len(message["text"]) <= 4000
    assert sum(len(str(node["text"])) for node in nodes(message["blocks"]) if isinstance(node.get("text"), str)) <= 13_200


def check_modal(view: dict[str, Any]) -> None:
    View(**view).validate_json()
    check_blocks(view["blocks"], 100)
    for name in ("title", "submit", "close"):
        assert 1 <= len(view.get(name, {"text": "x"})["text"]) <= 24
    assert len(view.get("private_metadata", "")) <= 3000
    assert len(view.get("callback_id", "")) <= 255


def check_blocks(blocks: list[dict[str, Any]], most: int) -> None:
    parsed = Block.parse_all(blocks)
    assert [block.type for block in parsed] == [block["type"] for block in blocks]
    for block in parsed:
        block.validate_json()
    assert len(blocks) <= most
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    assert len(set(ids)) == len(ids)
    for node in nodes(blocks):
        _check(node)


def _check(node: dict[str, Any]) -> None:
    text = node.get("text")
    if isinstance(text, dict):
        assert 1 <= len(text["text"]) <= MOST[node["type"]]
    elif "text" in node:
        assert text
    fields, elements = node.get("fields", []), node.get("elements", [1])
    assert len(fields) <= 10
    assert all(1 <= len(field["text"]) <= 2000 for field in fields)
    assert 1 <= len(elements) <= {"context": 10, "actions": 25}.get(str(node.get("type")), 1000)
    if node.get("type") == "actions":
        actions = [element["action_id"] for element in elements]
        assert len(set(actions)) == len(actions)
    for name, most in (("action_id", 255), ("value", 2000), ("url", 3000), ("block_id", 255)):
        assert len(node.get(name, "")) <= most
