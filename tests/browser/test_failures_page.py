"""Failures as people use them: a group by keys, decisions that can be undone, a question."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visiting
from tests.support import found
from tests.support.browser import Visit
from tests.support.home import Home
from tests.support.pages import Library


def _state(page: Page) -> str | None:
    return page.locator("#head .tag[data-state]").get_attribute("data-state")


def test_group_is_reached_by_keys_and_its_number_lists_attempts(
    visitor: Visit, library: Library
) -> None:
    """`g f` leads to the groups, `j` and Enter open one; a number lists its attempts."""
    page = visitor.page
    page.goto("/monitor")
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_url("**/failures")
    row = page.locator(f'[id="{library.group.replace(":", "-")}"]')
    expect(row).to_be_visible()
    row.locator(".count a").click()
    page.wait_for_url("**/attempts?q=*")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.go_back()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/failures/v2:*")
    expect(page.locator("#course")).to_be_visible()


def test_a_finding_comes_and_goes_by_itself(visitor: Visit, service: Home) -> None:
    """What opens while the groups are looked at stands above them, and goes when it closes."""
    page = visitor.page
    page.goto("/failures?lang=en")
    expect(page.locator("#findings")).to_be_hidden()
    row = found.opened(service.core, {"worker": "w3", "voice": "amy"})
    expect(page.locator(f"#finding-{row.id}")).to_contain_text("Voice amy on worker w3 fails")
    found.closed(service.core, row)
    expect(page.locator("#findings")).to_be_hidden()


def test_what_is_decided_is_shown_at_once_and_undone(visitor: Visit, library: Library) -> None:
    """Resolve changes the head and writes an event, without a new page; Undo opens it again."""
    page = visitor.page
    page.goto(f"/failures/{library.group}")
    page.evaluate("window.isSamePage = true")
    page.locator('form[data-act="resolve"] button').click()
    expect(page.locator("#head .tag[data-state]")).to_have_attribute("data-state", "resolved")
    expect(page.locator("#events li").first).to_contain_text("Resolved")
    page.locator(".toast button").click()
    expect(page.locator('form[data-act="resolve"]')).to_be_visible()
    assert _state(page) in {"new", "ongoing"}
    page.fill("#note", "looked at it")
    page.locator('form[data-act="note"] button').click()
    expect(page.locator("#events li").first).to_contain_text("Note: looked at it")
    assert page.evaluate("window.isSamePage")


def test_question_is_typed_with_suggestions_and_kept(visitor: Visit, library: Library) -> None:
    """The field knows the qualifiers of attempts; the address that follows keeps moments."""
    del library
    page = visitor.page
    page.goto("/correlate")
    page.wait_for_url("**/correlate?from=20*")
    page.keyboard.press("/")
    page.keyboard.type("outco")
    expect(page.locator("#suggestions-query li b")).to_have_text(["outcome:"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("tim")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator("#f-query")).to_have_value("outcome:timeout ")
    page.fill("#f-from", "2h")
    page.fill("#f-to", "")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_url("**/correlate?from=20*query=outcome%3Atimeout*")
    expect(page.locator(".question .side").first).to_contain_text("1 attempt of outcome:timeout")


def test_long_question_is_answered_while_the_page_waits(visitor: Visit, library: Library) -> None:
    """The page shows how far the duty is, and then the answer by itself."""
    del library
    page = visitor.page
    page.goto("/correlate?from=3d&query=outcome%3Afailure")
    page.wait_for_url("**&analysis=*")
    expect(page.locator("#h-overall")).to_be_visible()
    expect(page.locator("#analysis")).to_have_count(0)


def test_pages_can_be_read_and_used_without_scripts(visiting: Visiting, library: Library) -> None:
    """The groups, a decision, the question: forms and links do it all."""
    with visiting(scripts=False) as visit:
        page = visit.page
        page.goto(f"/failures/{library.group}")
        page.locator('form[data-act="mute"] button').click()
        assert _state(page) == "muted"
        page.locator('form[data-act="unmute"] button').click()
        assert _state(page) == "ongoing"
        page.goto("/correlate?from=1h")
        page.locator(".change > summary").click()
        page.fill("#f-within", "engine:tone")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.wait_for_url("**within=engine%3Atone*")
