"""The tables of statistics and tasks on a phone: every number is to be seen."""

import pytest

from tests.browser.conftest import Visiting
from tests.support.home import Home
from tests.support.pages import Library, submit, until

#: What stands in cells to the right of what their table shows.
_OUTSIDE = """() => [...document.querySelectorAll(".table-wrap")].flatMap((wrap) => {
  const right = wrap.getBoundingClientRect().right
  return [...wrap.querySelectorAll("td, tbody th")]
    .filter((cell) => cell.getClientRects().length && !cell.matches(".wide-only"))
    .filter((cell) => cell.getBoundingClientRect().right > right + 1)
    .map((cell) => cell.textContent)
})"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_percentiles_are_seen_on_a_phone(visiting: Visiting, library: Library, lang: str) -> None:
    """At 360 px no table of the page hides numbers at its right; in rows each says what it is."""
    del library
    with visiting(lang=lang, width=360) as visit:
        page = visit.page
        page.goto("/stats?from=all")
        assert page.locator(".table-wrap").count() == 2
        assert page.evaluate(_OUTSIDE) == []
        cell = page.locator(".table-cards td.num").last
        label = cell.evaluate("(cell) => getComputedStyle(cell, '::before').content")
        assert label == {"en": '"RTF"', "zh": '"实时率"'}[lang]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_task_list_fits_a_phone(visiting: Visiting, library: Library, lang: str) -> None:
    """At 360 px a task's status, title, time and what the list is ordered by are on the screen."""
    del library
    with visiting(lang=lang, width=360) as visit:
        for sort in ("submitted", "wait", "ended", "dur", "total"):
            visit.page.goto(f"/tasks?sort={sort}")
            assert visit.page.locator("tbody .title").first.is_visible()
            assert visit.page.evaluate(_OUTSIDE) == [], sort


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_attempts_fit_a_phone(visiting: Visiting, library: Library, lang: str) -> None:
    """At 360 px an attempt's task, worker, error, duration and end are on the screen."""
    del library
    with visiting(lang=lang, width=360) as visit:
        visit.page.goto("/attempts?q=outcome:failure")
        row = visit.page.locator("tbody tr").first
        assert row.locator(".title").is_visible()
        assert "w1" in row.locator(".under").inner_text()
        assert row.locator(".under a").is_visible()
        assert visit.page.evaluate(_OUTSIDE) == []


@pytest.mark.parametrize("path", ["/tasks", "/tasks?query=status:completed&sort=total"])
def test_filter_has_a_line_of_its_own_on_a_phone(
    visiting: Visiting, library: Library, path: str
) -> None:
    """At 360 px a filter of forty characters is seen whole; the buttons stand below it."""
    del library
    with visiting(width=360) as visit:
        visit.page.goto(path)
        field = visit.page.locator(".filterbar input[name=query]").bounding_box()
        button = visit.page.locator(".filterbar button").last.bounding_box()
        assert field is not None
        assert button is not None
        assert field["width"] > 270
        assert button["y"] >= field["y"] + field["height"]


def test_running_task_is_named_on_a_phone(visiting: Visiting, service: Home) -> None:
    """At 360 px the monitor says which text runs."""
    content = "One.\n@sleep 60\nTwo, on a phone."
    task_id = submit(service, content, title="Runs", engine="scripted")["task"]["id"]
    until(service, task_id, "processing")
    with visiting(width=360) as visit:
        visit.page.goto("/monitor")
        title = visit.page.locator(f"#running a[href='/tasks/{task_id}']").bounding_box()
        assert title is not None
        assert title["width"] > 30
        assert visit.page.evaluate(_OUTSIDE) == []
    service.run("cancel", str(task_id))
