"""The statements that reach a database while something runs, and its plans for them."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

#: Indexes that hold only what waits or runs: walking through one is no walk through the tasks.
LIVE = frozenset(
    {
        "ix_task_pending",
        "ix_task_processing",
        "ix_task_queued",
        "ux_task_content_live",
        "ix_task_attempt_open",
    }
)
#: What of PostgreSQL's plans hands on rows one by one.
_PASS_ON = frozenset({"Limit", "Nested Loop", "LockRows", "Result", "Subquery Scan"})

Json = dict[str, Any]


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


def walks(
    conn: Connection,
    sql: str,
    values: Any,
    *,
    tables: Collection[str] = ("task",),
    is_filled: bool = False,
) -> list[str]:
    """What of its plan walks through all rows of large tables, by an index or not.

    Also through all rows from a key on: where few of them are wanted, most would be thrown away.

    Args:
        conn: A transaction.
        sql: The statement.
        values: Its values.
        tables: The tables.
        is_filled: They have rows, so that PostgreSQL takes the indexes that it would take. Where
            they are empty it may walk through any, and only plans without one are told.
    """
    if conn.dialect.name == "postgresql":
        return _walks_in_postgres(conn, sql, values, tables, is_filled=is_filled)
    return [line for line in plan(conn, sql, values) if _is_walk_in_sqlite(line, tables)]


def _is_walk_in_sqlite(line: str, tables: Collection[str]) -> bool:
    names = "|".join((*tables, "t", "p"))
    walk = re.search(rf"^SCAN (?:{names})\b(?: USING.*? INDEX (\w+))?", line)
    open_range = re.search(rf"^SEARCH (?:{names}) USING INTEGER PRIMARY KEY \(rowid[<>]\?\)", line)
    return (walk is not None and walk[1] not in LIVE) or open_range is not None


def _walks_in_postgres(
    conn: Connection, sql: str, values: Any, tables: Collection[str], *, is_filled: bool
) -> list[str]:
    # a plan that cannot be made without a walk has one all the same
    conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
    explained = conn.exec_driver_sql(f"EXPLAIN (FORMAT JSON, COSTS OFF) {sql}", values)
    [top] = explained.scalar_one()
    return [
        f"{read['Node Type']} {read.get('Index Name')} on {node['Relation Name']},"
        f" {read.get('Index Cond')}, then {node.get('Filter')}"
        for node, is_limited in _nodes(top["Plan"], is_limited=False)
        if node.get("Relation Name") in tables and "Scan" in node["Node Type"]
        for read in _reads(node)
        if "Seq Scan" in read["Node Type"]
        or (is_filled and _is_walk_by_index(read, node, is_limited=is_limited))
    ]


def _nodes(node: Json, *, is_limited: bool) -> Iterator[tuple[Json, bool]]:
    """A node and those below it, each with whether it ends once enough is found."""
    yield node, is_limited
    goes_on = node["Node Type"] == "Limit" or (is_limited and node["Node Type"] in _PASS_ON)
    for one in node.get("Plans", ()):
        yield from _nodes(one, is_limited=goes_on)


def _reads(node: Json) -> list[Json]:
    """What a scan reads: the table or one index; of a bitmap, each of its indexes."""
    if node["Node Type"] != "Bitmap Heap Scan":
        return [node]
    below = [one for one, _ in _nodes(node, is_limited=False)]
    return [one for one in below if one["Node Type"] == "Bitmap Index Scan"]


def _is_walk_by_index(read: Json, node: Json, *, is_limited: bool) -> bool:
    if read.get("Index Name") in LIVE or read["Node Type"] == "Tid Scan":
        return False
    condition = read.get("Index Cond")
    if condition is None:
        return "Filter" in node or not is_limited
    return "Filter" in node and re.fullmatch(r"\(id [<>]=? [^()]*\)", condition) is not None
