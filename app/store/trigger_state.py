"""Triggers that keep the statistics: which are missing or off, and how they come back."""

import re
from typing import Final

from sqlalchemy import Connection, text

from app.domain.errors import SchemaError
from migrations import search, statistics, triggers

_PRESENT: Final = {
    "sqlite": text("SELECT name, 1 FROM sqlite_master WHERE type = 'trigger'"),
    # O and A fire for everybody; D never, R only for a replica's own work
    "postgresql": text(
        "SELECT tgname, CASE WHEN tgenabled IN ('O', 'A') THEN 1 ELSE 0 END"
        " FROM pg_trigger WHERE NOT tgisinternal"
    ),
}
_FUNCTION: Final = re.compile(r"EXECUTE FUNCTION (\w+)\(\)")


def missing(conn: Connection) -> list[str]:
    """The triggers of this release that are not there, or do not fire."""
    dialect = conn.dialect.name
    fires = {name for name, is_on in conn.execute(_PRESENT[dialect]) if is_on}
    return [name for name in triggers.tables(dialect) if name not in fires]


def restore(conn: Connection, name: str) -> None:
    """Makes a trigger anew, or turns it on again where it is only off.

    On PostgreSQL it waits for the transactions that write to the table, and they for it.

    Raises:
        SchemaError: How it is made is not known.
    """
    dialect = conn.dialect.name
    if name in set(conn.execute(_PRESENT[dialect]).scalars()):
        table = triggers.tables(dialect)[name]
        conn.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER {name}"))
        return
    for statement in _making(dialect, name):
        conn.execute(text(statement))


def _making(dialect: str, name: str) -> list[str]:
    """The statements that make a trigger; on PostgreSQL its function comes first."""
    known = [
        *statistics.statements(dialect),
        *search.statements(dialect),
        *triggers.statements(dialect),
        *triggers.count_statements(dialect),
    ]
    trigger = next((one for one in known if one.startswith(f"CREATE TRIGGER {name} ")), None)
    if trigger is None:
        message = f"the trigger {name} is missing, and nothing here can make it"
        raise SchemaError(message)
    function = _FUNCTION.search(trigger)
    head = f" FUNCTION {function[1]}()" if function is not None else None
    made = [one for one in known if head is not None and head in one.partition("\n")[0]]
    return [*made[:1], trigger]
