"""The dashboard over a running stack: what happens is seen, found, and acted upon."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from dashboards import Playground, expect, fits, given_in, opened, running, seen
from playwright.async_api import Page, Route
from waiting import eventually

from shared.domain.pages import page as address

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLUSTERS = 240
#: Runs where a page reads a text as markup.
HOSTILE = "<img src=x onerror=\"document.body.dataset.hacked='yes'\"><b>Till</b> & 1.1.0"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Playground]:
    state = tmp_path_factory.mktemp("stack")
    async with running(state, clusters=CLUSTERS, canary_share=0.05, settings={"SWEEP_FLEET_SCHEDULE": "*/5 * * * * *"}) as play:
        play.configure("success: {complianceWithin", "success: {grace: 1s, complianceWithin")
        yield play


async def has_read_no_markup(page: Page) -> bool:
    return bool(await page.evaluate("!document.body.dataset.hacked && !document.querySelector('main img')"))


async def test_a_push_shows_up_and_is_followed_to_its_end(play: Playground) -> None:
    async with opened(play) as page:
        await expect(page.get_by_text("No rollouts yet")).to_be_visible()
        push = await play.push(HOSTILE)
        await expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
        await expect(page.locator(".pill.is-succeeded")).to_be_visible(timeout=120_000)
        await expect(seen(page, "228 of 228")).to_be_visible()
        await page.get_by_role("link", name=HOSTILE).click()
        await expect(page.locator("h1")).to_have_text(HOSTILE)
        await expect(page.locator(".timeline").get_by_text("Rollout succeeded")).to_be_visible()
        assert given_in(page) == f"?rollout={(await play.summary(push))['id']}"
        assert HOSTILE in await page.title()
        assert await has_read_no_markup(page)


async def test_targets_are_filtered_and_paged(play: Playground) -> None:
    rollout = (await play.get("rollouts"))[1]["rollouts"][0]
    async with opened(play, f"?rollout={rollout['id']}") as page:
        rows, pages = page.locator("tbody tr"), page.get_by_role("navigation", name="Pages")
        await expect(pages).to_contain_text(f"1 to 50 of {CLUSTERS}")
        assert await rows.count() == 50
        first = await rows.first.text_content()
        await pages.get_by_role("button", name="Next").click()
        await expect(pages).to_contain_text(f"51 to 100 of {CLUSTERS}")
        assert await rows.first.text_content() != first
        await pages.get_by_role("button", name="Previous").click()
        await expect(pages).to_contain_text(f"1 to 50 of {CLUSTERS}")
        await expect(pages.get_by_role("button", name="Previous")).to_be_disabled()

        await page.get_by_label("Stage").select_option("canary")
        await expect(pages).to_contain_text("1 to 12 of 12")
        assert await rows.count() == 12
        await page.get_by_label("State").select_option("failed")
        await expect(page.get_by_text("No target is like that.")).to_be_visible()
        assert given_in(page).endswith("&stage=canary&state=failed")
        await page.go_back()
        await expect(pages).to_contain_text("1 to 12 of 12")


async def test_a_gate_is_approved_on_its_own_page(play: Playground) -> None:
    gate = "gates: [{type: approval, approvers: [platform-leads], expiresAfter: 24h}]"
    play.configure("maxConcurrency: 50%", f"maxConcurrency: 50%\n        {gate}")
    commit = play.commit("Till 1.2.0: faster receipts, and a new printer driver")
    said = "<script>document.body.dataset.hacked='yes'</script> is not ready"
    await play.azure.fail_commit(commit.commit, tags={"ring": "canary"}, count=2, reason="HealthCheckFailed", message=said)
    assert (await play.deliver(commit)).status == 202
    async with opened(play) as page:
        await expect(page.get_by_role("link", name="2 failed")).to_be_visible()
        await page.get_by_role("link", name="Review prod").click(timeout=90_000)
        await expect(page.locator("h1")).to_have_text("May prod begin?")
        assert page.url == address(play.stack.host, rollout=(await play.summary(commit))["id"], stage="prod", gate="approval")
        await expect(page.locator(".failures li")).to_have_count(2)
        assert said in str(await page.locator(".failures li").first.text_content())

        await page.get_by_role("button", name="Approve").click()  # a reason is missing: the browser says so
        await page.get_by_label("Acting as").fill("alex")
        await page.get_by_label("Reason").fill("The two failures\nare known")
        await page.get_by_role("button", name="Approve").click()
        await expect(page.get_by_role("status")).to_have_text("Approved.")
        await expect(page.get_by_text("The gate is approved already.")).to_be_visible()
        await expect(page.get_by_label("Reason")).to_have_count(0)
        assert await has_read_no_markup(page)
    (verdict,) = (await play.rollout(commit))["stages"][1]["gates"][0]["verdicts"]
    assert (verdict["by"], verdict["reason"]) == ("key", "The two failures are known (claimed: alex)")
    await play.ended(commit)


async def test_people_act_with_a_reason(play: Playground) -> None:
    push = await play.push("Till 1.3.0, which nobody ordered")
    rollout = await play.waiting(push)
    async with opened(play, f"?rollout={rollout['id']}") as page:
        state, dialog = page.locator(".head .pill"), page.get_by_role("dialog")
        await page.get_by_role("button", name="Pause").click()
        await expect(dialog).to_contain_text("No more updates are sent.")
        await dialog.get_by_role("button", name="Pause").click()
        await expect(dialog).to_be_visible()  # no reason, no act
        await page.keyboard.press("Escape")
        await expect(dialog).not_to_be_visible()
        await expect(state).to_have_text("running")

        await act(page, "Pause", "Pause this rollout")
        await expect(state).to_have_text("paused")
        await expect(page.get_by_text("paused by key: tills are down").first).to_be_visible()
        await act(page, "Resume", "Resume this rollout")
        await expect(state).to_have_text("running")

        await page.get_by_role("button", name="Abort").click()
        await dialog.get_by_label("Reason").fill("tills are down")
        await dialog.get_by_role("button", name="Abort").click()
        await expect(dialog).to_be_visible()  # nor one that cannot be undone by a slip
        await dialog.get_by_label("Yes, end it").check()
        await dialog.get_by_role("button", name="Abort").click()
        await expect(state).to_have_text("aborted")
        await expect(page.locator(".head .acts button")).to_have_count(0)


async def act(page: Page, button: str, send: str) -> None:
    await page.locator("main").get_by_role("button", name=button).click()
    await page.get_by_role("dialog").get_by_label("Reason").fill("tills are down")
    await page.get_by_role("dialog").get_by_role("button", name=send).click()


async def test_what_somebody_else_did_first_is_said(play: Playground) -> None:
    push = await play.push("Till 1.3.1, which nobody ordered either")
    rollout = await play.waiting(push)
    async with opened(play, f"?rollout={rollout['id']}") as page:
        await page.get_by_role("button", name="Pause").click()
        assert (await play.act(push, "abort", reason="I was first")).status == 200
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Reason").fill("tills are down")
        await dialog.get_by_role("button", name="Pause").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("A rollout that is aborted cannot be paused")
    async with opened(play, f"?rollout={rollout['id']}&stage=prod&gate=approval") as page:
        await expect(page.get_by_text("Nothing is asked any more: the rollout is aborted.")).to_be_visible()


async def test_the_fleet_is_counted_filtered_and_paged(play: Playground) -> None:
    async with opened(play, "?view=fleet") as page:
        await expect(page.get_by_text(f"{CLUSTERS} clusters")).to_be_visible()
        pages = page.get_by_role("navigation", name="Pages")
        await expect(pages).to_contain_text(f"1 to 50 of {CLUSTERS}")
        await page.get_by_label("Cluster", exact=True).fill("cluster-007")
        await page.keyboard.press("Enter")
        await expect(page.locator("tbody tr")).to_have_count(1)
        assert given_in(page) == "?view=fleet&cluster=cluster-007"
        await page.get_by_label("Cluster", exact=True).fill("")
        await page.keyboard.press("Enter")
        await page.get_by_label("Compliance").select_option("Suspended")
        await expect(page.get_by_text("No cluster is like that.")).to_be_visible()


async def test_what_a_cluster_is_called_and_says_is_text(play: Playground) -> None:
    """Azure takes no such name, so it is put into the app's answer."""

    async def answer(route: Route) -> None:
        _, told = await play.get("fleet?limit=50")
        told["fleet"][0] |= {"cluster": HOSTILE, "compliance": HOSTILE, "message": HOSTILE, "revision": HOSTILE, "location": HOSTILE}
        told["fleet"][0]["drift"] = {"kind": HOSTILE, "by": HOSTILE, "since": HOSTILE}
        told["counts"]["compliance"][HOSTILE] = told["counts"]["fluxVersions"][HOSTILE] = 1
        await route.fulfill(json=told)

    async with opened(play) as page:
        await page.route("**/api/dashboard/data/fleet**", answer)
        await page.get_by_role("link", name="Fleet").click()
        await expect(seen(page, HOSTILE)).to_be_visible()
        assert await has_read_no_markup(page)


