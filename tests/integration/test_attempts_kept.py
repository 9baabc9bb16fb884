"""The cube over attempts, kept by triggers: whatever happens to rows, it is what they group to."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, inspect, text

from app.domain import lengths
from app.domain.window import EVER_US, Span
from app.store import attempt_cube, erase, revisions, schema
from app.store.database import Database
from migrations import attempts
from tests.conftest import KINDS, database_url, empty_database_url
from tests.support import cube_rows
from tests.support.cube_rows import Counted, count, counted_by, from_rows, kept
from tests.support.home import Home
from tests.support.service import claimed, run, spoken, start_worker, submitted
from tests.support.task_rows import START_US
from tests.support.waiting import until_waiting

#: Where one bucket of lengths ends and the next begins.
_EDGES = [start + by for start in lengths.STARTS for by in (-1, 0, 1)]

#: (what, which of the rows, with what)
steps = st.lists(
    st.tuples(
        st.sampled_from(("insert", "many", "end", "amend", "delete", "clear", "undo")),
        st.integers(0, 9),
        cube_rows.columns(),
    ),
    min_size=1,
    max_size=12,
)
_AMEND = text(
    "UPDATE task_attempt SET finished_at = :finished, outcome = :outcome, worker_name = :worker,"
    " release = :release, error_type = :error, voice = :voice, language = :language,"
    " source = :source, char_count = :chars, fingerprint = :fingerprint, is_repeat = :repeat"
    " WHERE task_id = :task"
)
_END = text(
    "UPDATE task_attempt SET finished_at = :finished, outcome = :outcome, error_type = :error,"
    " fingerprint = :fingerprint WHERE task_id = :task AND finished_at IS NULL"
)


@pytest.fixture(params=KINDS, scope="module")
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database of each kind with three tasks; each test empties what it looks at."""
    url = database_url(request.param, tmp_path_factory.mktemp("kept"))
    found = Database(url, role="migrate", pool_size=4)
    with found.write() as conn:
        cube_rows.put_tasks(conn)
    yield found
    found.close()


def _clear(conn: Connection) -> None:
    for table in ("task_attempt", "stat_attempt", "stat_profile"):
        conn.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - of this test


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=steps)
def test_cube_is_what_rows_group_to_whatever_happens_to_them(
    database: Database, steps: list[tuple[str, int, dict[str, Any]]]
) -> None:
    """Claims, ends, rows that come as they are, changes by hand, DELETEs, and what is taken back.

    And what was removed goes on counting as archived. The rows say the same through the reads of
    the scan, which add ragged ends to hours.
    """
    with database.write() as conn:
        _clear(conn)
        gone: Counted = Counter()
        for what, which, values in steps:
            if what == "undo":
                with conn.begin_nested() as taken_back:
                    _step(conn, ("end", "amend", "delete")[which % 3], which, values, Counter())
                    taken_back.rollback()
            else:
                _step(conn, what, which, values, gone)
        assert kept(conn) == from_rows(conn) + gone
        assert all(n >= 0 for n in kept(conn).values())
        if not gone:
            assert _of_cube(conn) == _of_rows(conn)


