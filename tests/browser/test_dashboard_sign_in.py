"""The dashboard where App Service signs people in: what it says to whom. The browser sends what App Service adds to its requests."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from dashboards import Playground, expect, opened, principal, running
from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

TITLE = "Bring a new till to every shop"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Playground]:
    state = tmp_path_factory.mktemp("stack")
    async with running(state, clusters=6, canary_share=0.4, settings={"WEBSITE_AUTH_ENABLED": "True"}) as play:
        gate = "gates: [{type: approval, approvers: [platform-leads], required: 2}]"
        play.configure("maxConcurrency: 50%", f"maxConcurrency: 50%\n        {gate}")
        await play.push(TITLE)
        yield play


async def gate_page(page: Page) -> str:
    """The query of the page that asks."""
    review = page.get_by_role("link", name="Review prod")
    await expect(review).to_be_visible()
    return str(await review.get_attribute("href")).removeprefix("/api/dashboard")


async def test_whoever_is_not_signed_in_is_sent_there_and_back(play: Playground) -> None:
    async with opened(play, "?rollout=abc&state=failed") as page:
        await expect(page.locator("h1")).to_have_text("Sign in to see this")
        link = urlsplit(str(await page.get_by_role("link", name="Sign in").get_attribute("href")))
        assert (link.scheme, link.netloc, link.path) == ("", "", "/.auth/login/aad")
        assert parse_qs(link.query) == {"post_login_redirect_uri": ["/api/dashboard?rollout=abc&state=failed"]}


async def test_whoever_has_no_role_is_told_so(play: Playground) -> None:
    async with opened(play, headers=principal("eve@contoso.example")) as page:
        await expect(page.locator("h1")).to_have_text("You may not see this")
        await expect(page.locator("main")).to_contain_text("The role Reader or Operator or Approver is missing.")
        await expect(page.get_by_text("eve@contoso.example")).to_be_visible()


async def test_a_reader_sees_and_is_asked_nothing(play: Playground) -> None:
    async with opened(play, headers=principal("sam@contoso.example", "Reader")) as page:
        query = await gate_page(page)
        await page.get_by_role("link", name=TITLE).click()
        await expect(page.locator(".head h1")).to_have_text(TITLE)
        await expect(page.locator(".head button")).to_have_count(0)
        await expect(page.get_by_label("Acting as")).to_have_count(0)
        await page.goto(f"{play.stack.host}/api/dashboard{query}")
        await expect(page.locator("main")).to_contain_text("You are not one of those asked, sam@contoso.example: platform-leads.")
        await expect(page.get_by_role("button", name="Approve")).to_have_count(0)


async def test_those_who_are_asked_answer_each_once(play: Playground) -> None:
    async with opened(play, headers=principal("kim@contoso.example", "Reader", "platform-leads")) as page:
        await page.goto(f"{play.stack.host}/api/dashboard{await gate_page(page)}")
        await page.get_by_label("Reason").fill("looks good")
        await page.get_by_role("button", name="Approve").click()
        await expect(page.get_by_text("You have approved already. More people are asked.")).to_be_visible()
        await expect(page.locator(".facts")).to_contain_text("1 of 2")
        query = page.url.partition("/api/dashboard")[2]
    async with opened(play, query, headers=principal("lee@contoso.example", "Approver", "platform-leads")) as page:
        await expect(page.locator(".verdicts")).to_contain_text("kim@contoso.example: looks good")
        await page.get_by_label("Reason").fill("not on a Friday")
        await page.get_by_role("button", name="Reject").click()
        await expect(page.locator("main")).to_contain_text("The gate is rejected already: rejected by lee@contoso.example: not on a Friday")


async def test_a_sign_in_that_ends_leaves_what_was_seen(play: Playground) -> None:
    async with opened(play, headers=principal("sam@contoso.example", "Reader")) as page:
        await expect(page.get_by_role("link", name=TITLE)).to_be_visible()
        await page.set_extra_http_headers({})
        await page.context.set_extra_http_headers({})
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.get_by_role("alert")).to_contain_text("You are not signed in any more.")
        await expect(page.get_by_role("link", name="Sign in again")).to_be_visible()
        await expect(page.get_by_role("link", name=TITLE)).to_be_visible()
