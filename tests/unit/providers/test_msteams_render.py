"""Adaptive Cards: shape, limits, and nothing that Teams could read as markup."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from texts import HOSTILE, batches, failed_stage, nodes, strings

from shared.domain.announcements import ClusterLine
from shared.providers.msteams import MESSAGE_LIMIT, render

# Elements that Teams shows as they are; TextBlock and FactSet would read Markdown.
ELEMENTS = {
    "AdaptiveCard",
    "Container",
    "RichTextBlock",
    "TextRun",
    "Table",
    "TableRow",
    "TableCell",
    "ActionSet",
    "Action.OpenUrl",
    "message",
}


def card(*announcements: object) -> dict[str, object]:
    return render(announcements)["attachments"][0]["content"]  # type: ignore[arg-type]


def shown(message: object) -> str:
    return "\n".join(str(node["text"]) for node in nodes(message) if node.get("type") == "TextRun")


@settings(deadline=None, max_examples=50)
@given(batch=batches)
def test_whatever_is_told_fits_and_carries_no_markup(batch: list) -> None:
    message = render(batch)
    sent = msgspec.json.encode(message)
    assert len(sent) <= MESSAGE_LIMIT
    assert msgspec.json.decode(sent) == message
    assert {node["type"] for node in nodes(message) if "type" in node} <= ELEMENTS
    assert not any(re.search(r"</?at\b|<[!@#]", text, re.IGNORECASE) for text in strings(message))
    for node in nodes(message):
        assert not {"entities", "url"} & set(node) or str(node["url"]).startswith(("https://", "http://127.0.0.1"))


def test_the_envelope_and_the_card() -> None:
    message = render([failed_stage()])
    attachment = message["attachments"][0]
    assert (message["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert attachment["contentUrl"] is None
    content = attachment["content"]
    assert (content["version"], content["msteams"]) == ("1.5", {"width": "Full"})
    told = shown(message)
    for text in ("platform: stage canary failed", "3 of 12", "0a1b2c3", "refs/heads/feature_x_y", "store-001", "BuildFailed", "and 1 more"):
        assert text in told
    (action,) = (node for node in nodes(message) if node.get("type") == "Action.OpenUrl")
    assert (action["title"], action["url"]) == ("Open rollout", "https://sluice.example/rollouts/1")


@pytest.mark.parametrize(
    ("kind", "severity", "style"),
    [("stage.failed", "error", "attention"), ("rollout.succeeded", "info", "good"), ("rollout.started", "info", "emphasis")],
)
def test_the_colour_tells_the_severity(kind: str, severity: str, style: str) -> None:
    assert card(failed_stage(kind=kind, severity=severity))["body"][0]["style"] == style  # type: ignore[index]


def test_hostile_texts_are_shown_as_text() -> None:
    told = shown(render([failed_stage(summary=HOSTILE)]))
    assert "[a](https://evil.example) *b* _c_ `d`" in told
    assert "\u2039!channel>" in told
    assert "\u202e" not in told


def test_clusters_give_way_to_the_limit_and_are_counted() -> None:
    lines = tuple(ClusterLine(f"cluster-{number:03}", "reason " * 40) for number in range(300))
    message = render([failed_stage(clusters=lines, more_clusters=700)])
    named = shown(message).count("cluster-")
    assert 0 < named <= 20
    assert f"and {1000 - named} more" in shown(message)


def test_several_announcements_are_one_heading_and_sections() -> None:
    body = card(failed_stage(), failed_stage(title="second"), failed_stage(title="third"))["body"]
    containers = [each for each in body if each["type"] == "Container"]  # type: ignore[attr-defined]
    assert [shown(each).splitlines()[0] for each in containers] == ["platform: stage canary failed", "second", "third"]
    assert "and 38 more" in shown(card(*[failed_stage()] * 51))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://sluice.example/",
        "http://127.0.0.1@evil.example/",
        "https://a@evil.example",
        "https:///x",
        "https://a b/",
        "https://a\\@b/",
        "http://127.0.0.1.evil.example/",
        "https://[x/",
        "https://a:99999/",
        "https://e/" + "x" * 700,
    ],
)
def test_an_unsafe_link_is_left_out(url: str) -> None:
    assert not any("url" in node for node in nodes(render([failed_stage(links=(("x", url),))])))


def test_an_empty_title_falls_back_to_the_kind() -> None:
    assert shown(render([failed_stage(title=" ")])).startswith("stage.failed")
