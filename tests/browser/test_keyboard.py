"""Pages by keys alone: the focus stays where the work is, and what has it is in sight."""

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visiting
from tests.support.browser import Visit
from tests.support.home import Home
from tests.support.pages import Library, submit, until

#: The action whose button has the focus, else the tag that has.
_FOCUSED = """() => document.activeElement.closest("[data-act]")?.dataset.act
  ?? document.activeElement.closest(".toast")?.className ?? document.activeElement.tagName"""
#: How much of what has the focus is cut off at the sides, in pixels.
_CUT = """(node) => {
  const own = node.getBoundingClientRect()
  const row = node.closest(".nav, .seg, .tabs, .views").getBoundingClientRect()
  return Math.max(0, row.left - own.left, own.right - row.right, own.right - innerWidth, -own.left)
}"""


def _focus_is(page: Page, what: str) -> None:
    page.wait_for_function(f"what => ({_FOCUSED})() === what", arg=what)


def _is_in_sight(page: Page, selector: str) -> None:
    """Whole, once it was scrolled."""
    page.wait_for_function(f"(node) => ({_CUT})(node) < 1", arg=page.query_selector(selector))


@pytest.mark.parametrize(("there", "back"), [("resolve", "reopen"), ("mute", "unmute")])
def test_focus_stays_at_the_decision_and_undo_is_next(
    visitor: Visit, library: Library, there: str, back: str
) -> None:
    """Enter decides; its way back has the focus, Tab reaches Undo, and that leads back again."""
    page = visitor.page
    page.goto(f"/failures/{library.group}?lang=en")
    page.locator(f'form[data-act="{there}"] button').focus()
    page.keyboard.press("Enter")
    _focus_is(page, back)
    expect(page.locator(".toast button")).to_be_visible()
    page.keyboard.press("Tab")
    _focus_is(page, "toast")
    page.keyboard.press("Shift+Tab")
    _focus_is(page, back)
    page.locator(".toast button").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f'#head form[data-act="{there}"]')).to_be_visible()
    _focus_is(page, "resolve")
    page.keyboard.press("Tab")
    _focus_is(page, "toast")
    page.keyboard.press("Tab")
    _focus_is(page, "mute")


def test_focus_stays_on_the_button_of_a_note(visitor: Visit, library: Library) -> None:
    """A button that does its work does not lose the focus meanwhile, nor does it do it twice."""
    page = visitor.page
    page.goto(f"/failures/{library.group}")
    events = page.locator("#events li")
    count = events.count()
    page.fill("#note", f"seen {count} times")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(events.first).to_contain_text(f"seen {count} times")
    _focus_is(page, "note")
    assert events.count() == count + 1


def test_focus_in_a_row_that_scrolls_is_seen_whole(visiting: Visiting, library: Library) -> None:
    """At 380 px every place of the navigation and every state is in sight with the focus."""
    del library
    with visiting(width=380) as visit:
        page = visit.page
        page.goto("/failures")
        for row in (".nav", "#states"):
            links = page.locator(f"{row} a")
            links.first.focus()
            for place in range(links.count()):
                expect(links.nth(place)).to_be_focused()
                _is_in_sight(page, "a:focus")
                page.keyboard.press("Tab")
            for _ in range(links.count()):
                page.keyboard.press("Shift+Tab")
                _is_in_sight(page, "a:focus")


@pytest.mark.parametrize(
    ("path", "row"), [("/settings", ".nav"), ("/failures?state=muted", "#states")]
)
def test_the_current_place_of_a_row_that_scrolls_is_seen_whole(
    visiting: Visiting, library: Library, path: str, row: str
) -> None:
    """At 380 px what is current is in sight when the page is opened, and the page is not moved."""
    del library
    with visiting(width=380) as visit:
        visit.page.goto(path)
        _is_in_sight(visit.page, f"{row} [aria-current]")
        assert visit.page.evaluate("scrollY") == 0


def test_a_row_goes_on_after_its_button_was_pressed(visitor: Visit, service: Home) -> None:
    """By keys and by clicks: the focus stays in the row, and the row follows its task."""
    page = visitor.page
    for number, press in enumerate(("Enter", "click")):
        title = f"Pressed {number}"
        slow = f"First {number}.\n@sleep 60\nSecond."
        task = submit(service, slow, title=title, engine="scripted")["task"]["id"]
        until(service, task, "processing")
        requests.post(f"{service.url}/api/v1/tasks/{task}/cancel", timeout=30).raise_for_status()
        until(service, task, "cancelled")
        page.goto("/")
        row = page.locator("[data-row]", has=page.get_by_text(title, exact=True))
        button = row.get_by_role("button", name="Retry").first
        if press == "click":
            button.click()
            page.mouse.move(5, 5)
        else:
            button.press(press)
        expect(row.locator(".state")).to_have_text("processing")
        assert row.evaluate("(row) => row.contains(document.activeElement)")
        row.get_by_role("button", name="Stop").first.click()
        page.goto("/monitor")
        until(service, task + 1, "cancelled")