def _step(conn: Connection, what: str, which: int, values: dict[str, Any], gone: Counted) -> None:
    if what in {"insert", "many"}:
        cube_rows.put(conn, *([values] * (1 if what == "insert" else 3)))
    elif what == "end" and values["outcome"] is not None:
        conn.execute(_END, values)
    elif what == "amend":
        conn.execute(_AMEND, values)
    elif what in {"delete", "clear"}:
        condition = "true" if what == "clear" else "attempt = :attempt"
        chosen = {"attempt": which // 3 + 1}
        rows = conn.execute(text(f"SELECT * FROM task_attempt WHERE {condition}"), chosen)  # noqa: S608
        for row in rows.mappings().all():
            count(gone, counted_by(row), archived=1)
        conn.execute(text(f"DELETE FROM task_attempt WHERE {condition}"), chosen)  # noqa: S608


def _of_cube(conn: Connection) -> dict[int, int]:
    return _added(attempt_cube.of_span(conn, Span(grain="hour", start=0, end=EVER_US)))


def _of_rows(conn: Connection) -> dict[int, int]:
    return _added(attempt_cube.of_rows(conn, 0, EVER_US))


def _added(counts: attempt_cube.Counts) -> dict[int, int]:
    ids, places = np.unique(counts.ids, return_inverse=True)
    n = np.bincount(places, weights=counts.n, minlength=len(ids))
    return {one: int(k) for one, k in zip(ids.tolist(), n.tolist(), strict=True) if k}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(counts=st.lists(st.one_of(st.integers(0, 2**31 - 1), st.sampled_from(_EDGES)), min_size=1))
def test_lengths_are_told_apart_alike_everywhere(database: Database, counts: list[int]) -> None:
    """The bucket of a length: of the domain, of the SQL of reads, and of the triggers."""
    ours = lengths.sql("value")
    theirs = attempts.VALUES["length"].format(r="v").replace("char_count", "value")
    rows = " UNION ALL ".join(f"SELECT {n} AS value" for n in counts)
    with database.read() as conn:
        found = conn.execute(text(f"SELECT value, {ours}, {theirs} FROM ({rows}) v")).all()  # noqa: S608
    assert {tuple(row) for row in found} == {(n, *[lengths.bucket(n)] * 2) for n in counts}


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A PostgreSQL with many tasks, whose transactions raise where they meet in a deadlock."""
    found = Database(database_url("postgres", tmp_path_factory.mktemp("pg")), role="migrate")
    with found.write() as conn:
        cube_rows.put_tasks(conn, 400)
    yield found
    found.close()


@pytest.mark.postgres
@pytest.mark.parametrize("first_one", ["commits", "is taken back"])
def test_two_first_attempts_of_a_profile_make_one(postgres: Database, first_one: str) -> None:
    """The second waits for the first, finds its profile or makes it; both are counted, or one."""
    with ThreadPoolExecutor(1) as threads, contextlib.suppress(_TakenBackError):
        with postgres.write() as conn:
            _clear(conn)
        with postgres.write() as conn:
            cube_rows.put(conn, {"task": 1})
            second = threads.submit(_put_all, postgres, [{"task": 2}])
            until_waiting(postgres)
            if first_one != "commits":
                raise _TakenBackError
    second.result(20)
    with postgres.read() as conn:
        assert kept(conn) == from_rows(conn)
        assert conn.execute(text("SELECT count(*) FROM stat_profile")).scalar_one() == 1


class _TakenBackError(Exception):
    pass


def _put_all(database: Database, rows: list[dict[str, Any]]) -> None:
    with database.write() as conn:
        cube_rows.put_at_once(conn, rows)


@pytest.mark.postgres
@pytest.mark.parametrize("are_known", [True, False], ids=["known profiles", "new profiles"])
def test_many_rows_of_a_statement_are_counted_in_one_order(
    postgres: Database, *, are_known: bool
) -> None:
    """Whoever holds what a statement waits for may go on to what comes later in that order.

    Were the last one taken before the middle one, both would wait for ever.
    """
    of = {name: {"worker": name} for name in ("a", "m", "z")}
    with postgres.write() as conn:
        _clear(conn)
        for number, one in enumerate(of.values() if are_known else ()):
            cube_rows.put(conn, {"task": 10 + number, **one})
    many = [{"task": 20 + number, **of[name]} for number, name in enumerate("zma")]
    with ThreadPoolExecutor(1) as threads:
        with postgres.write() as conn:
            cube_rows.put(conn, {"task": 1, **of["m"]})
            waiting = threads.submit(_put_all, postgres, many)
            until_waiting(postgres)
            cube_rows.put(conn, {"task": 2, **of["z"]})
        waiting.result(20)
    with postgres.write() as conn:
        conn.execute(text("DELETE FROM task_attempt WHERE task_id >= 20"))
        assert {key: n for key, n in kept(conn).items() if not key[2]} == from_rows(conn)


@pytest.mark.postgres
def test_attempt_that_ends_waits_for_a_removal_and_not_for_ever(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A task of today is removed while another of its profile ends: both take one order."""
    url = database_url("postgres", tmp_path_factory.mktemp("pg"))
    with Home.make(tmp_path_factory.mktemp("home"), url) as home, ThreadPoolExecutor(1) as threads:
        core = home.core
        done = spoken(core, "Said before.")
        submitted(core, "Said next.")
        claim = claimed(core, start_worker(core))
        with core.database.write() as conn:
            erase.captions(conn, [done.id], [])
            erase.audios(conn, [done.id], [])
            erase.segments(conn, [done.id])
            erase.attempts(conn, [done.id])
            ending = threads.submit(run, core, claim)
            until_waiting(core.database)
            erase.events(conn, [done.id])
            erase.log_lines(conn, [done.id])
            erase.submissions(conn, [done.id], [])
            erase.tasks(conn, [done.id])
        assert ending.result(20).status == "completed"
        with core.database.read() as conn:
            assert conn.execute(_DEADLOCKS).scalar_one() == 0


_DEADLOCKS = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


@pytest.mark.parametrize("kind", KINDS)
def test_attempts_of_an_older_release_are_counted(kind: str, tmp_path: Path) -> None:
    """Revision 0011 counts the rows that are there, triggers count on; and there and back again."""
    database = Database(empty_database_url(kind, tmp_path), role="migrate")
    with database.write() as conn:
        revisions.move(conn, before=None, to="0010")
        cube_rows.put_tasks(conn)
        rows = _old_rows()
        names = ", ".join(rows[0])
        marks = ", ".join(f":{name}" for name in rows[0])
        conn.execute(text(f"INSERT INTO task_attempt ({names}) VALUES ({marks})"), rows)  # noqa: S608
        conn.execute(text("UPDATE task SET source = 'canary' WHERE id = 3"))
    for _ in range(2):
        schema.migrate(database)
        schema.check(database)
        with database.write() as conn:
            found = kept(conn)
            assert found == from_rows(conn)
            assert sum(found.values()) == 2 * sum(
                row["outcome"] in cube_rows.COUNTED and row["task_id"] != 3 for row in rows
            )
            assert {key[-2] for key in found} == {"", "v0:engine_crashed", "v0:unknown"}
            conn.execute(text("UPDATE task_attempt SET outcome = 'failed' WHERE attempt = 1"))
            assert kept(conn) == from_rows(conn)
            conn.execute(text("UPDATE task_attempt SET outcome = 'completed' WHERE attempt = 1"))
            revisions.move(conn, before="0011", to="0010")
            assert not set(inspect(conn).get_table_names()) & {"stat_profile", "stat_attempt"}
    database.close()


def _old_rows() -> list[dict[str, Any]]:
    """Attempts as revision 0010 had them: each outcome, two hours, one that runs."""
    outcomes = [*cube_rows.OUTCOMES, None]
    return [
        {
            "task_id": task,
            "attempt": number,
            "span_id": "s",
            "worker_id": "w",
            "worker_name": f"w{task}",
            "host": "h",
            "release": "1",
            "engine": "tone",
            "queued_at": 0,
            "wait_reason": "queued",
            "claimed_at": 0,
            "deadline_at": 0,
            "finished_at": outcome and START_US + number % 2 * 3_600_000_000,
            "outcome": outcome,
            "error_type": "engine_crashed" if number % 2 else None,
        }
        for task in (1, 2, 3)
        for number, outcome in enumerate(outcomes, start=1)
    ]
