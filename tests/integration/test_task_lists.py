"""Task lists against a naive look at the same rows: every filter, every order, both ways."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text as text_clause

from app import clock
from app.domain.errors import QueryError, RequestError
from app.domain.query.order import NEVER_US, Cursor, Order, Sort, usual_order
from app.domain.query.parse import parse
from app.domain.query.query import Query
from app.service import task_list, task_search
from app.service.core import Core
from app.service.task_list import TaskPage
from tests.conftest import KINDS, database_url
from tests.support.home import Home
from tests.support.listed_rows import NOW_US, Listed, holds, listed, populate
from tests.support.postgres import shared_server
from tests.support.service import submitted

#: Tasks of the table.
COUNT: Final = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A database full of tasks, and what is in it."""

    core: Core
    rows: Sequence[Listed]

    def expected(self, query: Query, order: Order, now_us: int = NOW_US) -> list[int]:
        """Ids of the tasks that a list must show."""
        found = [one for one in self.rows if holds(query, one, now_us)]
        if order.sort.is_duration:
            found = [one for one in found if one.task.finished_at is not None]
        found.sort(key=lambda one: _key(one, order.sort), reverse=not order.is_ascending)
        return [one.task.id for one in found]


def _key(one: Listed, sort: Sort) -> tuple[int, ...]:
    task = one.task
    if sort is Sort.ENDED:
        return one.ended_at, task.submitted_at, task.id
    first = task.submitted_at if sort is Sort.SUBMITTED else getattr(task, f"{_MS[sort]}_ms")
    return first, task.id


_MS: Final = {Sort.DUR: "run", Sort.WAIT: "wait", Sort.TOTAL: "total"}


@pytest.fixture(scope="module", params=KINDS)
def table(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Table]:
    """Tasks on each database."""
    path = tmp_path_factory.mktemp("lists")
    with _filled(path, database_url(request.param, path)) as made:
        yield made


@contextmanager
def _filled(path: Path, url: str) -> Iterator[Table]:
    with Home.make(path / "home", url) as home:
        with home.core.database.write() as conn:
            populate(conn, count=COUNT, seed=11)
            rows = list(listed(conn))
        yield Table(core=home.core, rows=rows)


def _read(core: Core, query: Query, order: Order, *, limit: int, examined: int) -> list[TaskPage]:
    """All pages, from the first to the last."""
    pages: list[TaskPage] = []
    cursor = None
    while not pages or cursor is not None:
        pages.append(
            task_list.page(
                core, query, sort=str(order), cursor=cursor, limit=limit, examined=examined
            )
        )
        following = pages[-1].next
        cursor = None if following is None else str(following)
        assert len(pages) <= 2 * COUNT + 2, "the pages never end"
    return pages


def _ids(page: TaskPage) -> list[int]:
    return [one.task.id for one in page.tasks]


