"""The page of attempts in a browser: its filter suggests, and leads to the attempt of a task."""

from playwright.sync_api import expect

from tests.browser.conftest import Visiting
from tests.support.pages import Library

FIELD = ".filterbar [name=q]"


def test_filter_suggests_what_attempts_have(visiting: Visiting, library: Library) -> None:
    """Filters and values of attempts are suggested and taken; the list follows, and leads on."""
    del library
    with visiting() as visit:
        page = visit.page
        page.goto("/attempts")
        page.keyboard.press("/")
        page.keyboard.type("outc")
        says = "how it ended; failure is any but completed"
        expect(page.locator("#suggestions li")).to_have_text([f"outcome:{says}"])
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.keyboard.type("fai")
        expect(page.locator("#suggestions li b")).to_have_text(["failed", "failure"])
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        expect(page.locator(FIELD)).to_have_value("outcome:failure ")
        page.keyboard.press("Enter")
        page.wait_for_url("**/attempts?q=outcome%3Afailure*")
        expect(page.locator(".fchip .v")).to_have_text(["failure"])
        row = page.locator("tbody tr").first
        task, number = (row.get_attribute("id") or "").split("-")[1:]
        row.locator(".title").click()
        page.wait_for_url(f"**/tasks/{task}?tab=attempts#attempt-{number}")
        expect(page.locator(f"#attempt-{number}")).to_be_visible()
        page.get_by_role("link", name="In the list of attempts").click()
        page.wait_for_url(f"**/attempts?q=task:{task}")
        expect(page.locator(f"#attempt-{task}-{number}")).to_be_visible()
