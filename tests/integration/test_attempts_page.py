"""The page of attempts: what a row tells, where it leads, and what an empty or wrong list says."""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from app.domain.query.grammar import ATTEMPTS
from app.domain.query.parse import parse
from tests.support.attempt_rows import Listed, holds, listed, populate
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A service with attempts, and what is in it."""

    client: DocumentedClient
    rows: Sequence[Listed]

    def page(self, path: str, status: int = 200) -> str:
        """A page, its entities resolved."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return html.unescape(answer.text)

    def expected(self, query: str) -> list[str]:
        """The ids of the rows that a list must show, last ended first."""
        asked = parse(query, ATTEMPTS)
        keys = sorted((one.key for one in self.rows if holds(asked, one)), reverse=True)
        return [f"attempt-{task}-{attempt}" for _, task, attempt in keys]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Planted attempts behind the pages."""
    with Home.make(tmp_path_factory.mktemp("attempts") / "home") as home:
        with home.core.database.write() as conn:
            populate(conn, count=150, seed=9)
            rows = list(listed(conn))
        with web_client(home.settings) as client:
            yield Site(client=client, rows=rows)


def _rows(page: str) -> list[str]:
    return re.findall(r'<tr id="(attempt-\d+-\d+)"', page)


def _link(page: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return found[1] if found else None


def test_pages_follow_one_another(site: Site) -> None:
    """All attempts stand on pages of fifty, each once, and each page leads back."""
    page = site.page("/attempts")
    assert f">{len(site.rows)} attempts<" in page
    found, pages = _rows(page), 1
    while (following := _link(page, "next")) is not None:
        before = page
        page = site.page(following)
        found += _rows(page)
        pages += 1
        back = _link(page, "prev")
        assert back is not None
        assert _rows(site.page(back)) == _rows(before)
    assert found == site.expected("")
    assert pages == -(-len(site.rows) // 50)


def test_row_tells_an_attempt_and_leads_on(site: Site) -> None:
    """A row says how it ended, of which task, why, where; it leads to the task and the group."""
    one = next(row for row in site.rows if row.row.outcome == "retry" and row.row.error_message)
    page = site.page(f"/attempts?q=task:{one.row.task_id}")
    row = page.split(f'id="attempt-{one.row.task_id}-{one.row.attempt}"')[1].split("</tr>")[0]
    number, task = one.row.attempt, one.row.task_id
    assert f'href="/tasks/{task}?tab=attempts#attempt-{number}"' in row
    assert f"Attempt {number} of task {task}" in row
    assert "failed, tried again" in row
    assert f'href="/failures/{one.row.fingerprint}"' in row
    assert str(one.row.template) in row
    assert f'id="attempt-{number}"' in site.page(f"/tasks/{task}?tab=attempts")


def test_filter_is_shown_term_by_term(site: Site) -> None:
    """Each term can be taken away; the window of the address becomes terms, too."""
    query = "outcome:failure -host:h1"
    page = site.page(f"/attempts?q={quote(query)}&from=2026-02-26&to=2026-02-28")
    assert _rows(page) == site.expected(f"{query} ended:2026-02-26..2026-02-28")[:50]
    whole = f"{query} since:2026-02-26 until:2026-02-28"
    assert f'name="q" value="{whole}"' in page
    assert 'aria-label="Remove -host:h1"' in page
    rest = quote("outcome:failure since:2026-02-26 until:2026-02-28", safe="").replace("%20", "+")
    assert f'href="/attempts?q={rest}"' in page


def test_empty_list_says_what_is_here_and_what_to_do(site: Site, home: Home) -> None:
    """Nothing that fits, and nothing at all, are told apart; both say which attempts count."""
    page = site.page("/attempts?q=voice:nobody")
    assert "No attempt fits" in page
    assert "were cancelled" in page
    assert '<a class="btn" href="/attempts">Show all</a>' in page
    with web_client(home.settings) as client:
        fresh = client.get("/attempts").text
    assert "No attempt has ended yet" in fresh
    assert 'href="/upload"' in fresh


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("q=worker:w1+outcome:fail", "outcome cannot be “fail”. Did you mean failed?"),
        ("q=status:cancelled", "outcome cannot be “cancelled”."),
        ("cursor=x", "cursor is x, which no page of this list gave."),
        ("from=soon", "from must be so long ago"),
        ("from=1h&to=2h", "from must be before to"),
        ("from=9999-01-01", "from must lie in the years 1970 to 2999"),
    ],
)
def test_what_is_wrong_is_told(site: Site, path: str, says: str) -> None:
    """A wrong filter, window or place is told on the page, and no attempts are shown."""
    page = site.page(f"/attempts?{path}", status=400)
    assert says in page
    assert _rows(page) == []


def test_list_is_reached_from_tasks(site: Site) -> None:
    """The list of tasks and the page of a task lead to the attempts."""
    assert 'href="/attempts"' in site.page("/tasks")
    one = site.rows[0].row.task_id
    assert f'href="/attempts?q=task:{one}"' in site.page(f"/tasks/{one}?tab=attempts")


def test_list_leads_to_what_its_attempts_have_in_common(site: Site) -> None:
    """A filter becomes a question: its window is the window, its other terms are the attempts."""
    query = "outcome:failure engine:tone -is:repeat ended:2026-02-26..2026-02-28T10:00Z"
    page = site.page(f"/attempts?q={quote(query)}")
    asked = "query=outcome%3Afailure+engine%3Atone&from=2026-02-26&to=2026-02-28T10%3A00%3A00Z"
    assert f'href="/correlate?{asked}"' in page
    assert "/correlate?" not in site.page("/attempts?q=since:2026-02-26")


def test_page_is_chinese_too(site: Site) -> None:
    """The page says everything in Chinese."""
    headers = {"Accept-Language": "zh"}
    page = site.client.get("/attempts", headers=headers).text
    assert ">运行</h1>" in page
    assert f"{len(site.rows)} 次运行" in page
    assert "没有符合条件的运行" in site.client.get("/attempts?q=voice:nobody", headers=headers).text
