"""Adaptive Cards: shape, limits, and nothing that Teams could read as markup."""

import re
from datetime import datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import HOSTILE, batches, failed_stage, nodes, strings

from shared.domain.announcements import ClusterLine
from shared.providers.adaptive_card import BAR_CELLS, Part, bar
from shared.providers.msteams import MESSAGE_LIMIT, render

# Elements that Teams shows as they are. FactSet would read Markdown, and so does TextBlock, which holds nothing but a moment.
ELEMENTS = {
    "AdaptiveCard",
    "Container",
    "RichTextBlock",
    "TextRun",
    "TextBlock",
    "Table",
    "TableRow",
    "TableCell",
    "ActionSet",
    "Action.OpenUrl",
    "message",
}
AT = datetime(2026, 11, 28, 15, 5, tzinfo=timezone(timedelta(hours=1)))
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
MOMENT = re.compile(rf"(Since|At) \{{\{{DATE\({STAMP}, SHORT\)\}}\}} \{{\{{TIME\({STAMP}\)\}}\}} \(\d\d [A-Z][a-z][a-z] \d\d:\d\d UTC\)")


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
    assert not re.search(r"[^\w\s,:;%+-]|_", message["attachments"][0]["content"]["fallbackText"])
    for node in nodes(message):
        assert node.get("type") != "TextBlock" or MOMENT.fullmatch(str(node["text"]))
        assert node.get("type") != "TextRun" or not re.search(r"\{\{\s*(DATE|TIME)", str(node["text"]), re.IGNORECASE)
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
    [
        ("stage.failed", "error", "attention \u2716 Needs attention"),
        ("rollout.succeeded", "info", "good \u2714 Done"),
        ("rollout.started", "info", "accent \u25cf News"),
        ("gate.waiting", "info", "warning \u25b2 Waiting for people"),
        ("gate.waiting", "error", "attention \u2716 Needs attention"),
    ],
)
def test_colour_and_words_tell_how_urgent_it_is(kind: str, severity: str, style: str) -> None:
    heading = card(failed_stage(kind=kind, severity=severity))["body"][0]  # type: ignore[index]
    assert f"{heading['style']} {shown(heading)}".startswith(f"{style} \u00b7 Sluice\n")


@pytest.mark.parametrize(("severity", "word"), [("error", "Since"), ("info", "At")])
def test_when_by_the_readers_clock_and_in_utc(severity: str, word: str) -> None:
    (block,) = (node for node in nodes(card(failed_stage(at=AT, severity=severity))) if node.get("type") == "TextBlock")
    stamp = "2026-11-28T14:05:00Z"
    assert block["text"] == f"{word} {{{{DATE({stamp}, SHORT)}}}} {{{{TIME({stamp})}}}} (28 Nov 14:05 UTC)"


def test_what_to_do_is_a_box_of_its_own() -> None:
    body = card(failed_stage(next_step="Push a fix."))["body"]
    (box,) = (each for each in body if each.get("style") == "emphasis")  # type: ignore[attr-defined]
    assert shown(box) == "What to do: \nPush a fix."


def test_a_fact_that_says_what_to_do_is_not_told_twice() -> None:
    told = shown(render([failed_stage(next_step="sluice approve 1", facts=(("Answer", "sluice approve 1"), ("By", "alice")))]))
    assert (told.count("sluice approve 1"), told.count("alice")) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "cells"),
    [
        ({"total": 60, "compliant": 31, "failed": 29}, "\u25a0" * 8 + "\n" + "\u25a0" * 8 + "\n  31 of 60"),
        ({"total": 1000, "compliant": 1, "failed": 1}, "\u25a0\n\u25a0\n" + "\u25a1" * 14 + "\n  1 of 1,000"),
        ({"total": 1000, "compliant": 999, "failed": 0}, "\u25a0" * 15 + "\n\u25a1\n  999 of 1,000"),
        ({"total": 64, "compliant": 4, "rolledBack": 60}, "\u25a0\n" + "\u25a0" * 15 + "\n  64 of 64"),
        ({"total": 4, "compliant": 0}, "\u25a1" * 16 + "\n  0 of 4"),
        ({"total": 0}, ""),
        ({}, ""),
        ({"total": 2, "compliant": 3}, ""),
        ({"total": "many", "compliant": -1}, ""),
    ],
)
def test_progress_is_a_bar_and_words(fields: dict, cells: str) -> None:
    bars = [
        shown(each)
        for each in card(failed_stage(fields=fields))["body"]  # type: ignore[attr-defined]
        if "\u25a0" in shown(each) or "\u25a1" in shown(each)
    ]
    assert bars == ([cells] if cells else [])