_VALUES = {
    "status": ("failed", "failed,timeout", "pending", "processing", "completed", "cancelled"),
    "is": ("live", "ended", "late", "rescued", "retried", "retry", "followed", "late,retry"),
    "engine": ("tone", "espeak,volc", "t*", "none"),
    "voice": (
        "zh*",
        "*female*",
        "a*b",
        '"a*b"',
        '"q\\"x"',
        "a_b",
        "a%b",
        '"两 个"',
        "x[1]",
        "x[*",
        "*?",
    ),
    "worker": ("w1", "w1,w2", '""', "*", "w*"),
    "host": ("h1", '"",h2'),
    "language": ("en", "zh", '""'),
    "release": ("1.*", '""'),
    "format": ("mp3", "wav"),
    "source": ("page,api", "cli"),
    "error-type": ("engine_error", "engine_*", '""'),
    "fingerprint": ("v1:0001", "v1:0001,v1:0002", "v1:*", '""'),
    "chars": (">8000", "<=100", "1000..2000"),
    "attempts": ("0", ">=3"),
    "retries": ("0", ">0"),
    "tries": (">0",),
    "lost": ("1",),
    "capacity": ("2",),
    "dur": (">5m", "10s..2m", "<1s"),
    "wait": (">=30m", "..10m"),
    "total": ("<20m",),
    "since": ("2026-02-27T06:00Z", "2026-02-27"),
    "until": ("2026-02-28T12:00Z",),
    "submitted": ("2026-02-27", "2026-02-27T08:00Z..2026-02-28T20:00+02:00", "<=2026-02-28"),
    "ended": (">=2026-02-27", "2026-02-27..2026-02-28", "<2026-02-28", "2026-02-27,>2026-02-28"),
    "text": (
        *("alpha", "BETA", "bet", "rabbit", '"rabbit hole"', '"100 %"', "_ca", "k\\s", "a_b", "zz"),
        *('"a \\"quote\\""', "孙悟空", "猴王", "第", "größe", "привет", "alpha,孙悟空", "al,beta"),
    ),
    "error": ("45000292", "quota", "太短", "100", "worker_lost,太", '""', '"a_b"', "err"),
    "id": ("5", "1..50", ">250", "3,7,1000000"),
    "trace": (f"{7:032x}", f"{7:032x},{8:032x}"),
}
_TERMS = [f"{name}:{value}" for name, values in _VALUES.items() for value in values]
_QUERIES = st.lists(
    st.tuples(st.sampled_from(_TERMS), st.sampled_from(("", "", "-"))), max_size=4
).map(lambda terms: parse(" ".join(f"{minus}{term}" for term, minus in terms)))
_ORDERS = st.builds(Order, sort=st.sampled_from(list(Sort)), is_ascending=st.booleans())


@pytest.mark.parametrize("name", _VALUES)
def test_list_shows_what_a_naive_look_finds_for_each_term(table: Table, name: str) -> None:
    """Each term alone, and negated: all of its tasks, in order, none twice."""
    _check_each_value(table, name)


def _check_each_value(table: Table, name: str) -> None:
    for value in _VALUES[name]:
        for text in (f"{name}:{value}", f"-{name}:{value}"):
            query = parse(text)
            order = usual_order(query)
            pages = _read(table.core, query, order, limit=90, examined=100)
            assert [one for page in pages for one in _ids(page)] == table.expected(query, order)


@pytest.mark.postgres
def test_searches_find_the_same_where_postgres_knows_all_letters(tmp_path: Path) -> None:
    """In a database of C.UTF-8, whose index holds every letter, the same is found."""
    locale = "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
    shared_server().execute(f"CREATE DATABASE lists_utf8 TEMPLATE template0 {locale}")
    with _filled(tmp_path, shared_server().url("lists_utf8")) as table:
        for name in ("text", "error"):
            _check_each_value(table, name)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=_QUERIES, order=_ORDERS, limit=st.integers(4, 90), examined=st.integers(30, 250))
def test_pages_lose_and_double_nothing(
    table: Table, query: Query, order: Order, limit: int, examined: int
) -> None:
    """Forwards and backwards, pages of any size hold every task once, in order."""
    expected = table.expected(query, order)
    pages = _read(table.core, query, order, limit=limit, examined=examined)
    assert [one for page in pages for one in _ids(page)] == expected
    found: list[int] = []
    shown = [page for page in pages if page.tasks]
    cursor = shown[-1].previous if shown else None
    tail = _ids(shown[-1]) if shown else []
    while cursor is not None:
        page = task_list.page(table.core, query, cursor=str(cursor), limit=limit, examined=examined)
        found = _ids(page) + found
        cursor = page.previous if page.tasks or page.searched_to is not None else None
    assert found + tail == expected


def test_page_looks_at_no_more_rows_than_it_may(table: Table) -> None:
    """A term without an index is sought among so many tasks, and the page says down to where."""
    query = parse("chars:>9900")
    page = task_list.page(table.core, query, examined=50, limit=50)
    newest = table.expected(parse(""), Order())[:50]
    assert _ids(page) == [one for one in table.expected(query, Order()) if one in newest]
    assert page.searched_to is not None
    assert page.searched_to[-1] == newest[-1]
    assert page.next is not None
    assert page.next.key == page.searched_to


