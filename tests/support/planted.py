"""Drift that is planted: rows changed behind the triggers, counters edited by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from app.store import trigger_state
from app.store.database import Database
from migrations import today
from tests.support import cube_rows
from tests.support.task_rows import HOUR_US, INSERT, START_US

#: A task that completed, and what makes others of it.
TASK: dict[str, Any] = {
    "status": "completed",
    "engine": "tone",
    "voice": "v1",
    "language": "en",
    "source": "api",
    "chars": 100,
    "submitted": START_US,
    "finished": START_US + 5_000_000,
    "run": 3_000_000,
    "attempt": 1,
    "worker": "w1",
    "release": "1.0",
    "audio": 900,
    "late": None,
    "lost": 0,
    "waits": 0,
    "waited": 0,
}


_TEXT = text(
    "INSERT INTO text (title, content, char_count, content_hash, source, created_at, task_id,"
    " audio_id) VALUES ('t', 'c', 1, 'h', 'api', 0, 1, 1)"
)


def put_text(conn: Connection) -> None:
    """Inserts the text that all tasks are of; it has audio."""
    conn.execute(_TEXT)


def put(conn: Connection, *changes: dict[str, Any]) -> None:
    """Inserts tasks, each with what it has otherwise than `TASK`."""
    first = conn.execute(text("SELECT coalesce(max(id), 0) FROM task")).scalar_one()
    rows = [{**TASK, "key": f"k{first + n}", **one} for n, one in enumerate(changes)]
    conn.execute(INSERT, rows)


def some(conn: Connection) -> None:
    """Tasks of three hours in two days, of each status, and some that live."""
    put(
        conn,
        *(
            {
                "submitted": START_US + hour * HOUR_US,
                "finished": START_US + hour * HOUR_US + 7_000_000 + n,
                "run": 1_000_000 * (n + 1),
                "status": "failed" if n == 3 else "completed",
                "voice": f"v{n % 2}",
            }
            for hour in (-2, 0, 1)
            for n in range(5)
        ),
        {"status": "timeout"},
        {"status": "cancelled"},
        {"status": "pending", "finished": None},
        {"status": "pending", "finished": None, "source": "canary"},
        {"status": "processing", "finished": None},
        {"source": "canary"},
    )


_REQUESTS = text(
    "INSERT INTO submission (text_id, task_id, disposition, source, created_at, engine, char_count,"
    " audio_ms) SELECT 1, id, CASE WHEN run_us = 5000000 THEN 'skipped' ELSE 'new' END, source,"
    " submitted_at, engine, char_count, CASE WHEN run_us = 5000000 THEN 900 ELSE 0 END FROM task"
    " WHERE voice = 'v0' AND status = 'completed' ORDER BY id"
)


def asked(conn: Connection) -> None:
    """Requests of tasks of `some`: in each of three hours two new ones and a skipped one."""
    conn.execute(_REQUESTS)


def tried(conn: Connection) -> None:
    """Attempts of one task of `some`: in each of three hours four that count, and one that not.

    Two that completed, one that failed and its repeat.
    """
    cube_rows.put(
        conn,
        *(
            {"finished": START_US + hour * HOUR_US + 9_000_000, **one}
            for hour in (-2, 0, 1)
            for one in (
                {},
                {"worker": "w2"},
                {"outcome": "retry", "fingerprint": "v2:f"},
                {"outcome": "failed", "fingerprint": "v2:f", "repeat": True},
                {"outcome": "cancelled"},
            )
        ),
    )


@contextmanager
def without_triggers(database: Database) -> Iterator[Connection]:
    """A transaction in which no trigger counts; they are back after it."""
    with database.write() as conn:
        names = today.tables(conn.dialect.name)
        if conn.dialect.name == "sqlite":
            for name in names:
                conn.execute(text(f"DROP TRIGGER {name}"))
        else:
            for table in sorted(set(names.values())):
                conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield conn
        for name in trigger_state.faults(conn):
            trigger_state.restore(conn, name)


#: What is done to tasks of `some`, each to others, and what of it is told: (table, part of the
#: name). Rows are changed behind the triggers, counters by hand.
ROWS: dict[str, tuple[str, str]] = {
    "UPDATE task SET char_count = char_count + 7 WHERE status = 'failed'": (
        "stat_cube",
        "failed tone/v1/en/w1/w1/1.0 char_count",
    ),
    "UPDATE task SET status = 'completed' WHERE status = 'timeout'": (
        "stat_period",
        "hour 2026-01-01T00:00Z timeout n",
    ),
    "UPDATE task SET finished_at = finished_at + 36000000000 WHERE status = 'cancelled'": (
        "stat_period",
        "hour 2026-01-01T10:00Z cancelled n",
    ),
    "UPDATE task SET run_us = run_us + 1000000 WHERE voice = 'v0' AND status = 'completed'": (
        "stat_hist",
        "all time run from 984 ms n",
    ),
    "DELETE FROM task WHERE voice = 'v1' AND status = 'completed' AND run_us = 2000000": (
        "stat_cube",
        "hour 2025-12-31T22:00Z completed tone/v1/en/w1/w1/1.0 n",
    ),
    "DELETE FROM task WHERE status = 'pending'": ("stat_total", "all time pending char_count"),
    "UPDATE text SET state = 'failed'": ("text", "completed shown as failed n"),
    "UPDATE submission SET disposition = 'followed' WHERE disposition = 'skipped'": (
        "stat_submission",
        "hour 2025-12-31T22:00Z followed tone audio_ms",
    ),
    (
        "DELETE FROM submission WHERE disposition = 'new' AND id IN"
        " (SELECT max(id) FROM submission WHERE disposition = 'new')"
    ): ("stat_submission", "hour 2026-01-01T01:00Z new tone char_count"),
    "UPDATE task_attempt SET voice = 'v9', char_count = 99 WHERE worker_name = 'w2'": (
        "stat_attempt",
        "hour 2025-12-31T22:00Z w2/h1/tone/v9/en/1.0/<100/api completed n",
    ),
    "UPDATE task_attempt SET finished_at = finished_at + 108000000000 WHERE is_repeat": (
        "stat_attempt",
        "hour 2026-01-02T06:00Z w1/h1/tone/v1/en/1.0/100-499/api v2:f repeat n",
    ),
    "DELETE FROM task_attempt WHERE outcome = 'retry'": (
        "stat_attempt",
        "hour 2026-01-01T01:00Z w1/h1/tone/v1/en/1.0/100-499/api v2:f n",
    ),
}
COUNTERS: dict[str, tuple[str, str]] = {
    "UPDATE stat_total SET run_ms = run_ms + 1 WHERE status = 'completed'": (
        "stat_total",
        "all time completed run_ms",
    ),
    "UPDATE stat_total SET n = n + 5 WHERE status = 'processing'": (
        "stat_total",
        "all time processing n",
    ),
    "UPDATE stat_period SET n = n - 1 WHERE grain = 'hour' AND status = 'failed'": (
        "stat_period",
        "hour 2026-01-01T01:00Z failed n",
    ),
    "DELETE FROM stat_period WHERE grain = 'day' AND status = 'failed'": (
        "stat_period",
        "day 2025-12-31 failed total_ms",
    ),
    "UPDATE stat_cube SET voice = 'other' WHERE grain = 'hour' AND status = 'timeout'": (
        "stat_cube",
        "hour 2026-01-01T00:00Z timeout tone/other/en/w1/w1/1.0 wait_ms",
    ),
    "UPDATE stat_cube SET late_count = 9 WHERE grain = 'day' AND status = 'cancelled'": (
        "stat_cube",
        "day 2026-01-01 cancelled tone/v1/en/w1/w1/1.0 late_count",
    ),
    "UPDATE stat_cube SET audio_ms = 0 WHERE grain = 'all' AND status = 'completed'": (
        "stat_cube",
        "all time completed tone/v0/en/w1/w1/1.0 audio_ms",
    ),
    "UPDATE stat_hist SET n = n + 1 WHERE measure = 'run' AND low_ms BETWEEN 2900 AND 3000": (
        "stat_hist",
        "all time run from 2942 ms n",
    ),
    "UPDATE stat_hist SET low_ms = 77 WHERE measure = 'wait' AND low_ms > 5900": (
        "stat_hist",
        "all time wait from 77 ms n",
    ),
    "UPDATE stat_text SET n = n - 9 WHERE state = 'completed'": (
        "stat_text",
        "all time completed n",
    ),
    (
        "INSERT INTO stat_submission (grain, start, archived, disposition, engine, shard, n,"
        " char_count, audio_ms) VALUES ('all', 0, 0, 'new', 'tone', 99, 3, 4, 5)"
    ): ("stat_submission", "all time new tone audio_ms"),
    "UPDATE stat_submission SET n = n + 1000 WHERE disposition = 'new' AND engine = 'tone'": (
        "stat_submission",
        "hour 2026-01-01T00:00Z new tone n",
    ),
    (
        "INSERT INTO stat_period (grain, start, archived, status, shard, n, run_ms, wait_ms,"
        " total_ms, char_count, audio_ms, retry_count, lost_count, capacity_count, capacity_ms,"
        " late_count) VALUES ('day', 86400000000, 0, 'failed', 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)"
    ): ("stat_period", "day 1970-01-02 failed n"),
    "UPDATE stat_attempt SET n = n + 7 WHERE grain = 'hour' AND start = 1767225600000000": (
        "stat_attempt",
        "hour 2026-01-01T00:00Z w1/h1/tone/v1/en/1.0/100-499/api completed n",
    ),
    "DELETE FROM stat_attempt WHERE grain = 'day' AND start < 1767225600000000": (
        "stat_attempt",
        "day 2025-12-31 w2/h1/tone/v1/en/1.0/100-499/api completed n",
    ),
    "DELETE FROM stat_profile WHERE is_repeat = 1": (
        "stat_attempt",
        "hour 2025-12-31T22:00Z #4/-/-/-/-/-/-/- completed n",
    ),
    (
        "INSERT INTO stat_attempt (grain, start, profile_id, archived, n)"
        " SELECT 'day', 172800000000, min(id), 0, 5 FROM stat_profile"
    ): ("stat_attempt", "day 1970-01-03 w1/h1/tone/v1/en/1.0/100-499/api completed n"),
}
