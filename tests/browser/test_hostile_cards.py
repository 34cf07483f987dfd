"""Whatever users and clusters write is shown as text by Microsoft's own renderer of cards, with Markdown switched on."""

import pytest
from hostile import ADDRESSES, ATTACKS, FIELDS, MARK, OWN, linked, marked, parcel
from playwright.async_api import Page
from teams import PHONE, open_teams, show
from test_hostile_texts import FOR_PROGRAMS
from test_teams_cards import assert_whole

from shared.providers.msteams import render


@pytest.mark.parametrize("field", FIELDS)
async def test_a_text_is_shown_as_text(page: Page, field: str) -> None:
    await open_teams(page)
    for attack in ATTACKS:
        message = render(parcel(field, marked(attack)).announcements)
        shown = await show(page, message, width=PHONE)
        assert_whole(message, shown)
        assert (MARK in shown.text) == (field not in FOR_PROGRAMS), attack
        assert shown.overflowing == [], attack


async def test_an_address_becomes_no_button(page: Page) -> None:
    await open_teams(page)
    for address in ADDRESSES:
        message = render(linked(address).announcements)
        shown = await show(page, message)
        assert_whole(message, shown)
        assert shown.buttons == [], address


async def test_a_button_opens_its_page_and_nothing_else(page: Page) -> None:
    await open_teams(page)
    await show(page, render(linked(f"{OWN}/api/dashboard?rollout=1&stage=a+b").announcements))
    await page.locator("button").click()
    assert await page.evaluate("window.opened") == [f"{OWN}/api/dashboard?rollout=1&stage=a+b"]