@pytest.mark.parametrize("name", ["rollouts", "rollout", "approval", "fleet", "undelivered"])
async def test_a_phone_shows_all_of_it_without_scrolling_sideways(play: Playground, name: str) -> None:
    rollout = (await play.get("rollouts"))[1]["rollouts"][0]["id"]
    queries = {"rollouts": "", "rollout": f"?rollout={rollout}", "approval": f"?rollout={rollout}&stage=prod&gate=approval"}
    async with opened(play, queries.get(name, f"?view={name}"), width=360) as page:
        await expect(page.locator("h1")).to_be_visible()
        assert await fits(page)


async def test_an_app_that_is_away_is_waited_for_and_what_was_seen_stays(play: Playground) -> None:
    async with opened(play) as page:
        await expect(page.locator(".card").first).to_be_visible()
        await play.stack.kill_host()
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as when somebody comes back to the page
        await expect(page.get_by_role("alert")).to_contain_text("Sluice cannot be reached. Trying again in")
        await expect(page.locator(".card").first).to_be_visible()
        await play.stack.start_host()
        await expect(page.locator("#trouble")).not_to_be_visible(timeout=60_000)


async def test_what_is_not_there_is_said(play: Playground) -> None:
    async with opened(play, "?rollout=abc") as page:
        await expect(page.get_by_text("There is no rollout abc.")).to_be_visible()
        await page.get_by_role("link", name="All rollouts").click()
        await expect(page.locator("h1")).to_have_text("Rollouts")


