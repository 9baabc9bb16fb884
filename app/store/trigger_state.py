"""Triggers that keep the statistics: which are not as this release makes them, how they come back.

A trigger that is there by name, and does something else, counts as wrong as one that is gone: what
each does is compared with what this release makes. One of somebody else's on our tables is named
and left: it may change counters, or may not.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, Literal, TypeAlias

from sqlalchemy import Connection, text

from app.store.tables import metadata
from migrations import today
from migrations.today import Trigger

#: It is not there, does not fire, or does something else.
Fault: TypeAlias = Literal["missing", "off", "changed"]

_PRESENT: Final = {
    "sqlite": text("SELECT tbl_name, name, sql, '', 1 FROM sqlite_master WHERE type = 'trigger'"),
    # O and A fire for everybody; D never, R only for a replica's own work
    "postgresql": text(
        "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid, true), p.prosrc,"
        " CASE WHEN t.tgenabled IN ('O', 'A') THEN 1 ELSE 0 END"
        " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE NOT t.tgisinternal AND c.relnamespace = CAST(current_schema() AS regnamespace)"
    ),
}
#: What PostgreSQL writes otherwise than it was told: parentheses, casts, quotes.
_WRITTEN_OTHERWISE: Final = re.compile(r'::[a-z]+( varying)?|[()"]')
_BODY: Final = re.compile(r"\$f\$(.*)\$f\$", re.DOTALL)


def faults(conn: Connection) -> dict[str, Fault]:
    """The triggers of this release that are not as they must be, and what of it (one statement)."""
    dialect = conn.dialect.name
    present = _present(conn)
    is_ours = _is_ours_in_sqlite if dialect == "sqlite" else _is_ours_in_postgres
    found = {
        name: _fault(one, present.get((one.table, name)), is_ours)
        for name, one in today.made(dialect).items()
    }
    return {name: fault for name, fault in found.items() if fault is not None}


def strange(conn: Connection) -> list[tuple[str, str]]:
    """Triggers on our tables that no release made: (name, table); they may be harmless."""
    ours = {(one.table, one.name) for one in today.made(conn.dialect.name).values()}
    found = ((table.lower(), name) for table, name in _present(conn))
    return sorted(
        (name, table)
        for table, name in found
        if table in metadata.tables and (table, name) not in ours
    )


def _present(conn: Connection) -> dict[tuple[str, str], tuple[str, str, bool]]:
    """(table, name) -> what makes it, its function, and whether it fires (one statement)."""
    return {
        (table, name): (sql, function, bool(fires))
        for table, name, sql, function, fires in conn.execute(_PRESENT[conn.dialect.name])
    }


def _fault(
    wanted: Trigger,
    present: tuple[str, str, bool] | None,
    is_ours: Callable[[Trigger, str, str], bool],
) -> Fault | None:
    if present is None:
        return "missing"
    sql, function, fires = present
    if not is_ours(wanted, sql, function):
        return "changed"
    return None if fires else "off"


def _is_ours_in_sqlite(wanted: Trigger, sql: str, _function: str) -> bool:
    """SQLite keeps the statement as it was told."""
    return sql.split() == wanted.statement.split()


def _is_ours_in_postgres(wanted: Trigger, sql: str, function: str) -> bool:
    """PostgreSQL keeps the function as it was told, and a trigger as it understood it."""
    body = _BODY.search(wanted.function or "")
    is_same_function = body is not None and function.split() == body[1].split()
    return is_same_function and _plain(sql) == _plain(wanted.statement)


def _plain(sql: str) -> list[str]:
    return _WRITTEN_OTHERWISE.sub(" ", sql.lower()).split()


def restore(conn: Connection, name: str) -> None:
    """Makes a trigger as it must be, unless somebody else has done so by now.

    On PostgreSQL it waits for the transactions that write to the table (where it does something
    else, for those that read, too), and they for it.
    """
    dialect = conn.dialect.name
    wanted = today.made(dialect)[name]
    if dialect == "postgresql":
        conn.execute(text(f"LOCK TABLE {wanted.table} IN SHARE ROW EXCLUSIVE MODE"))
    fault = faults(conn).get(name)
    for statement in _restoring(dialect, wanted, fault) if fault is not None else ():
        conn.execute(text(statement))


def _restoring(dialect: str, wanted: Trigger, fault: Fault) -> Iterator[str]:
    if fault == "off":
        yield f"ALTER TABLE {wanted.table} ENABLE TRIGGER {wanted.name}"
        return
    if fault == "changed":
        yield f"DROP TRIGGER {wanted.name}" + ("" if dialect == "sqlite" else f" ON {wanted.table}")
    if wanted.function is not None:
        yield wanted.function
    yield wanted.statement
