"""A stack's dashboard, open in a browser of somebody who looks at it."""

import base64
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from chromium import launched
from playwright.async_api import ConsoleMessage, Locator, Page, expect

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from playground import Playground, Push, running

__all__ = ["Playground", "Push", "expect", "fits", "given_in", "opened", "principal", "running", "seen"]

PATH = "/api/dashboard"
#: A busy machine takes its time.
expect.set_options(timeout=30_000)


@asynccontextmanager
async def opened(
    play: Playground, query: str = "", *, width: int = 1280, scheme: str = "light", headers: Mapping[str, str] | None = None
) -> AsyncIterator[Page]:
    """The dashboard at `query`. Fails where a script failed, or the browser refused to do what the policy forbids."""
    async with launched() as browser:
        context = await browser.new_context(
            viewport={"width": width, "height": 860},
            color_scheme="dark" if scheme == "dark" else "light",
            extra_http_headers=dict(headers or {}),
        )
        page = await context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.extend(_complaint(message)))
        await page.goto(f"{play.stack.host}{PATH}{query}")
        await expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")
        yield page
        assert complaints == []
        await context.close()


def _complaint(message: ConsoleMessage) -> list[str]:
    """What the app answers with 4xx and 5xx is logged by the browser too: the page has its own words for it."""
    return [message.text] if message.type == "error" and not message.text.startswith("Failed to load resource") else []


def principal(name: str, *roles: str) -> dict[str, str]:
    """The header of App Service for somebody who is signed in."""
    claims = [{"typ": "preferred_username", "val": name}, *({"typ": "roles", "val": role} for role in roles)]
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps({"auth_typ": "aad", "claims": claims}).encode()).decode()}


def given_in(page: Page) -> str:
    """What the address asks for."""
    return page.url.partition(PATH)[2]


def seen(page: Page, text: str) -> Locator:
    return page.locator("main").get_by_text(text, exact=True).first


async def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