async def test_it_is_used_with_the_keyboard(play: Playground) -> None:
    async with opened(play) as page:
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await expect(page.locator(".card a").first).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".head h1")).to_be_visible()
        await expect(page.locator("main")).to_be_focused()


async def test_another_site_s_page_gets_nothing(play: Playground) -> None:
    """`localhost` and 127.0.0.1 are two sites to a browser."""
    async with opened(play) as page:
        await page.goto(f"{play.stack.host.replace('127.0.0.1', 'localhost')}/api/health")
        async with page.expect_response("**/api/dashboard/data/**") as asked:
            await page.evaluate("address => void fetch(address, {mode: 'no-cors'})", f"{play.stack.host}/api/dashboard/data/rollouts")
        assert (await asked.value).status == 403


async def test_what_no_channel_took_is_listed_and_sent_again(play: Playground) -> None:
    await play.azure.fail_requests("POST", "^/teams", status=404)
    await play.push("Till 1.3.2: coins are back")
    async with opened(play, "?view=undelivered") as page:
        rows = page.locator("tbody tr")
        await expect(rows.first).to_contain_text("404", timeout=60_000)
        await play.azure.clear_faults()
        before, told = await rows.count(), len(await play.azure.messages("teams"))
        await rows.first.get_by_role("button", name="Send again").click()
        await page.get_by_role("dialog").get_by_label("Reason").fill("the workflow is back")
        await page.get_by_role("dialog").get_by_role("button", name="Send again").click()
        await expect(rows).to_have_count(before - 1)

        async def arrived() -> bool:
            return len(await play.azure.messages("teams")) > told

        await eventually(arrived, "the message that was sent again")


async def test_titles_of_what_no_channel_took_are_text(play: Playground) -> None:
    """As the API gives it."""
    one = {"id": "d-1", "channel": "c-1", "provider": "ops-teams", "state": "failed", "attempts": 41, "createdAt": "2026-11-27T08:00:00Z"}
    one |= {"dueAt": "2026-11-27T08:00:00Z", "error": "Unavailable: 503", "titles": [HOSTILE, "Rollout paused"], "fallback": None}
    sent: list[tuple[str, object]] = []

    async def answer(route: Route) -> None:
        if route.request.method == "POST":
            sent.append((route.request.url.partition("/data/")[2], route.request.post_data_json))
        await route.fulfill(json={"notifications": [] if sent else [one], "continuation": None})

    async with opened(play) as page:
        await page.route("**/api/dashboard/data/notifications**", answer)
        await page.get_by_role("link", name="Undelivered").click()
        await expect(seen(page, HOSTILE)).to_be_visible()
        assert await has_read_no_markup(page)
        await act(page, "Send again", "Send again")
        await expect(page.get_by_text("Nothing is undelivered")).to_be_visible()
    assert sent == [("notifications/c-1/d-1/resend", {"reason": "tills are down"})]
