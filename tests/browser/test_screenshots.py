"""Pictures of cards for the documentation, small ones. `make screenshots` keeps them; nothing compares them."""

import io
import os
from pathlib import Path

import pytest
import told
from PIL import Image
from playwright.async_api import Browser
from teams import Theme, open_teams, show

from shared.domain.announcements import Announcement
from shared.providers.msteams import render

MOST_BYTES = 60_000
_COLORS = 128
PICTURES: dict[str, tuple[list[Announcement], int]] = {
    "teams-stage-failed": ([told.of_rollout("stage.failed", failures=7)], 640),
    "teams-gate": ([told.of_rollout("gate.waiting")], 640),
    "teams-finished": ([told.of_rollout("rollout.succeeded")], 640),
    "teams-storm": (
        [told.of_the_fleet("cluster.offline", 1000), told.of_the_fleet("drift.found", 7), told.of_onboarding("onboarding.failed")],
        640,
    ),
    "teams-digest": ([told.of_digest("daily")], 640),
    "teams-phone": ([told.of_rollout("rollout.rolled-back")], 320),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PICTURES)
async def test_a_picture_is_small(browser: Browser, tmp_path: Path, name: str, theme: Theme) -> None:
    announcements, width = PICTURES[name]
    page = await browser.new_page(viewport={"width": width, "height": 600}, device_scale_factor=1.5)
    await open_teams(page)
    assert (await show(page, render(announcements), theme, width)).problems == []
    taken = await page.locator("#card").screenshot()
    path = Path(os.environ.get("SCREENSHOTS", tmp_path)) / f"{name}-{theme}.png"
    Image.open(io.BytesIO(taken)).convert("RGB").quantize(_COLORS, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES
