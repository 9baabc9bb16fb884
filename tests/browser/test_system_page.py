"""The system page: every part as a row, what needs a person first, and live."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from app.service.checks.checks import AREAS
from tests.support.browser import Visit, visit
from tests.support.home import Home
from tests.support.pages import Library, start_web


def test_every_part_is_a_row(visitor: Visit, library: Library) -> None:
    """Each check has its sign, its word and what was found; keys and the monitor lead there."""
    del library
    page = visitor.page
    page.goto("/monitor")
    page.locator("#monitoring .panel-head a").click()
    expect(page.locator(".nav [aria-current=page]")).to_have_text("System")
    for name in [name for names in AREAS.values() for name in names]:
        row = page.locator(f"#part-{name}")
        expect(row.locator(".says")).not_to_be_empty()
        expect(row.locator(".age b")).not_to_be_empty()
    expect(page.locator("h1.verdict")).to_contain_text("All is well:")
    expect(page.locator("#holders")).to_contain_text("Reaper")
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("y")
    page.wait_for_url("**/system")


def test_what_needs_you_is_first_and_goes_by_itself(chromium: Browser, tmp_path: Path) -> None:
    """Cause and command are told, the worst first; once it is started the page is well."""
    with Home.make(tmp_path / "home", VOXTRACE_WEB_PROCESSES="1") as home:
        start_web(home)
        with visit(chromium, home.url) as seen:
            page = seen.page
            page.goto("/system")
            verdict = page.locator("h1.verdict")
            expect(verdict).to_contain_text("3 things need you:")
            expect(verdict.locator("a")).to_have_text(["Workers", "Duties process", "Reaper"])
            workers = page.locator("#part-workers")
            expect(workers).to_have_attribute("data-level", "bad")
            expect(workers.locator(".snippet code")).to_have_text("voxtrace worker")
            verdict.locator("a").first.click()
            expect(page).to_have_url(f"{home.url}/system#part-workers")
            page.mouse.move(0, 0)  # a row under the pointer is held
            home.start("worker")
            expect(verdict).to_contain_text("All is well:")
            expect(page.locator("#part-workers .says")).to_contain_text("1 live")
