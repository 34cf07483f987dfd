"""The browser that everything here needs."""

from playwright.async_api import Page


async def test_it_runs_scripts(page: Page) -> None:
    await page.set_content("<p id=p></p><script>document.getElementById('p').textContent = 'here'</script>")

    assert await page.text_content("#p") == "here"
