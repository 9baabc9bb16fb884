"""Uploading: by form with and without scripts, and by dropping files."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visiting
from tests.support.browser import Visit, drop_files
from tests.support.home import Home
from tests.support.pages import ENGLISH, submit, until


def test_written_text_is_added_watched_and_heard(visitor: Visit) -> None:
    """A text that is written is added in place, its task page follows it, and its audio plays."""
    page = visitor.page
    page.goto("/upload")
    page.fill("#title", "The caterpillar")
    page.fill("#content", "Who are you, said the caterpillar. @ " + ENGLISH)
    expect(page.locator("[data-count]")).to_contain_text("characters")
    page.click("text=Make audio")
    line = page.locator(".files li")
    expect(line).to_contain_text("Added.")
    expect(page.locator("#content")).to_have_value("")
    line.get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("The caterpillar")
    expect(page.locator("main .badge-large")).to_have_text("completed")
    page.click("[data-listen] [data-play]")
    expect(page.locator("[data-listen] .clock b")).not_to_have_text("0:00")
    expect(page.locator(".reading p.now")).to_be_visible()
    expect(page.locator(".wave .w-done")).to_have_attribute("d", re.compile("."))


def test_dropped_files_have_a_line_each(visitor: Visit, service: Home) -> None:
    """Dropped files are added, known again, followed or refused, each with its own words."""
    same = "A text that is here already. It was made before."
    until(service, submit(service, same, title="Before")["task"]["id"], "completed")
    running = "One.\n@sleep 20\nTwo."
    submit(service, running, title="Running", engine="scripted")
    page = visitor.page
    page.goto("/upload")
    page.check("input[name=engine][value=tone]")
    files = [
        ("new.txt", "A text that nobody has sent yet."),
        ("same.md", same),
        ("scan.pdf", "%PDF-1.7"),
        ("empty.txt", ""),
    ]
    drop_files(page, "[data-drop]", files)
    lines = page.locator(".files li")
    expect(lines).to_have_count(4)
    expect(lines.nth(0)).to_contain_text("Added.")
    expect(lines.nth(1)).to_contain_text("Its audio is ready")
    expect(lines.nth(2)).to_contain_text("Not a text file")
    expect(lines.nth(3)).to_contain_text("empty")
    note = page.locator("[data-files-note]")
    expect(note).to_have_text("1 added, 1 was there already, 2 refused")
    page.check("input[name=engine][value=scripted]")
    drop_files(page, "[data-drop]", [("running.txt", running)])
    expect(lines.nth(4)).to_contain_text("being made right now")


def test_form_works_without_scripts(visiting: Visiting) -> None:
    """Without scripts the plain form adds the text and shows its task."""
    with visiting(scripts=False) as visit:
        page = visit.page
        page.goto("/upload")
        page.fill("#title", "Plain form")
        page.fill("#content", "Sent by a browser that runs no scripts.")
        page.click("text=Make audio")
        expect(page.locator("h1")).to_have_text("Plain form")
        page.wait_for_url("**/tasks/*")


def test_files_are_sent_without_scripts(visiting: Visiting) -> None:
    """Without scripts chosen files are added too; several lead to the library."""
    with visiting(scripts=False) as visit:
        page = visit.page
        page.goto("/upload")
        files = [
            {"name": f"plain-{n}.txt", "mimeType": "text/plain", "buffer": f"File {n}.".encode()}
            for n in (1, 2)
        ]
        page.set_input_files("#file", files)  # type: ignore[arg-type]
        page.click("text=Make audio")
        expect(page.locator(".texts h2", has_text="plain-2")).to_be_visible()
        expect(page.locator(".texts h2", has_text="plain-1")).to_be_visible()


def test_wrong_encoding_is_told(visitor: Visit) -> None:
    """A file that is not text in the encoding that was named is refused with the reason."""
    page = visitor.page
    page.goto("/upload")
    page.select_option("#encoding", "utf-8")
    page.set_input_files(
        "#file", {"name": "gb.txt", "mimeType": "text/plain", "buffer": "汉字".encode("gb18030")}
    )
    line = page.locator(".files li")
    expect(line).to_contain_text("Not accepted")
    expect(line).to_contain_text("utf-8")
    visitor.forgive("400")


def test_taken_title_is_a_hint(visitor: Visit, service: Home) -> None:
    """A title that is taken is told, and does not hinder."""
    submit(service, "A text whose title is taken.", title="Taken title")
    page = visitor.page
    page.goto("/upload")
    page.fill("#title", "Taken title")
    page.press("#title", "Tab")
    expect(page.locator("#title-note")).to_be_visible()
