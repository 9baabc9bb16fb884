"""The statements that reach a database while something runs, and its plans for them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

#: Indexes that hold only what waits or runs: walking through one is no walk through the tasks.
LIVE = frozenset(
    {"ix_task_pending", "ix_task_processing", "ix_task_queued", "ux_task_content_live"}
)


@contextmanager
def recorded(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent within, in order, each with its values."""
    seen: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, sql: str, values: Any, *_: object) -> None:
        seen.append((sql, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan(conn: Connection, sql: str, values: Any) -> list[str]:
    """The lines of the plan that the database has for a statement."""
    explain = "EXPLAIN QUERY PLAN " if conn.dialect.name == "sqlite" else "EXPLAIN "
    return [str(row[-1]) for row in conn.exec_driver_sql(explain + sql, values)]


def walks(conn: Connection, sql: str, values: Any) -> list[str]:
    """The lines of its plan with which a statement walks through all tasks, by an index or not."""
    if conn.dialect.name == "postgresql":
        # a plan that cannot be made without a walk has one all the same
        conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
    found = []
    for line in plan(conn, sql, values):
        walk = re.search(r"^SCAN (?:task|t|p)\b(?: USING.*? INDEX (\w+))?", line)
        if (walk and walk[1] not in LIVE) or re.search(r"Seq Scan on task\b", line):
            found.append(line)
    return found
