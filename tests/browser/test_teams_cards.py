"""Every kind of announcement as Microsoft's renderer shows it in Teams' colours: whole, legible, and nothing beside it."""

from collections.abc import Iterator
from typing import Any

import pytest
import told
from playwright.async_api import Page
from teams import PANE, PHONE, Shown, Theme, open_teams, show

from shared.domain.announcements import Announcement
from shared.providers.msteams import render

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
OURS = {"div", "span", "p", "button", "br"}
PARCELS: dict[str, list[Announcement]] = {
    **{name: [announcement] for name, announcement in told.everything()},
    "a storm": told.storm(),
    "a thousand offline": [told.of_the_fleet("cluster.offline", 1000)],
    "everything at once": [announcement for _, announcement in told.everything()],
}


def strings(node: Any, kind: str, name: str) -> Iterator[str]:
    """What all elements of a kind say there."""
    if isinstance(node, dict):
        if node.get("type") == kind:
            yield node[name]
        yield from (text for value in node.values() for text in strings(value, kind, name))
    elif isinstance(node, list):
        yield from (text for each in node for text in strings(each, kind, name))


def assert_whole(message: dict[str, Any], shown: Shown) -> None:
    assert shown.problems == []
    pictures = list(strings(message, "Image", "url"))
    assert set(shown.tags) <= OURS | ({"img"} if pictures else set())
    assert (shown.handlers, shown.addresses, shown.attacked) == ([], pictures, False)
    assert [line for text in strings(message, "TextRun", "text") for line in text.split("\n") if line not in shown.text] == []
    assert shown.buttons == list(strings(message, "Action.OpenUrl", "title"))


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_kind_is_shown_whole_on_a_phone_and_in_a_pane(page: Page, theme: Theme) -> None:
    await open_teams(page)
    for name, announcements in PARCELS.items():
        message = render(announcements)
        for width in (PHONE, PANE):
            shown = await show(page, message, theme, width)
            assert_whole(message, shown)
            assert shown.overflowing == [], (name, width)
            assert shown.faint == [], (name, theme)


async def test_long_words_are_broken_and_do_not_widen_the_card(page: Page) -> None:
    await open_teams(page)
    endless = "kustomization-without-any-space-" * 30
    clusters = tuple(told.announce.ClusterLine(name=endless, reason=endless) for _ in range(2))
    failed = told.replace(told.of_rollout("stage.failed"), title=endless, summary=endless, clusters=clusters, facts=((endless, endless),))
    for width in (PHONE, PANE):
        assert (await show(page, render([failed]), width=width)).overflowing == []


async def test_a_moment_is_told_by_the_readers_own_clock(page: Page) -> None:
    await open_teams(page)
    shown = await show(page, render([told.of_rollout("gate.waiting")]))
    here = await page.evaluate("new Date('2026-11-28T14:05:00Z').toLocaleTimeString('en', {hour: 'numeric', minute: '2-digit'})")
    assert f"Sat, Nov 28, 2026 {here} (28 Nov 14:05 UTC)" in shown.text
    assert "{{" not in shown.text


async def test_the_renderer_and_these_checks_do_find_what_is_wrong(page: Page) -> None:
    """Or the tests above would pass whatever the card."""
    await open_teams(page)
    body = [
        {"type": "NoSuchElement"},
        {"type": "TextBlock", "text": "[a link](https://evil.example) {{DATE(2026-01-01T00:00:00Z, SHORT)}}"},
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "{{DATE(2026-01-01T00:00:00Z, SHORT)}}"}]},
        {"type": "ColumnSet", "columns": [{"type": "Column", "width": "900px", "items": [{"type": "Image", "url": PIXEL}]}]},
        {"type": "TextBlock", "text": "faint", "color": "Warning"},
    ]
    card = {"type": "AdaptiveCard", "version": "1.5", "body": body}
    shown = await show(page, {"attachments": [{"content": card}]}, width=PHONE)
    assert len(shown.problems) == 1
    assert {"a", "img"} <= set(shown.tags)
    assert {"https://evil.example", PIXEL} <= set(shown.addresses)
    assert "{{DATE" not in shown.text
    assert shown.overflowing
    assert any(text.endswith("faint") for text in shown.faint)
