"""Monitor, tasks, settings, log in: what operators use."""

import secrets
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support import found
from tests.support.browser import Visit, visit
from tests.support.home import Home
from tests.support.pages import Library, start_web, status_of, submit, until
from tests.support.service import submitted


def test_monitor_shows_what_runs(visitor: Visit, service: Home, library: Library) -> None:
    """A task that begins appears by itself with its progress, and the slots show it."""
    del library
    page = visitor.page
    page.goto("/monitor")
    expect(page.locator(".verdict")).to_contain_text("All is well.")
    text = "One.\n@sleep 60\nTwo. c"
    task_id = submit(service, text, title="Watched", engine="scripted")["task"]["id"]
    row = page.locator("#running [data-row]", has_text="Watched")
    expect(row).to_be_visible()
    expect(page.locator("#slots")).to_contain_text("2 slots, 2 usable")
    expect(page.locator("#slots rect.f-processing").first).to_be_visible()
    expect(page.locator("#workers")).to_contain_text("w1")
    row.get_by_role("link").click()
    expect(page.locator("main .badge-large")).to_have_text("processing")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("main .badge-large")).to_have_text("cancelled")
    assert status_of(service, task_id) == "cancelled"


def test_a_finding_comes_and_goes_by_itself(visitor: Visit, service: Home) -> None:
    """What opens while the page is looked at is told in a sentence, and goes when it closes."""
    page = visitor.page
    page.goto("/monitor?lang=en")
    expect(page.locator("#findings")).to_be_hidden()
    row = found.opened(service.core, {"worker": "w3", "voice": "amy"})
    told = page.locator(f"#finding-{row.id}")
    expect(told).to_contain_text("Voice amy on worker w3 fails 40 of 50")
    expect(page.locator(".verdict")).to_contain_text("Failures have something in common.")
    expect(page.locator("#chips a[data-level=warn]")).to_have_text("Tasks")
    found.closed(service.core, row)
    expect(page.locator("#findings")).to_be_hidden()
    expect(page.locator(".verdict")).not_to_contain_text("in common")


def test_login_lets_in_and_missing_workers_are_told(chromium: Browser, tmp_path: Path) -> None:
    """A token is asked for before every page and told by none; missing workers are told by all."""
    token = secrets.token_hex(16)
    with Home.make(tmp_path / "home", VOXTRACE_WEB_PROCESSES="1", VOXTRACE_API_TOKEN=token) as home:
        start_web(home)
        with visit(chromium, home.url) as seen:
            page = seen.page
            page.goto("/settings")
            expect(page.locator("h1")).to_have_text("Log in")
            page.fill("#token", "not-the-token-at-all")
            page.click("main button")
            expect(page.locator("#token-error")).to_be_visible()
            seen.forgive("401")
            page.fill("#token", token)
            page.click("main button")
            expect(page.locator("h1")).to_have_text("Settings")
            assert token not in page.content()
            page.goto("/monitor")
            expect(page.locator(".verdict")).to_contain_text("no worker is running")
            expect(page.locator("#alerts")).to_contain_text("voxtrace worker")
            expect(page.locator(".hchip[data-level=bad]").first).to_be_visible()
            page.goto("/")
            expect(page.locator(".empty")).to_contain_text("No texts yet")
            submitted(home.core, "A text that waits for a worker.", title="Waits")
            expect(page.locator(".texts h2")).to_have_text("Waits")
            expect(page.locator(".texts .say")).to_contain_text("No worker is running")


def test_tasks_are_listed_by_status(visitor: Visit, library: Library) -> None:
    """A list at hand has tasks of its statuses only, and its count is that of the totals."""
    del library
    page = visitor.page
    page.goto("/tasks")
    page.locator(".views a", has_text="Failed or timeout").click()
    page.wait_for_url("**/tasks?*failed*")
    states = page.locator("tbody .status").all_inner_texts()
    assert set(states) == {"failed", "timeout"}
    count = page.locator(".views a[aria-current] .n").inner_text()
    assert int(count) == len(states)


def test_task_page_tells_attempts_and_trace(visitor: Visit, library: Library) -> None:
    """The task page has the waterfall, its attempts, the deadline sum and ids to copy."""
    page = visitor.page
    page.goto(f"/tasks/{library.timeout}?tab=attempts")
    expect(page.locator("#explain")).to_contain_text("limit")
    expect(page.locator(".waterfall")).to_contain_text("attempt 1")
    expect(page.locator(".waterfall .deadline-line").first).to_have_count(1)
    expect(page.locator("#history")).to_contain_text("Attempt 1")
    page.goto(f"/tasks/{library.english}")
    twist = page.locator(".waterfall tr", has_text="attempt 1").locator(".twist")
    rows = page.locator(".waterfall tbody tr:visible")
    before = rows.count()
    twist.click()
    expect(rows).not_to_have_count(before)
    assert rows.count() < before
    twist.click()
    expect(rows).to_have_count(before)


def test_limit_is_changed_after_a_question(visitor: Visit, service: Home) -> None:
    """The limit is asked about with its effect, changed, and in force at once."""
    page = visitor.page
    page.goto("/settings")
    expect(page.locator("#max_concurrent")).to_have_value("2")
    page.fill("#max_concurrent", "3")
    page.click("form[data-limits] button")
    expect(page.locator("#limit-dialog")).to_contain_text("At most 3 at once")
    page.click("[data-confirm]")
    expect(page.locator(".toast")).to_contain_text("The limit is now 3")
    told = service.run("limit", "2")
    assert told.returncode == 0, told.stderr
    page.reload()
    expect(page.locator("#max_concurrent")).to_have_value("2")


def test_retry_leads_to_the_new_task(visitor: Visit, service: Home) -> None:
    """Retry on the task page makes a new task, linked both ways."""
    content = "@fail permanent not today\nHello."
    task_id = submit(service, content, title="Fails", engine="scripted")["task"]["id"]
    until(service, task_id, "failed")
    page = visitor.page
    page.goto(f"/tasks/{task_id}")
    page.get_by_role("button", name="Retry").click()
    page.wait_for_url(f"**/tasks/{task_id + 1}")
    page.get_by_role("link", name=f"retry of {task_id}").click()
    expect(page.get_by_role("link", name=f"retried by {task_id + 1}")).to_be_visible()
