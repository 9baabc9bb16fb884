"""Task lists over HTTP: the page without a browser, and the API."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from app.domain.query.order import Cursor, Order
from app.service import task_list
from app.service.figures import duration
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home
from tests.support.listed_rows import populate
from tests.support.service import submitted

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home full of tasks."""
    with Home.make(tmp_path_factory.mktemp("lists") / "home") as home:
        with home.core.database.write() as conn:
            populate(conn, count=150, seed=9)
        yield home


@pytest.fixture
def client(full: Home) -> Iterator[DocumentedClient]:
    """A client of the application on that home."""
    with web_client(full.settings) as made:
        yield made


def _page(client: DocumentedClient, path: str, **headers: str) -> str:
    answer = client.get(path, headers=HTML | headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def _rows(html: str) -> list[int]:
    return [int(one) for one in re.findall(r'<tr id="task-(\d+)"', html)]


def _link(html: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', html)
    return None if found is None else unescape(found[1])


def _expected(home: Home, query: str, **wanted: Any) -> list[int]:
    return [one.task.id for one in task_list.page(home.core, query, limit=1000, **wanted).tasks]


@pytest.mark.parametrize("query", ["", "status:completed", "-engine:tone", "chars:>10"])
def test_pages_lead_through_the_list_and_back(
    full: Home, client: DocumentedClient, query: str
) -> None:
    """Older leads to the end, Newer back to the beginning; every task once, in order."""
    expected = _expected(full, query)
    path: str | None = f"/tasks?query={quote(query)}"
    pages = []
    while path is not None:
        pages.append(_page(client, path))
        path = _link(pages[-1], "next")
    assert [one for page in pages for one in _rows(page)] == expected
    assert len(pages) == -(-len(expected) // 50)
    assert _link(pages[0], "prev") is None
    back = pages[-1]
    for earlier in reversed(pages[:-1]):
        path = _link(back, "prev")
        assert path is not None
        back = _page(client, path)
        assert _rows(back) == _rows(earlier)


def test_order_is_in_the_address_and_turns(full: Home, client: DocumentedClient) -> None:
    """A column's link sorts by it, the same link again turns the order."""
    html = _page(client, "/tasks?query=engine%3Atone")
    path = re.search(r'<a href="([^"]+)">Ran</a>', html)
    assert path is not None
    longest = _page(client, unescape(path[1]))
    assert _rows(longest) == _expected(full, "engine:tone", sort="dur")[:50]
    assert 'aria-sort="descending"' in longest
    turned = re.search(r'aria-sort="descending"><a href="([^"]+)">Ran</a>', longest)
    assert turned is not None
    assert (
        _rows(_page(client, unescape(turned[1])))[0]
        == (_expected(full, "engine:tone", sort="dur-asc")[0])
    )


def test_wrong_filter_is_underlined(client: DocumentedClient) -> None:
    """A wrong filter stays in the field, its wrong place is marked, and the words say why."""
    path = "/tasks?query=" + quote('voice:zh* status:"nope"<b>')
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 400
    assert "<mark>&#34;nope&#34;&lt;b&gt;</mark>" in answer.text
    assert "status cannot be “nope&lt;b&gt;”" in answer.text
    assert 'value="voice:zh* status:&#34;nope&#34;&lt;b&gt;"' in answer.text
    assert "Failed or timeout" in answer.text
    chinese = client.get(f"{path}&lang=zh", headers=HTML).text
    assert "status 不能是“nope&lt;b&gt;”" in chinese


def test_address_of_before_still_leads_to_a_list(full: Home, client: DocumentedClient) -> None:
    """The old addresses, by status and by the id before, show what they showed."""
    expected = _expected(full, "status:failed")
    html = _page(client, f"/tasks?status=failed&before={expected[2]}")
    assert _rows(html) == expected[3:53]
    assert 'value="status:failed"' in html


def test_empty_list_says_what_to_do(home: Home, client: DocumentedClient) -> None:
    """Nothing matches: how many there are without the filter. Nothing at all: upload."""
    html = _page(client, "/tasks?query=voice%3Anobody")
    assert "No task matches" in html
    assert "Show all" in html
    with web_client(home.settings) as fresh:
        assert "No task yet" in _page(fresh, "/tasks")


def test_page_says_down_to_where_it_searched(
    full: Home, client: DocumentedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the looking ended before the page was full, it says so and offers to go on."""
    monkeypatch.setattr("app.service.task_walk._PIECE", 10)
    monkeypatch.setattr("app.service.task_walk.MAX_S", 0.0)
    html = _page(client, "/tasks?query=chars%3A%3E9000")
    assert "Searched back to <time" in html
    assert "Search on" in html
    looked_at = _expected(full, "")[:10]
    assert _rows(html) == [one for one in _expected(full, "chars:>9000") if one in looked_at]
    assert "已查找到 <time" in _page(client, "/tasks?query=chars%3A%3E9000&lang=zh")


def test_titles_and_filters_are_never_markup(home: Home) -> None:
    """A title, and a filter that is right, are shown as text."""
    submitted(home.core, "Words.", title="<i>x</i>")
    with web_client(home.settings) as client:
        html = _page(client, "/tasks?query=" + quote('"<i>x</i>"'))
    assert "<i>" not in html
    assert "&lt;i&gt;x&lt;/i&gt;" in html


def test_list_by_total_shows_the_total(full: Home, client: DocumentedClient) -> None:
    """What a list is ordered by stands in it, in its own column, from the longest on."""
    html = _page(client, "/tasks?sort=total&lang=en")
    head = re.findall(r'<th scope="col".*?</th>', html)
    [column] = [n for n, cell in enumerate(head) if 'aria-sort="descending"' in cell]
    assert ">In all<" in head[column]
    rows = re.findall(r'<tr id="task-.*?</tr>', html, re.DOTALL)
    told = [re.findall(r"<td.*?</td>", one, re.DOTALL)[column] for one in rows]
    tasks = task_list.page(full.core, sort="total", limit=50).tasks
    totals = [(one.task.finished_at or 0) - one.task.submitted_at for one in tasks]
    assert all(f">{duration(us)}<" in cell for us, cell in zip(totals, told, strict=True))
    assert totals == sorted(totals, reverse=True)


@pytest.mark.parametrize(
    ("address", "english", "chinese"),
    [
        ("sort=foo", "sort is foo, which is no order", "sort 为 foo"),
        ("cursor=xyz&sort=dur", "cursor is xyz, which no page", "cursor 为 xyz"),
        ("before=abc", "before must be the number of a task. It is abc.", "现为 abc"),
        ("before=0", "before must be the number", "before 须为任务编号"),
        ("before=3&sort=dur", "this one is sorted by dur", "此列表按 dur 排序"),
        ("before=3&cursor=CURSOR", "Give one of them", "请只给一个"),
        ("sort=dur&cursor=CURSOR", "sorted by submitted, and sort asks for dur", "而 sort 为 dur"),
        ("status=done", "status is done, which is none", "status 为 done"),
    ],
)
def test_wrong_address_is_told_in_the_words_of_the_page(
    client: DocumentedClient, address: str, english: str, chinese: str
) -> None:
    """An order, a place or a status that is none: 400, what is wrong in the panel, no tasks."""
    cursor = str(Cursor(order=Order(), key=(1, 1)))
    for lang, says in (("en", english), ("zh", chinese)):
        path = f"/tasks?lang={lang}&{address.replace('CURSOR', cursor)}"
        answer = client.get(path, headers=HTML)
        panel = re.search(r'<div class="error-panel" id="fault".*?</div>', answer.text)
        assert answer.status_code == 400
        assert panel is not None
        assert says in panel[0]
        assert _rows(answer.text) == []


def test_api_pages_by_cursor(full: Home, client: DocumentedClient) -> None:
    """The API gives the tasks, the filter in one form, cursors both ways, and the count."""
    query = {"query": "lang:zh  -worker:w1", "sort": "wait", "limit": 7, "count": 1}
    first = client.get("/api/v1/tasks", query_string=query).json or {}
    expected = _expected(full, "language:zh -worker:w1", sort="wait")
    assert (first["query"], first["sort"]) == ("language:zh -worker:w1", "wait")
    assert first["count"] == {"n": len(expected), "is_exact": True, "removed": None}
    assert [one["id"] for one in first["tasks"]] == expected[:7]
    following = {"query": query["query"], "limit": 7, "cursor": first["next"]}
    second = client.get("/api/v1/tasks", query_string=following).json or {}
    assert [one["id"] for one in second["tasks"]] == expected[7:14]
    assert second["count"] is None
    back = following | {"cursor": second["previous"]}
    again = client.get("/api/v1/tasks", query_string=back).json or {}
    assert [one["id"] for one in again["tasks"]] == expected[:7]


def test_api_keeps_status_and_before(full: Home, client: DocumentedClient) -> None:
    """`status` and `before` page as they did before there were filters."""
    expected = _expected(full, "status:failed")
    found: list[int] = []
    before: int | None = None
    while before is not None or not found:
        query = {"status": "failed", "limit": 4} | ({"before": before} if before else {})
        answer = client.get("/api/v1/tasks", query_string=query).json or {}
        found += [one["id"] for one in answer["tasks"]]
        before = answer["next_before"]
    assert found == expected


def test_api_says_where_a_filter_is_wrong(client: DocumentedClient) -> None:
    """A wrong filter is a problem with its place; other parameters are named."""
    answer = client.get("/api/v1/tasks", query_string={"query": "第一 statu:failed"})
    problem = answer.json or {}
    assert (answer.status_code, problem["error_type"]) == (400, "invalid_query")
    assert (problem["position"], problem["length"]) == (3, 5)
    assert "did you mean status?" in problem["detail"]
    for query, words in (
        ({"sort": "size"}, "sort must be one of submitted"),
        ({"cursor": "x"}, "cursor must be one"),
        ({"before": "3", "sort": "dur"}, "before is for lists sorted"),
        ({"q": "x"}, "parameter 'q' is not known"),
    ):
        wrong = client.get("/api/v1/tasks", query_string=query)
        assert wrong.status_code == 400
        assert words in (wrong.json or {})["detail"]
