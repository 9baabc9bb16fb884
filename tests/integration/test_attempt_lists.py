"""Lists of attempts against a naive look at the same rows: filters, pages both ways, plans."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update

from app.domain.errors import AskedError, QueryError, RequestError
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.order import Begun, Cursor, Order, Sort
from app.domain.query.parse import parse
from app.domain.query.query import Query
from app.service import attempt_list
from app.service.attempt_list import ORDER, AttemptPage
from app.service.core import Core
from app.store.tables import task_table
from tests.conftest import KINDS, database_url
from tests.support.attempt_rows import NOW_US, Listed, holds, listed, populate
from tests.support.home import Home
from tests.support.queries import queries
from tests.support.statements import plan, recorded

#: Attempts of the table.
COUNT: Final = 160
JAEGER: Final = "http://jaeger.example:16686"
Keys = list[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A database full of attempts, and what is in it."""

    core: Core
    rows: Sequence[Listed]

    def expected(self, query: Query | str, now_us: int = NOW_US) -> Keys:
        """The attempts that a list must show, last ended first."""
        asked = parse(query, ATTEMPTS) if isinstance(query, str) else query
        found = [one.key for one in self.rows if holds(asked, one, now_us)]
        return [key[1:] for key in sorted(found, reverse=True)]


@pytest.fixture(scope="module", params=KINDS)
def table(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Table]:
    """Attempts on each database."""
    path = tmp_path_factory.mktemp("attempts")
    url = database_url(request.param, path)
    with Home.make(path / "home", url, VOXTRACE_JAEGER_URL=JAEGER) as home:
        with home.core.database.write() as conn:
            populate(conn, count=COUNT, seed=11)
            rows = list(listed(conn))
        yield Table(core=home.core, rows=rows)


def _keys(page: AttemptPage) -> Keys:
    return [(one.row.attempt.task_id, one.row.attempt.attempt) for one in page.attempts]


def _read(core: Core, query: Query, *, limit: int, examined: int) -> list[AttemptPage]:
    """All pages, from the first to the last."""
    pages: list[AttemptPage] = []
    cursor = None
    while not pages or cursor is not None:
        pages.append(attempt_list.page(core, query, cursor=cursor, limit=limit, examined=examined))
        cursor = None if pages[-1].next is None else str(pages[-1].next)
        assert len(pages) <= 2 * COUNT + 2, "the pages never end"
    return pages


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=queries(ATTEMPTS), limit=st.integers(1, 40), examined=st.sampled_from((7, 40, 10**6)))
def test_pages_hold_what_a_naive_look_finds(
    table: Table, query: Query, limit: int, examined: int
) -> None:
    """Whatever is asked, pages one after the other hold each attempt once, last ended first."""
    pages = _read(table.core, query, limit=limit, examined=examined)
    found = [key for page in pages for key in _keys(page)]
    assert found == table.expected(query, pages[0].now)
    assert all(len(page.attempts) == limit or page.searched_to for page in pages[:-1])


@pytest.mark.parametrize(
    "query",
    ["", "fp:v2:0000000000000001,v2:0000000000000002", "engine:tone", "worker:w1 outcome:failure"],
)
def test_pages_lead_back(table: Table, query: str) -> None:
    """From the last page back to the first, the same attempts stand in the same order."""
    pages = _read(table.core, parse(query, ATTEMPTS), limit=6, examined=10**6)
    found = _keys(pages[-1])
    cursor, is_first = pages[-1].previous, len(pages) == 1
    while not is_first:
        page = attempt_list.page(table.core, query, cursor=str(cursor), limit=6)
        found = [*_keys(page), *found]
        cursor, is_first = page.previous, page.is_first
    assert found == table.expected(query)


@pytest.mark.parametrize(
    "query", ["", "outcome:lost", "fp:v2:0000000000000001 worker:w1", "task:3", "voice:nobody"]
)
def test_count_is_that_of_the_list(table: Table, query: str) -> None:
    """The count is exact where all was looked at, and says so where it was not."""
    n = len(table.expected(query))
    first = attempt_list.page(table.core, query, limit=1, with_count=True)
    assert first.count is not None
    assert (first.count.n, first.count.is_exact) == (n, True)
    looked = attempt_list.page(table.core, "worker:w1", limit=1, with_count=True, examined=9)
    assert looked.count is not None
    assert not looked.count.is_exact
    assert looked.count.n <= len(table.expected("worker:w1"))


def test_what_counts_on_no_side_is_in_no_list(table: Table) -> None:
    """Attempts of canaries, those that run, were cancelled or waited for capacity are not there."""
    with table.core.database.read() as conn:
        kinds = list(conn.execute(text("SELECT outcome, source FROM task_attempt")))
    assert {"cancelled", "capacity", "handed_back", None} <= {kind.outcome for kind in kinds}
    assert ("failed", "canary") in {tuple(kind) for kind in kinds}
    page = attempt_list.page(table.core, limit=1000)
    shown = {(one.row.attempt.outcome, one.row.attempt.source) for one in page.attempts}
    assert {outcome for outcome, _ in shown} == {"completed", "failed", "timeout", "retry", "lost"}
    assert "canary" not in {source for _, source in shown}
    with pytest.raises(QueryError, match=r"allowed: completed, failed, timeout, retry, lost"):
        attempt_list.page(table.core, "outcome:cancelled")