def test_bound_is_shared_by_the_values_of_a_term(table: Table) -> None:
    """Of a list that walks two indexes both together look at no more than the page may."""
    page = task_list.page(table.core, "status:completed,failed chars:<0", examined=40, limit=50)
    assert page.searched_to is not None
    ends = table.expected(parse("status:completed,failed"), Order())
    assert 20 <= ends.index(page.searched_to[-1]) + 1 <= 40


def test_search_goes_down_to_the_first_text(
    any_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search in steps begins with the newest text and ends with the first one."""
    monkeypatch.setattr(task_search, "_STEP", 1)
    core = any_home.core
    made = [submitted(core, f"Number {number}: a needle.").task.id for number in range(7)]
    with core.database.read() as conn:
        found = task_search.find(conn, parse("text:needle"))
    assert found is not None
    assert _ids(task_list.page(core, "text:needle", limit=100)) == made[::-1]


def test_index_answers_without_a_bound(table: Table) -> None:
    """Terms that an index answers are looked for to the end."""
    for text in ("status:failed", "engine:tone", "worker:w1,w2", "fp:v1:0001", "since:2026-02-27"):
        query = parse(text)
        page = task_list.page(table.core, query, examined=5, limit=1000)
        assert _ids(page) == table.expected(query, Order())
        assert (page.next, page.searched_to) == (None, None)


@pytest.mark.parametrize(
    "text",
    ["", "status:failed", "-status:completed", "status:failed engine:tone", "worker:w1", "is:late"],
)
def test_count_is_exact(table: Table, text: str) -> None:
    """The count is that of a naive look; for no filter and for statuses it comes from counters."""
    query = parse(text)
    page = task_list.page(table.core, query, limit=1, with_count=True)
    assert page.count is not None
    assert (page.count.n, page.count.is_exact) == (len(table.expected(query, Order())), True)


def test_count_is_a_least_where_not_all_was_looked_at(table: Table) -> None:
    """A count that had to stop says so."""
    page = task_list.page(table.core, "chars:>5000", limit=1, with_count=True, examined=50)
    assert page.count is not None
    assert 0 < page.count.n < 50
    assert not page.count.is_exact


def test_before_takes_the_place_of_a_task(table: Table) -> None:
    """`before` goes on from a task, and from the next older one where that is gone."""
    expected = table.expected(parse("status:failed"), Order())
    page = task_list.page(table.core, "status:failed", before_id=expected[3], limit=1000)
    assert _ids(page) == expected[4:]
    assert task_list.page(table.core, "status:failed", before_id=expected[-1]).tasks == ()
    assert task_list.page(table.core, before_id=0).tasks == ()
    everything = task_list.page(table.core, before_id=10**12, limit=1000)
    newest = max(table.rows, key=lambda one: one.task.id)
    assert newest.task.id in _ids(everything)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"sort": "size"}, "sort must be one of submitted, ended"),
        ({"cursor": "nonsense"}, "cursor must be one that"),
        ({"cursor": "é"}, "cursor must be one that"),
        ({"limit": 0}, "limit must be a whole number from 1"),
        ({"before_id": 3, "sort": "dur"}, "before is for lists sorted"),
        ({"before_id": 3, "cursor": str(Cursor(order=Order(), key=(1, 1)))}, "give one of them"),
    ],
    ids=["sort", "cursor", "no ASCII", "limit", "before", "both"],
)
def test_wrong_request_is_told_in_words(table: Table, wanted: dict[str, Any], says: str) -> None:
    """A sort, a cursor or a limit that is none is an error of the caller."""
    with pytest.raises(RequestError, match=says):
        task_list.page(table.core, **wanted)


def test_cursor_belongs_to_its_order(table: Table) -> None:
    """A cursor keeps its order, and is refused where another is asked for."""
    page = task_list.page(table.core, sort="dur-asc", limit=3)
    following = task_list.page(table.core, cursor=str(page.next), limit=3)
    assert str(following.order) == "dur-asc"
    with pytest.raises(RequestError, match="the cursor is of a list sorted by dur-asc"):
        task_list.page(table.core, sort="submitted", cursor=str(page.next))


def test_wrong_filter_reaches_the_caller(table: Table) -> None:
    """A filter that cannot be read is an error with a place."""
    with pytest.raises(QueryError) as caught:
        task_list.page(table.core, "status:nope")
    assert caught.value.position == 7


def test_live_tasks_end_after_every_moment(table: Table) -> None:
    """A window that reaches now holds what ended in it and what lives; a closed one does not."""
    open_end = task_list.page(table.core, "ended:>=2026-02-28", limit=1000)
    live = [one.task.id for one in table.rows if one.ended_at == NEVER_US]
    assert set(live) <= set(_ids(open_end))
    assert _ids(open_end)[0] in live
    closed = task_list.page(table.core, "ended:2026-02-27..2026-03-02", limit=1000)
    assert not set(live) & set(_ids(closed))


def test_so_long_ago_counts_from_the_clock_of_the_database(table: Table) -> None:
    """A relative moment is resolved in the transaction that reads, and the page says when."""
    days = (clock.now_us() - NOW_US) // 86_400_000_000
    for text in (f"since:{days + 1}d", f"ended:{days + 3}d..{days + 2}d", f"until:{days + 2}d"):
        query = parse(text)
        page = task_list.page(table.core, query, limit=1000)
        assert _ids(page) == table.expected(query, usual_order(query), page.now)
        assert 0 < len(page.tasks) < len(table.rows)


@pytest.mark.parametrize(("name", "value"), [("MAX_ROWS", 0), ("MAX_S", 1e-9)])
def test_search_that_cannot_be_had_is_looked_for_in_rows(
    table: Table, monkeypatch: pytest.MonkeyPatch, name: str, value: float
) -> None:
    """Too many matches, or no time: the list looks in the tasks, and finds the same."""
    monkeypatch.setattr(task_search, name, value)
    for text in (
        "text:rabbit",
        "error:engine",
        "text:alpha error:quota",
        "text:孙悟空 engine:tone",
    ):
        query = parse(text)
        pages = _read(table.core, query, Order(), limit=40, examined=70)
        assert [one for page in pages for one in _ids(page)] == table.expected(query, Order())


def test_longest_filters_are_answered(table: Table) -> None:
    """As many terms, and as many alternatives, as a filter may have."""
    letters = [chr(0x4E00 + number) for number in range(480)]
    for text in (
        f"-text:{','.join(letters)}",
        f"text:{','.join(letters)}",
        f"voice:{','.join(f'{letter}*' for letter in letters[:320])}",
        " ".join(f"-text:{letter}" for letter in letters[:50]),
        " ".join(f"error:{letter}xx" for letter in letters[:50]),
        f"id:{','.join(str(number) for number in range(240))}",
    ):
        query = parse(text)
        page = task_list.page(table.core, query, limit=1000, with_count=True)
        assert _ids(page) == table.expected(query, Order())


def test_pages_stay_while_tasks_come_and_move(tmp_path: Path) -> None:
    """Tasks that come, or get another status, shift no page; `previous` finds what came."""
    with Home.make(tmp_path / "home") as home:
        with home.core.database.write() as conn:
            populate(conn, count=60, seed=1)
            before = [one.task.id for one in sorted(listed(conn), key=_by_age, reverse=True)]
        first = task_list.page(home.core, limit=10)
        assert _ids(first) == before[:10]
        with home.core.database.write() as conn:
            move = "UPDATE task SET status = 'cancelled', finished_at = 9 WHERE id = :id"
            conn.execute(text_clause(move), {"id": before[12]})
            come = "UPDATE task SET submitted_at = submitted_at + :days WHERE id IN (:a, :b)"
            values = {"days": 10 * 86_400_000_000, "a": before[-1], "b": before[-2]}
            conn.execute(text_clause(come), values)
        second = task_list.page(home.core, limit=10, cursor=str(first.next))
        assert _ids(second) == before[10:20]
        newer = task_list.page(home.core, limit=10, cursor=str(first.previous))
        assert sorted(_ids(newer)) == sorted(before[-2:])


def _by_age(one: Listed) -> tuple[int, int]:
    return one.task.submitted_at, one.task.id
