"""The library: live rows, actions that can be undone, filters, keys, the dock."""

from playwright.sync_api import expect

from tests.browser.conftest import Visiting
from tests.support.browser import Visit, drop_files
from tests.support.home import Home, terminate
from tests.support.pages import Library, status_of, submit, until, wait_for_web

SLOW = "First line.\n@sleep 90\nSecond line."


def row_of(visitor: Visit, title: str) -> str:
    """The selector of a row, by the title of its text."""
    row = visitor.page.locator("[data-row]", has=visitor.page.get_by_text(title, exact=True))
    expect(row).to_have_count(1)
    return f"#{row.get_attribute('id')}"


def test_running_text_is_stopped_retried_and_undone(visitor: Visit, service: Home) -> None:
    """A row follows its task; Stop can be taken back, and what was stopped can be retried."""
    task_id = submit(service, SLOW + " a", title="Stop me", engine="scripted")["task"]["id"]
    page = visitor.page
    page.goto("/")
    row = page.locator(row_of(visitor, "Stop me"))
    expect(row.locator(".state")).to_have_text("processing")
    row.get_by_role("button", name="Stop").first.click()
    page.locator(".toast", has_text="Stop me").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_have_count(0)
    assert status_of(service, task_id) == "processing"
    row.get_by_role("button", name="Stop").first.click()
    page.mouse.move(5, 5)
    expect(page.locator(row_of(visitor, "Stop me")).locator(".state")).to_have_text("cancelled")
    assert status_of(service, task_id) == "cancelled"
    page.locator(row_of(visitor, "Stop me")).get_by_role("button", name="Retry").first.click()
    page.mouse.move(5, 5)
    expect(page.locator(row_of(visitor, "Stop me")).locator(".state")).to_have_text("processing")
    again = page.locator(row_of(visitor, "Stop me")).get_by_role("button", name="Stop").first
    again.click()
    page.goto("/monitor")  # leaving the page does at once what was counted down
    until(service, task_id + 1, "cancelled")


def test_deleted_text_comes_back(visitor: Visit, service: Home, library: Library) -> None:
    """Delete takes a row away and offers the way back; Undo brings it back."""
    del library
    until(
        service, submit(service, "Delete this text.", title="Delete me")["task"]["id"], "completed"
    )
    page = visitor.page
    page.goto("/")
    row = page.locator(row_of(visitor, "Delete me"))
    row.locator("details summary").click()
    row.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_text("Delete me", exact=True)).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Delete me", exact=True)).to_have_count(1)


def test_deleted_from_its_page_comes_back(visitor: Visit, service: Home) -> None:
    """Delete on the task page leads to the library, which offers the way back."""
    task_id = submit(service, "Delete this from its page.", title="待删除")["task"]["id"]
    until(service, task_id, "completed")
    page = visitor.page
    page.goto(f"/tasks/{task_id}")
    page.locator("#head details summary").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.wait_for_url("**/")
    expect(page.get_by_text("待删除", exact=True)).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("待删除", exact=True)).to_have_count(1)


def test_row_plays_in_place(visitor: Visit, library: Library) -> None:
    """A row plays in the dock, the button of the row pauses it, and Space does too."""
    del library
    page = visitor.page
    page.goto("/?q=rabbit-hole")
    page.click("[data-play-row]")
    expect(page.locator("#dock")).to_be_visible()
    expect(page.locator("#dock [data-title]")).to_have_text("Down the rabbit-hole")
    expect(page.locator("#dock .clock b")).not_to_have_text("0:00")
    expect(page.locator("[data-play-row]")).to_have_attribute(
        "aria-label", "Pause Down the rabbit-hole"
    )
    page.locator("h1").click()
    page.keyboard.press("Space")
    expect(page.locator("#dock [data-play]")).to_have_attribute("aria-label", "Play")


def test_filters_show_what_they_say(visitor: Visit, library: Library) -> None:
    """Search, audio and status filters are in the address, and what they show is what they say."""
    del library
    page = visitor.page
    page.goto("/")
    page.get_by_role("link", name="Failed or timeout").click()
    page.wait_for_url("**/?status=failed%2Ctimeout")
    states = page.locator(".texts .state").all_inner_texts()
    assert set(states) == {"failed", "timeout"}
    page.fill("[data-search]", "Will")
    page.press("[data-search]", "Enter")
    expect(page.locator(".texts h2")).to_have_text(["Will fail"])
    page.wait_for_url("**/?*status=failed*")
    page.goto("/?q=no-such-text-anywhere")
    expect(page.locator(".empty")).to_contain_text("No text matches these filters")
    page.goto("/?audio_filter=not_generated")
    assert "completed" not in page.locator(".texts .state").all_inner_texts()


