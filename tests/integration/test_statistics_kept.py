"""Statistics kept by triggers: whatever happens to rows, counters and a recount are equal."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from app.domain.sums import Sums
from app.store.database import Database
from migrations import counting
from tests.conftest import KINDS, database_url
from tests.support import recount
from tests.support.task_rows import INSERT, START_US, columns, empty

#: What happens to requests.
_OF_REQUESTS = ("ask", "answer", "forget")
#: (what, which of the rows, with what)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.integers(0, 9), columns()),
        st.tuples(st.just("status"), st.integers(0, 9), columns()),
        st.tuples(st.just("amend"), st.integers(0, 9), columns()),
        st.tuples(st.just("delete"), st.integers(0, 9), columns()),
        st.tuples(st.just("many"), st.integers(0, 9), columns()),
        st.tuples(st.sampled_from(_OF_REQUESTS), st.integers(0, 9), columns()),
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind, with one text."""
    found = empty(database_url(request.param, tmp_path))
    yield found
    found.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=steps)
def test_counters_equal_a_recount_whatever_happens_to_rows(
    database: Database, steps: list[tuple[str, int, dict[str, Any]]]
) -> None:
    """Inserts (live, ended, many at once), moves, ends, changes by hand and DELETEs: all equal.

    And what was removed once it had ended goes on counting as archived: the totals of what has
    ended are those of before. The same of requests, whatever becomes of them.
    """
    with database.write() as conn:
        _clear(conn)
        gone = Gone()
        for what, which, values in steps:
            (_ask if what in _OF_REQUESTS else _step)(conn, what, which, values, gone)
        kept = recount.kept(conn)
        assert recount.live(kept) == recount.from_rows(conn)
        archived = {key[1]: one for key, one in kept["stat_total"].items() if key[0] == 1}
        assert archived == gone.tasks
        asked = {grain: gone.requests for grain in ("hour", "day", "all") if gone.requests}
        assert _forgotten(kept) == asked


@dataclass(slots=True)
class Gone:
    """What was removed and had been counted: ended tasks by status, requests by disposition."""

    tasks: dict[str, Sums] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)


def _forgotten(kept: recount.Counted) -> dict[str, dict[str, int]]:
    """Archived requests by what became of them, of each grain."""
    found: dict[str, dict[str, int]] = {}
    for (grain, _, is_archived, disposition, _), one in kept["stat_submission"].items():
        if is_archived:
            by = found.setdefault(grain, {})
            by[disposition] = by.get(disposition, 0) + one.n
    return found


def _clear(conn: Connection) -> None:
    statistics = ("stat_total", "stat_hist", "stat_period", "stat_cube", "stat_submission")
    for table in ("submission", "task", *statistics):
        conn.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - of this test


_DISPOSITIONS = ("new", "followed", "skipped")
#: Some requests, and a change of one and of all after it.
_ASKED = {
    "ask": text(
        "INSERT INTO submission (text_id, task_id, disposition, source, created_at, engine,"
        " char_count, audio_ms) SELECT 1, id, :disposition, :source, :submitted, :engine, :chars,"
        " :lost FROM task WHERE id % 2 = :odd"
    ),
    "answer": text(
        "UPDATE submission SET disposition = :disposition, source = :source, engine = :engine,"
        " created_at = :submitted, audio_ms = :lost WHERE id >= :id"
    ),
}


def _ask(conn: Connection, what: str, which: int, values: dict[str, Any], gone: Gone) -> None:
    ids = conn.execute(text("SELECT id FROM submission ORDER BY id")).scalars().all()
    if not ids and what != "ask":
        return
    chosen = ids[which % len(ids)] if ids else 0
    if what == "forget":
        _forget(conn, "id", chosen, gone)
        return
    more = {"disposition": _DISPOSITIONS[which % 3], "odd": which % 2, "id": chosen}
    conn.execute(_ASKED[what], {**values, **more})


def _forget(conn: Connection, column: str, value: int, gone: Gone) -> None:
    where = f"FROM submission WHERE {column} = :value"
    found = conn.execute(text(f"SELECT disposition, source {where}"), {"value": value})
    for disposition, source in found.all():
        if source != "canary":
            gone.requests[disposition] = gone.requests.get(disposition, 0) + 1
    conn.execute(text(f"DELETE {where}"), {"value": value})


def _step(conn: Connection, what: str, which: int, values: dict[str, Any], gone: Gone) -> None:
    if what in {"insert", "many"}:
        n = conn.execute(text("SELECT coalesce(max(id), 0) FROM task")).scalar_one()
        rows = [{**values, "key": f"k{n}.{i}"} for i in range(1 if what == "insert" else 3)]
        conn.execute(INSERT, rows)
        return
    ids = conn.execute(text("SELECT id FROM task ORDER BY id")).scalars().all()
    if not ids:
        return
    task_id = ids[which % len(ids)]
    if what == "delete":
        row = dict(
            conn.execute(text("SELECT * FROM task WHERE id = :id"), {"id": task_id})
            .mappings()
            .one()
        )
        if row["finished_at"] is not None and row["source"] != "canary":
            before = gone.tasks.get(row["status"], Sums())
            gone.tasks[row["status"]] = before + recount.sums(row)
        _forget(conn, "task_id", task_id, gone)
        conn.execute(text("DELETE FROM task WHERE id = :id"), {"id": task_id})
    elif what == "status":
        conn.execute(
            text(
                "UPDATE task SET status = :status, finished_at = :finished, run_us = :run,"
                " attempt = :attempt, worker_name = :worker WHERE id = :id"
            ),
            {**values, "id": task_id},
        )
    else:
        conn.execute(
            text(
                "UPDATE task SET voice = :voice, char_count = :chars, audio_duration_ms = :audio,"
                " source = :source, language = :language, timed_out_at = :late,"
                " capacity_us = :waited WHERE id >= :id"
            ),
            {**values, "id": task_id},
        )


def test_look_into_jaeger_moves_no_counter(database: Database) -> None:
    """What a look into Jaeger writes on an ended row moves no counter (it changes no number)."""
    with database.write() as conn:
        values = {
            "key": "k",
            "status": "completed",
            "engine": "tone",
            "voice": "v",
            "language": None,
            "source": "api",
            "chars": 5,
            "submitted": START_US,
            "finished": START_US + 5_000_000,
            "run": 3_000_000,
            "attempt": 1,
            "worker": "w1",
            "release": "1",
            "audio": 900,
            "late": None,
            "lost": 0,
            "waits": 0,
            "waited": 0,
        }
        conn.execute(INSERT, values)
        before = recount.kept(conn)
        conn.execute(text("UPDATE task SET trace_seen_at = 1, trace_resends = 2"))
        assert recount.kept(conn) == before
        assert before["stat_total"][0, "completed"] == Sums(
            n=1, run_ms=3000, wait_ms=2000, total_ms=5000, char_count=5, audio_ms=900
        )


def test_bounds_hold_every_duration_within_one_percent(database: Database) -> None:
    """Buckets touch, are one wide for small values, and all of one are within 1 % of its middle."""
    with database.read() as conn:
        bounds = conn.execute(text("SELECT low_ms FROM stat_bound ORDER BY low_ms")).scalars().all()
    assert bounds == counting.bounds()
    assert bounds[:50] == list(range(50))
    for low, after in pairwise(bounds):
        high = after - 1
        middle = 2 * low * high / (low + high) if low else 0
        assert low <= high
        assert abs(middle - low) <= 0.01 * low * (1 + 1e-12)
        assert abs(middle - high) <= 0.01 * high * (1 + 1e-12)
    assert bounds[-1] > 3 * 365 * 86_400_000
