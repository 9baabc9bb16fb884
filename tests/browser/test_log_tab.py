"""The Log tab in a browser: it grows while the task runs, and stays where it was asked for."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visiting
from tests.support.browser import Visit
from tests.support.home import Home
from tests.support.pages import Library, submit, until


def test_log_grows_while_the_task_runs_and_stays_at_its_end(service: Home, visitor: Visit) -> None:
    """Lines come by themselves, in the tab that is open; the end does not change the tab."""
    content = "@fail-until-attempt 2 retryable the line broke\n@sleep 4\nHello."
    task_id = submit(service, content, title="Grows", engine="scripted")["task"]["id"]
    visitor.page.goto(f"/tasks/{task_id}")
    visitor.page.locator("#history").get_by_role("link", name=re.compile("^Log")).click()
    lines = visitor.page.locator("#history ol.log > li")
    expect(lines.filter(has_text="submitted")).to_have_count(1)
    failed = lines.filter(has_text="the attempt failed: the task runs again")
    expect(failed).to_have_attribute("data-level", "warn")
    expect(failed).to_contain_text("attempt 1")
    until(service, task_id, "completed")
    expect(lines.filter(has_text="completed")).to_have_count(1)
    expect(visitor.page.locator(".tabs [aria-current]")).to_contain_text("Log")


def test_log_is_chosen_by_attempt_and_level(
    service: Home, library: Library, visiting: Visiting
) -> None:
    """Without scripts too: links choose, and what is chosen is shown as chosen."""
    with visiting(scripts=False) as visit:
        visit.page.goto(f"/tasks/{library.timeout}?tab=log")
        lines = visit.page.locator("#history ol.log > li")
        expect(lines.filter(has_text="submitted")).to_have_count(1)
        visit.page.get_by_role("link", name="Warnings", exact=True).click()
        expect(visit.page.locator(".log-filter [aria-current]")).to_have_text("Warnings")
        expect(lines.filter(has_text="submitted")).to_have_count(0)
        expect(lines.filter(has_text="timed out")).to_have_attribute("data-level", "bad")
    assert service.url
