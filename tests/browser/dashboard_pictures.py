"""Makes the pictures of docs/dashboard.md anew, from a running stack: `.venv/bin/python tests/browser/dashboard_pictures.py`."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from dashboards import Playground, expect, opened, running
from waiting import eventually

_FOLDER = Path(__file__).parents[2] / "docs" / "images"
_GATE = "gates: [{type: approval, approvers: [platform-leads], expiresAfter: 24h}]"
_TITLE = "Till 1.2.0: faster receipts, and a new printer driver"


async def main() -> None:
    settings = {"SWEEP_FLEET_SCHEDULE": "*/5 * * * * *"}
    with TemporaryDirectory() as state:
        async with running(Path(state), clusters=160, settings=settings) as play:
            play.configure("success: {complianceWithin: 5m, maxFailures: 2", "success: {grace: 1s, complianceWithin: 5m, maxFailures: 6")
            await play.ended(await play.push("Till 1.1.0 for every shop"))
            play.configure("maxConcurrency: 50%", f"maxConcurrency: 12\n        {_GATE}")
            await _take(play)


async def _take(play: Playground) -> None:
    commit = play.commit(_TITLE)
    failing = "Deployment/till is not ready: 0 of 1 replicas"
    await play.azure.fail_commit(commit.commit, tags={"ring": "canary"}, count=2, reason="HealthCheckFailed", message=failing)
    await play.deliver(commit)
    async with opened(play) as page:
        await expect(page.get_by_role("link", name="Review prod")).to_be_visible(timeout=90_000)
    rollout = (await play.summary(commit))["id"]
    await _both(play, "approval", f"?rollout={rollout}&stage=prod&gate=approval", ".failures li")
    path = f"rollouts/{rollout}/gates/prod/approval/approve"
    await play.post_to(path, b'{"reason": "canary ran a day"}', {"Content-Type": "application/json", "X-Sluice-Actor": "alex"})

    async def far_enough() -> bool:
        return bool((await play.summary(commit))["stages"][1]["counts"].get("compliant", 0) > 20)

    await eventually(far_enough, "some clusters of prod are done")
    await play.azure.set_speed(1)  # so that all of them show the same
    await _both(play, "rollout", f"?rollout={rollout}", ".bar")
    await _both(play, "rollouts", "", ".card")
    await _both(play, "fleet", "?view=fleet", "tbody tr")


async def _both(play: Playground, name: str, query: str, until: str) -> None:
    for scheme in ("light", "dark"):
        async with opened(play, query, scheme=scheme) as page:
            await expect(page.locator(until).first).to_be_visible()
            await page.wait_for_timeout(700)  # bars move for so long
            await page.screenshot(path=_FOLDER / f"dashboard-{name}-{scheme}.png")


if __name__ == "__main__":
    _FOLDER.mkdir(exist_ok=True)
    asyncio.run(main())
