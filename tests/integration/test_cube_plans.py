"""Plans of what reads the cube over attempts, and of what is removed beside tasks."""

import re
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, text

from app.domain.window import DAY_US, EVER_US, HOUR_US, Span
from app.store import attempt_cube, old_records, recount_attempts, recount_counters, recount_rows
from app.store.database import Database
from tests.conftest import KINDS, database_url
from tests.support import cube_rows
from tests.support.many_rows import EMPTY, FILLED
from tests.support.statements import plan, recorded, walks
from tests.support.task_rows import START_US

_HOUR = Span(grain="hour", start=START_US, end=START_US + HOUR_US)
_DAY = START_US // DAY_US * DAY_US
STATEMENTS: dict[str, Callable[[Connection], object]] = {
    "cells of hours": lambda conn: attempt_cube.of_span(conn, _HOUR),
    "rows": lambda conn: attempt_cube.of_rows(conn, START_US, START_US + 9),
    "profiles": lambda conn: attempt_cube.profiles(conn, [1, 2, 3]),
    "archived hours": lambda conn: attempt_cube.archived_hours(conn, [START_US, 7]),
    "rows of a recount": lambda conn: recount_attempts.of_rows(conn, START_US, START_US + HOUR_US),
    "cells of a recount": lambda conn: recount_attempts.of_hour(conn, _HOUR),
    "unequal day": lambda conn: recount_attempts.unequal(conn, _DAY),
    "hours of rows": lambda conn: recount_rows.attempt_hours(conn, START_US, EVER_US),
    "hours of cells": lambda conn: recount_counters.starts(
        conn, "stat_attempt", "hour", START_US, EVER_US
    ),
    **{
        f"old {kind}": lambda conn, kind=kind: old_records.old(conn, kind, before=9, limit=9)  # type: ignore[misc]
        for kind in old_records.KINDS
    },
    **{
        f"remove {kind}": lambda conn, kind=kind: old_records.remove(conn, kind, [1, 2])  # type: ignore[misc]
        for kind in old_records.KINDS
    },
    "deliveries of findings": lambda conn: old_records.remove_deliveries_of(conn, [1, 2]),
}
#: Those that must find their order in an index, too.
ORDERED = {f"old {kind}" for kind in old_records.KINDS}


@pytest.fixture(scope="module", params=KINDS)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Some thousand attempts, of which few failed, on each database."""
    url = database_url(request.param, tmp_path_factory.mktemp("filled"))
    database = Database(url, role="migrate", pool_size=1)
    with database.write() as conn:
        cube_rows.put_tasks(conn)
        conn.execute(_ATTEMPTS)
        if conn.dialect.name == "postgresql":
            conn.execute(text("ANALYZE"))
    yield database
    database.close()


# each of a profile of its own, over twenty hours
_ATTEMPTS = text(
    "INSERT INTO task_attempt (task_id, attempt, span_id, worker_id, worker_name, host, release,"  # noqa: S608 - of this test
    " engine, queued_at, wait_reason, claimed_at, deadline_at, finished_at, outcome, voice,"
    " language, source, char_count) WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1"
    f" FROM numbers WHERE i < 6000) SELECT 1, i, 's', 'w', 'w' || i % 5, 'h', 'r' || i, 'tone', 0,"
    f" 'queued', 0, 0, {START_US} + i % 20 * {HOUR_US} + i, 'completed', 'v', '', 'api', 9"
    " FROM numbers ORDER BY i"
)


def test_statements_read_no_whole_table(filled: Database) -> None:
    """No plan walks through a large table, nor sorts what an index has in order, on either."""
    wrong: dict[str, list[str]] = {}
    with filled.write() as conn:
        for name, statement in STATEMENTS.items():
            with recorded(conn.engine) as statements:
                statement(conn)
            assert len(statements) == 1, name
            [(sql, values)] = statements
            lines = walks(conn, sql, values, tables=FILLED, is_filled=True)
            lines += walks(conn, sql, values, tables=EMPTY)
            if name in ORDERED:
                sorts = (line for line in plan(conn, sql, values) if _SORTS.search(line))
                lines += list(sorts)
            wrong |= {name: lines} if lines else {}
    assert wrong == {}


_SORTS = re.compile(r"TEMP B-TREE|\bSort\b")