def test_filters_survive_a_restart(visitor: Visit, service: Home, library: Library) -> None:
    """P6: after a restart of the web the status filter shows the same rows as before."""
    del library
    page = visitor.page
    page.goto("/?status=failed,timeout")
    before = page.locator(".texts h2").all_inner_texts()
    assert {"Will fail", "Too slow"} <= set(before)
    web = next(program for program in service.programs if program.name == "web")
    assert terminate(web) == 0
    service.programs.remove(web)
    again = service.start("web")
    wait_for_web(service, again)
    page.goto("/?status=failed,timeout")
    assert page.locator(".texts h2").all_inner_texts() == before
    visitor.complaints.clear()  # the stream was cut on purpose


def test_new_rows_wait_to_be_asked_for(visitor: Visit, service: Home, library: Library) -> None:
    """A text that is added elsewhere does not push the rows; r shows it."""
    del library
    page = visitor.page
    page.goto("/")
    expect(page.locator("#live")).to_be_visible()
    submit(service, "A text that comes from elsewhere.", title="From elsewhere")
    expect(page.locator("#newer button")).to_contain_text("1 newer")
    expect(page.get_by_text("From elsewhere", exact=True)).to_have_count(0)
    page.keyboard.press("r")
    expect(page.get_by_text("From elsewhere", exact=True)).to_have_count(1)


def test_keys_move_and_open(visitor: Visit, library: Library) -> None:
    """/ searches, j and k move, Enter opens, ? shows the keys, g and a letter goes."""
    del library
    page = visitor.page
    page.goto("/")
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    first = page.locator("[data-row] [data-open]").first
    expect(first).to_be_focused()
    # the newest row may be a text that another's task answers for: its page has that one's title
    target = page.request.get(first.get_attribute("href") or "").url
    page.keyboard.press("Enter")
    page.wait_for_url(target)
    answer = page.request.get(f"/api/v1/tasks/{target.rpartition('/')[2]}")
    title = answer.json()["text"]["title"]
    expect(page.locator("h1")).to_have_text(title)
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/monitor")


def test_language_and_theme_are_remembered(visiting: Visiting, library: Library) -> None:
    """The switches change the page at once and stay; the next page is drawn so by the server."""
    del library
    with visiting() as visit:
        page = visit.page
        page.goto("/")
        page.get_by_role("link", name="中文").click()
        expect(page.locator("h1")).to_have_text("文库")
        page.goto("/monitor")
        expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        page.click("[data-theme-toggle]")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        answer = page.request.get("/tasks")
        assert 'data-theme="dark"' in answer.text()
        assert 'lang="zh-CN"' in answer.text()


def test_buttons_work_without_scripts(visiting: Visiting, service: Home) -> None:
    """Cancel, retry and delete are plain forms where no script runs."""
    task_id = submit(service, SLOW + " b", title="No scripts", engine="scripted")["task"]["id"]
    until(service, task_id, "processing")
    with visiting(scripts=False) as visit:
        page = visit.page
        page.goto(f"/tasks/{task_id}")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("main .badge-large")).to_have_text("cancelled")
        page.get_by_role("button", name="Retry").click()
        page.wait_for_url(f"**/tasks/{task_id + 1}")
        page.get_by_role("button", name="Stop").or_(
            page.get_by_role("button", name="Cancel")
        ).first.click()
        expect(page.locator("main .badge-large")).to_have_text("cancelled")


def test_dropped_file_becomes_a_row(visitor: Visit, library: Library) -> None:
    """A file that is dropped on the library is added, and its row appears by itself."""
    del library
    page = visitor.page
    page.goto("/")
    drop_files(page, "[data-drop]", [("dropped-here.txt", "Dropped on the library itself.")])
    expect(page.locator(".files li")).to_contain_text("Added.")
    expect(page.locator("[data-row] h2", has_text="dropped-here")).to_be_visible()


def test_service_processes_are_ours(service: Home) -> None:
    """The fixtures' programs run; a test that ended one by accident would show here."""
    for program in service.programs:
        assert program.popen.poll() is None, program.name
