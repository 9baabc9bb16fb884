"""Searches by the trigram indexes: the keys of texts, or of tasks by their errors, that match.

A pattern is found wherever it stands, in either case of its letters.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.exc import OperationalError

from app.store.lists.columns import TASK
from app.store.lists.contains import contains
from app.store.tables import error_search_table, text_search_table

#: Alternatives, of which one must match, of each of several terms, of which all must.
Patterns = Sequence[Sequence[str]]

_KEYS: Final = {
    "text": (text_search_table.c.text_id, text_search_table.c.body, TASK["text_id"]),
    "error": (error_search_table.c.task_id, error_search_table.c.body, TASK["id"]),
}
_FTS: Final = {
    name: text(
        f"SELECT rowid FROM {name}_fts WHERE {name}_fts MATCH :match"  # noqa: S608 - ours
        " AND rowid > :low AND rowid <= :high ORDER BY rowid DESC LIMIT :limit"
    )
    for name in _KEYS
}
#: SQLSTATE of a statement that took longer than it might.
_TOO_LONG: Final = "57014"


def highest(conn: Connection, name: str) -> int:
    """The highest key that can be found in `text` or `error` (primary key); 0: there is none."""
    return int(conn.execute(select(func.max(_KEYS[name][0]))).scalar_one() or 0)


def within(
    conn: Connection, name: str, patterns: Patterns, *, low: int, high: int, limit: int
) -> list[int]:
    """Keys above `low` up to `high`, the highest first, on SQLite (FTS5, `text_fts`, `error_fts`).

    The cost grows with the entries of the patterns' trigrams between the two keys.
    """
    values = {"match": _match(patterns), "low": low, "high": high, "limit": limit}
    return list(conn.execute(_FTS[name], values).scalars())


def in_time(
    conn: Connection, name: str, patterns: Patterns, *, limit: int, time_ms: int
) -> list[int] | None:
    """Keys, on PostgreSQL (ix_text_search_body, ix_error_search_body); None: not in the time."""
    key, body, _ = _KEYS[name]
    conditions = (
        or_(*(contains(body, one, conn.dialect.name) for one in each)) for each in patterns
    )
    statement = select(key).where(and_(*conditions)).limit(limit)
    inner = conn.begin_nested()
    try:
        conn.execute(text(f"SET LOCAL statement_timeout = {time_ms:d}"))
        return list(conn.execute(statement).scalars())
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _TOO_LONG:
            raise
        return None
    finally:
        inner.rollback()  # the time limit goes with it


def named(name: str, keys: Sequence[int], dialect: str) -> ColumnElement[bool]:
    """Whether a task is one of those that the keys name, however many they are."""
    target = _KEYS[name][2]
    if dialect == "sqlite":
        found = func.json_each(json.dumps(keys)).table_valued("value")
        return target.in_(select(found.c.value))
    array: ColumnElement[Any] = bindparam("keys", keys, type_=ARRAY(BigInteger), unique=True)
    return target.in_(select(func.unnest(array)))


def _match(patterns: Patterns) -> str:
    """The patterns as FTS5 takes them."""
    return " AND ".join(
        "(" + " OR ".join(f'"{one.replace(chr(34), 2 * chr(34))}"' for one in each) + ")"
        for each in patterns
    )
