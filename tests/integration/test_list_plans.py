"""Plans of task lists: each walks the index that was made for it, in its own order, on both."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.service import task_list
from app.store.database import Database
from tests.conftest import KINDS, database_url
from tests.support.home import Home
from tests.support.listed_rows import populate
from tests.support.statements import plan, recorded

#: Filter and sort, and the indexes that its pages walk.
WALKS = {
    ("", None): {"ix_task_submitted"},
    ("since:2h", None): {"ix_task_submitted"},
    ("submitted:2026-02-27", "submitted-asc"): {"ix_task_submitted"},
    ("status:failed", None): {"ix_task_failed"},
    ("status:failed,timeout", None): {"ix_task_failed", "ix_task_timeout"},
    ("status:completed", None): {"ix_task_completed"},
    ("status:pending", None): {"ix_task_live"},
    ("status:processing", None): {"ix_task_processing"},
    ("engine:tone", None): {"ix_task_engine"},
    ("engine:tone status:failed", None): {"ix_task_failed"},
    ("worker:w1 since:2026-02-01", None): {"ix_task_worker_name"},
    ("fp:v1:0001", None): {"ix_task_fingerprint"},
    ("is:late", None): {"ix_task_late"},
    ("is:rescued", None): {"ix_task_rescued"},
    ("is:live is:retried", None): {"ix_task_live"},
    ("ended:>=2026-02-27", None): {"ix_task_live", "ix_task_finished"},
    ("ended:2026-02-27..2026-03-01 worker:w1", None): {"ix_task_live", "ix_task_finished"},
    ("", "ended-asc"): {"ix_task_live", "ix_task_finished"},
    ("dur:>60s status:failed", "dur"): {"ix_task_run_ms"},
    ("", "wait-asc"): {"ix_task_wait_ms"},
    ("engine:tone", "total"): {"ix_task_total_ms"},
    ("chars:>9000 -voice:zh*", None): {"ix_task_submitted"},
    (f"trace:{7:032x}", None): {"ix_task_trace"},
    ("id:7", None): set(),
    ("text:rabbit", None): {"ix_task_text"},
}


@pytest.fixture(scope="module", params=KINDS)
def home_of_tasks(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A home with some tasks of each kind, on each database."""
    path = tmp_path_factory.mktemp("plans")
    with Home.make(path / "home", database_url(request.param, path)) as home:
        with home.core.database.write() as conn:
            populate(conn, count=60, seed=5)
        yield home


def _statements(home: Home, query: str, sort: str | None) -> Iterator[tuple[str, Any]]:
    """What pages of a list send about tasks: the first, the next, the one before, the count."""
    core = home.core
    with core.database.read() as conn:
        engine = conn.engine
    with recorded(engine) as statements:
        first = task_list.page(core, query, sort=sort, limit=2, with_count=True)
        if first.next is not None:
            following = task_list.page(core, query, cursor=str(first.next), limit=2)
            task_list.page(core, query, cursor=str(following.previous), limit=2)
    return ((sql, values) for sql, values in statements if "FROM task" in sql)


def _plans(database: Database, statements: Iterator[tuple[str, Any]]) -> list[str]:
    """Their plans; PostgreSQL's where the table is large, which here it is not."""
    with database.read() as conn:
        if conn.dialect.name == "postgresql":
            for name in ("seqscan", "bitmapscan", "sort"):
                conn.execute(text(f"SET LOCAL enable_{name} = off"))
        return ["\n".join(plan(conn, sql, values)) for sql, values in statements]


@pytest.mark.parametrize(("query", "sort"), WALKS)
def test_list_walks_its_index(home_of_tasks: Home, query: str, sort: str | None) -> None:
    """No page scans the table, or sorts it; it walks the index that the filter and order have.

    PostgreSQL chooses among indexes by what it knows of the rows; with terms left to look at in
    rows it may take another one for a small table.
    """
    home = home_of_tasks
    database = home.core.database
    walked = set()
    for told in _plans(database, _statements(home, query, sort)):
        used = set(re.findall(r"\b(?:ix|ux|pk)_task_?\w*", told))
        is_by_id = "pk_task" in used or "INTEGER PRIMARY KEY" in told
        walked |= used - {"pk_task"}
        assert is_by_id or used, told
        assert not re.search(r"Seq Scan on task\b|SCAN task(?! USING)", told), told
        if database.is_sqlite and not walked <= _SHORT and not _SINCE.search(told):
            assert "TEMP B-TREE FOR ORDER BY" not in told, told
    assert walked == WALKS[query, sort] or (not database.is_sqlite and walked)


def test_walk_that_began_long_ago_sorts_nothing(
    home_of_tasks: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where much has ended since a walk began, what lived then is walked by its submission."""
    monkeypatch.setattr("app.service.task_ends.MAX_SORTED", -1)
    database = home_of_tasks.core.database
    told = "\n".join(_plans(database, _statements(home_of_tasks, "", "ended")))
    assert "ix_task_submitted" in told
    assert not _SINCE.search(told)
    assert not re.search(r"Seq Scan on task\b|SCAN task(?! USING)", told), told


#: What has ended since a walk by ends began is sorted: it is little.
_SINCE = re.compile(r"ix_task_finished \(finished_at>\?\)\s+USE TEMP B-TREE FOR ORDER BY")
#: Indexes of few rows, which are sorted.
_SHORT = {"ix_task_trace", "ix_task_text", "ix_task_processing"}
