"""The task list as people use it: filter by keys and suggestions, chips, lists that are saved."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visiting
from tests.support.browser import Visit
from tests.support.pages import Library

FIELD = ".filterbar [name=query]"


def _statuses(page: Page) -> set[str]:
    return set(page.locator("tbody .status").all_inner_texts())


def test_filter_is_typed_with_suggestions(visitor: Visit, library: Library) -> None:
    """`/` leads to the field, suggestions lead from a name to its values, Enter shows the list."""
    del library
    page = visitor.page
    page.goto("/tasks")
    page.keyboard.press("/")
    page.keyboard.type("-sta")
    expect(page.locator("#suggestions li")).to_have_text(["status:where it stands"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#suggestions li b")).to_have_text(
        ["pending", "processing", "completed", "failed", "timeout", "cancelled"]
    )
    page.keyboard.type("com")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator(FIELD)).to_have_value("-status:completed ")
    page.keyboard.type("is:ended")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks?query=-status%3Acompleted+is%3Aended")
    assert {"failed", "timeout"} <= _statuses(page)
    assert "completed" not in _statuses(page)


def test_chip_takes_its_term_away(visitor: Visit, library: Library) -> None:
    """Each term is a chip; its cross leaves the others, and the address says the same."""
    page = visitor.page
    page.goto("/tasks?query=status%3Afailed+engine%3Ascripted")
    expect(page.locator(f"#task-{library.failed}")).to_be_visible()
    expect(page.locator(f"#task-{library.timeout}")).to_have_count(0)
    page.get_by_label("Remove status:failed").click()
    page.wait_for_url("**/tasks?query=engine%3Ascripted")
    expect(page.locator(f"#task-{library.timeout}")).to_be_visible()
    page.locator("thead a", has_text="Ran").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Ran")
    expect(page.locator(FIELD)).to_have_value("engine:scripted")


def test_wrong_filter_is_underlined(visiting: Visiting, library: Library) -> None:
    """What is wrong is marked where it stands, in the language of the page, and can be mended."""
    del library
    for lang, says in (("en", "Did you mean failed?"), ("zh", "是 failed 吗？")):
        with visiting(lang=lang) as visit:
            page = visit.page
            page.goto("/tasks?query=engine%3Atone+status%3Afaild")
            expect(page.locator("#fault mark")).to_have_text("faild")
            expect(page.locator("#fault")).to_contain_text(says)
            field = page.locator(FIELD)
            expect(field).to_have_attribute("aria-invalid", "true")
            field.fill("engine:tone status:completed")
            field.press("Enter")
            expect(page.locator("tbody tr").first).to_be_visible()
            visit.forgive("400 (BAD REQUEST)")


def test_list_is_saved_in_the_browser(visitor: Visit, library: Library) -> None:
    """A list that is saved stands beside the others with its count, until it is removed."""
    del library
    page = visitor.page
    page.goto("/tasks?query=text%3Arabbit-hole&sort=dur")
    page.get_by_role("button", name="Save this list").click()
    page.get_by_label("Name").fill("兔子洞")
    page.locator("#save-view [value=save]").click()
    page.goto("/tasks")
    saved = page.locator("#saved a")
    expect(saved).to_contain_text("兔子洞")
    expect(saved.locator(".n")).to_have_text("1")
    saved.click()
    page.wait_for_url("**/tasks?query=text%3Arabbit-hole&sort=dur")
    expect(page.locator("tbody .title")).to_have_text("Down the rabbit-hole")
    page.get_by_label("Remove 兔子洞").click()
    expect(page.locator("#saved")).to_be_hidden()


def test_list_works_without_scripts(visiting: Visiting, library: Library) -> None:
    """The field, the chips and the order are a form and links."""
    with visiting(scripts=False) as visit:
        page = visit.page
        page.goto("/tasks")
        page.locator(FIELD).fill(f"id:{library.chinese}")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator("tbody .title")).to_have_text("桃花源记")
        page.locator(".fchip a").click()
        expect(page.locator(f"#task-{library.english}")).to_be_visible()