@given(sizes=st.lists(st.integers(0, 10**6), min_size=3, max_size=3), rest=st.integers(0, 10**6))
def test_a_bar_is_as_long_as_every_other_and_hides_nothing(sizes: list[int], rest: int) -> None:
    total = sum(sizes) + rest
    if total:
        blocks = bar([Part("good", size) for size in sizes], total, "words")["inlines"][:-1]
        assert sum(len(block["text"]) for block in blocks) == BAR_CELLS
        assert sum(block["text"][0] == "\u25a0" for block in blocks) == sum(size > 0 for size in sizes)
        assert any(block["text"][0] == "\u25a1" for block in blocks) == (rest > 0)


def test_a_reason_is_told_once_with_every_cluster_on_a_line_of_its_own() -> None:
    lines = tuple(ClusterLine(f"store-{number}", ("no disk", "no net")[number % 2]) for number in range(4))
    table = card(failed_stage(clusters=lines, facts=()))["body"][2]  # type: ignore[index]
    cells = [[[shown(line) for line in cell["items"]] for cell in row["cells"]] for row in table["rows"]]
    assert cells == [[["Cluster"], ["Why"]], [["store-0", "store-2"], ["no disk"]], [["store-1", "store-3"], ["no net"]]]
    assert table["firstRowAsHeader"] is table["firstRowAsHeaders"] is True


def test_functions_of_cards_are_not_computed_in_texts_from_outside() -> None:
    told = shown(render([failed_stage(summary="{{DATE(2026-01-01T00:00:00Z)}} {{{TIME (x)}} {{ .Values.x }} ${x}")]))
    assert "{ {DATE(2026-01-01T00:00:00Z)}} {{ {TIME (x)}} {{ .Values.x }} ${x}" in told


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
    assert [shown(each).splitlines()[1] for each in containers] == ["platform: stage canary failed", "second", "third"]
    assert "and 38 more" in shown(card(*[failed_stage()] * 51))


def test_the_first_failure_is_the_heading() -> None:
    body = card(failed_stage(severity="info", title="news"), failed_stage(title="first"), failed_stage(title="second"))["body"]
    containers = [each for each in body if each["type"] == "Container"]  # type: ignore[attr-defined]
    assert [shown(each).splitlines()[1] for each in containers] == ["first", "second", "news"]


def test_a_reason_that_many_have_leaves_room_for_others() -> None:
    lines = tuple(ClusterLine(f"store-{number}", "no disk" if number < 30 else "no net") for number in range(32))
    told = shown(render([failed_stage(clusters=lines, more_clusters=0)]))
    assert (told.count("store-"), told.count("no net")) == (10, 1)
    assert "and 22 more" in told


def test_a_section_names_few_clusters_and_links_only_where_the_heading_does_not() -> None:
    lines = tuple(ClusterLine(f"store-{number}", "no disk") for number in range(20))
    other = failed_stage(
        clusters=lines,
        more_clusters=0,
        links=(("Open rollout", "https://sluice.example/rollouts/1"), ("Fleet", "https://sluice.example/fleet")),
    )
    _, *rest = card(failed_stage(clusters=()), other)["body"]  # type: ignore[misc]
    assert shown(rest[-1]).count("store-") == 6
    assert "and 14 more" in shown(rest[-1])
    assert [node["title"] for node in nodes(rest[-1]) if node.get("type") == "Action.OpenUrl"] == ["Fleet"]


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
    assert shown(render([failed_stage(title=" ")])).splitlines()[1] == "stage.failed"


def test_old_clients_read_the_title_as_words() -> None:
    content = card(failed_stage(title="[x](https://evil.example) *b* www.evil.example <at>all</at>"))
    assert content["fallbackText"] == "x https: evil example b www evil example at all at"