def test_window_is_part_of_the_filter(table: Table) -> None:
    """A window of ends reads as the filter's own terms do, and is written with it."""
    query = attempt_list.wanted("engine:tone", "2026-02-27", "2026-02-28T12:00Z")
    assert str(query) == "engine:tone since:2026-02-27 until:2026-02-28T12:00:00Z"
    page = attempt_list.page(table.core, query, limit=1000)
    assert _keys(page) == table.expected("engine:tone ended:2026-02-27..2026-02-28T12:00Z")
    with pytest.raises(AskedError, match="from must be before to"):
        attempt_list.wanted("", "1h", "2h")
    with pytest.raises(AskedError, match="to must be so long ago"):
        attempt_list.wanted("", "", "yesterday")


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        str(Cursor(order=Order(), key=(1, 2))),
        str(Cursor(order=Order(sort=Sort.ENDED, is_ascending=True), key=(1, 2, 3))),
        str(Cursor(order=ORDER, key=(1, 2, 3), begun=Begun(at=1, oldest=1))),
    ],
)
def test_cursor_of_another_list_is_refused(table: Table, cursor: str) -> None:
    """Only a cursor that a page of this list gave is one."""
    with pytest.raises(AskedError, match="cursor must be one that an earlier page"):
        attempt_list.page(table.core, cursor=cursor)
    with pytest.raises(RequestError, match="limit must be a whole number from 1 to 1000"):
        attempt_list.page(table.core, limit=0)


def test_later_attempts_are_found_before_the_first_page(table: Table) -> None:
    """`previous` of the first page leads to what will end later: nothing, here."""
    first = attempt_list.page(table.core, limit=5)
    before = attempt_list.page(table.core, cursor=str(first.previous), limit=5)
    assert (before.attempts, before.is_first) == ((), True)
    again = attempt_list.page(table.core, cursor=str(before.next), limit=5)
    assert _keys(again) == _keys(first)


#: Filter, and the indexes that its pages walk.
WALKS = {
    "": {"ix_task_attempt_ended"},
    "since:2026-02-27 worker:w1": {"ix_task_attempt_ended"},
    "ended:2026-02-27..2026-02-28 outcome:failure": {"ix_task_attempt_failed"},
    "-outcome:completed worker:w1": {"ix_task_attempt_failed"},
    "outcome:lost,timeout": {"ix_task_attempt_failed"},
    "outcome:completed,lost": {"ix_task_attempt_ended"},
    "-outcome:lost": {"ix_task_attempt_ended"},
    "fp:v2:0000000000000001": {"ix_task_attempt_fingerprint"},
    "fp:v2:0000000000000001,v2:0000000000000002 host:h1": {"ix_task_attempt_fingerprint"},
    "fp:v2:* engine:tone": {"ix_task_attempt_ended"},
    "task:3,4": {"pk_task_attempt"},
    f"trace:{7:032x}": {"pk_task_attempt", "ix_task_trace"},
}


def _sent(table: Table, query: str) -> list[tuple[str, Any]]:
    """What pages of a list send about attempts: the first, the next, the one before, the count."""
    core = table.core
    with core.database.read() as conn:
        engine = conn.engine
    with recorded(engine) as statements:
        first = attempt_list.page(core, query, limit=2, with_count=True)
        if first.next is not None:
            following = attempt_list.page(core, query, cursor=str(first.next), limit=2)
            attempt_list.page(core, query, cursor=str(following.previous), limit=2)
    return [(sql, values) for sql, values in statements if "task_attempt" in sql]


@pytest.mark.parametrize("query", WALKS)
def test_list_walks_its_index(table: Table, query: str) -> None:
    """No page scans the attempts or sorts them; it walks the index that the filter has."""
    database = table.core.database
    walked: set[str] = set()
    with database.read() as conn:
        if not database.is_sqlite:
            for name in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"):
                conn.execute(text(f"SET LOCAL enable_{name} = off"))
        for sql, values in _sent(table, query):
            told = "\n".join(plan(conn, sql, values))
            told = told.replace("sqlite_autoindex_task_attempt_1", "pk_task_attempt")
            walked |= set(
                re.findall(r"\b(?:ix_task_attempt|pk_task_attempt|ix_task_trace)\w*", told)
            )
            assert not re.search(r"Seq Scan on task_attempt|SCAN task_attempt(?! USING)", told), (
                told
            )
            if "ORDER BY" in sql and database.is_sqlite and "pk_" not in "".join(WALKS[query]):
                assert "TEMP B-TREE FOR ORDER BY" not in told, told
    walked -= {"pk_task_attempt"}
    assert walked == WALKS[query] - {"pk_task_attempt"} or (not database.is_sqlite and walked)


def test_trace_is_linked_only_where_it_was_seen(table: Table) -> None:
    """An attempt leads to Jaeger where the whole trace of its task was seen there, not before."""
    with table.core.database.write() as conn:
        conn.execute(update(task_table).values(finished_at=table.core.database.now_us(conn)))
    shown = attempt_list.page(table.core, limit=1000).attempts
    assert {one.jaeger_url for one in shown if one.row.trace_seen_at is None} == {None}
    seen = [one for one in shown if one.row.trace_seen_at is not None]
    assert seen
    assert all(one.jaeger_url == f"{JAEGER}/trace/{one.row.trace_id}" for one in seen)
