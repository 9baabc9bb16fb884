"""So many rows that a planner of a database knows what is rare: made by the database itself."""

from typing import Final

from sqlalchemy import Connection, text

from tests.support.task_rows import HOUR_US, START_US

#: Tables whose rows grow with the tasks without a bound: those that are filled here, and others.
FILLED: Final = (
    "text",
    "task",
    "submission",
    "event",
    "task_attempt",
    "stat_attempt",
)
EMPTY: Final = (
    "segment",
    "task_log",
    "audio",
    "caption",
    "stat_profile",
    "finding",
    "system_event",
    "webhook_delivery",
    "analysis",
)
#: Hours in which the tasks end, one after the other; of a thousand one fails, two live.
HOURS: Final = 20

_NUMBERS: Final = (
    "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < :count)"
)
_STATUS: Final = (
    "CASE i % 1000 WHEN 0 THEN 'failed' WHEN 1 THEN 'timeout' WHEN 2 THEN 'cancelled'"
    " WHEN 3 THEN 'pending' WHEN 4 THEN 'processing' ELSE 'completed' END"
)
_SUBMITTED: Final = f"{START_US} + (i % {HOURS}) * {HOUR_US} + i"
_STATEMENTS: Final = (
    (
        "INSERT INTO text (title, content, char_count, content_hash, source, created_at,"  # noqa: S608 - of this module
        f" deleted_at) {_NUMBERS} SELECT 't', 'c', 1, 'h' || i, 'api', {_SUBMITTED},"
        " CASE WHEN i % 500 = 0 THEN 7 END FROM numbers ORDER BY i"
    ),
    (
        "INSERT INTO task (text_id, content_key, status, engine, engine_version, voice, language,"  # noqa: S608 - of this module
        " format, source, char_count, timeout_us, max_attempts, give_up_at, submitted_at,"
        " queued_at, not_before, claimed_at, deadline_at, finished_at, run_us, attempt, worker_id,"
        " worker_name, host, release, trace_id, span_id)"
        f" {_NUMBERS} SELECT i, 'k' || i, {_STATUS}, 'tone', '1', 'v' || (i % 7), 'en', 'mp3',"
        " CASE WHEN i % 100 = 50 THEN 'canary' ELSE 'api' END, 9, 1000000, 1, 9223372036854775,"
        f" {_SUBMITTED}, {_SUBMITTED}, 0, 1, 9223372036854775,"
        f" CASE WHEN i % 1000 IN (3, 4) THEN NULL ELSE {_SUBMITTED} + 5000000 END, i, 1, 'w',"
        " 'w' || (i % 5), 'h', '1', 't' || i, 's' FROM numbers ORDER BY i"
    ),
    (
        "INSERT INTO submission (text_id, task_id, disposition, source, created_at,"  # noqa: S608 - of this module
        f" idempotency_key) {_NUMBERS} SELECT i, i, 'new', 'api', {_SUBMITTED},"
        " CASE WHEN i % 200 = 0 THEN 'key' || i END FROM numbers ORDER BY i"
    ),
    (
        f"INSERT INTO event (task_id, at, kind, by) {_NUMBERS}"  # noqa: S608 - of this module
        " SELECT i, 7, 'submitted', 'test' FROM numbers ORDER BY i"
    ),
    (
        "INSERT INTO task_attempt (task_id, attempt, span_id, worker_id, worker_name, host,"
        " release, engine, queued_at, wait_reason, claimed_at, deadline_at, finished_at, outcome,"
        " voice, language, source, char_count, fingerprint)"
        " SELECT id, 1, 's', 'w', worker_name, host, release, engine, 0, 'queued', 0, 0,"
        " finished_at, status, voice, language, source,"
        " char_count, CASE WHEN status IN ('failed', 'timeout') THEN 'v2:' || id % 7 END"
        " FROM task WHERE finished_at IS NOT NULL ORDER BY id"
    ),
)


def fill(conn: Connection, count: int) -> None:
    """Writes so many texts, tasks, requests, events and attempts, in an empty database."""
    for statement in _STATEMENTS:
        values = {"count": count} if ":count" in statement else {}
        conn.execute(text(statement), values)
    conn.execute(text("UPDATE text SET task_id = id"))
    if conn.dialect.name == "postgresql":
        conn.execute(text("ANALYZE"))
