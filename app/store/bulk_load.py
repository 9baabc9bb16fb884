"""A load of whole tables in one transaction: triggers and indexes rest, and are as they were after.

With triggers awake each row would change the same few counters: PostgreSQL keeps every version of
a row until the transaction ends and reads through all of them, so that twice the rows take three
to four times as long (40 000 texts: 13 s). Indexes that are made at the end are sorted once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, text

#: Kibibytes of SQLite's page cache while it loads and sorts.
_CACHE_KIB: Final = 262_144
_SQLITE_PARTS: Final = text(
    "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    " AND type IN ('index', 'trigger') AND tbl_name IN :names ORDER BY type"
).bindparams(bindparam("names", expanding=True))
_POSTGRES_TRIGGERS: Final = text(
    "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND c.relname = ANY(:names)"
    " AND c.relnamespace = CAST(current_schema() AS regnamespace)"
)
#: Not those that hold a constraint: rows that refer to a key are loaded beside it. And not
#: those whose condition has a list, which are small: made again, they would be written otherwise.
_POSTGRES_INDEXES: Final = text(
    "SELECT i.relname, pg_get_indexdef(i.oid) FROM pg_index x"
    " JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid"
    " WHERE c.relname = ANY(:names) AND c.relnamespace = CAST(current_schema() AS regnamespace)"
    " AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid)"
    " AND pg_get_indexdef(i.oid) NOT LIKE '%= ANY (%'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """What was put to rest: the statements that bring it back."""

    statements: tuple[str, ...]


def without_limits(conn: Connection) -> None:
    """Lets statements and pauses of this transaction take as long as they need (PostgreSQL)."""
    if conn.dialect.name == "postgresql":
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            conn.execute(text(f"SET LOCAL {name} = 0"))


def lock(conn: Connection, names: Sequence[str]) -> None:
    """Keeps everybody else out of these tables (SQLite: the writer's lock does it already)."""
    if conn.dialect.name == "postgresql":
        quote = conn.dialect.identifier_preparer.quote
        conn.execute(text(f"LOCK TABLE {', '.join(map(quote, names))} IN ACCESS EXCLUSIVE MODE"))


def put_to_rest(conn: Connection, names: Sequence[str]) -> Resting:
    """Takes triggers and indexes of these tables away, for this transaction."""
    if conn.dialect.name == "postgresql":
        return _rest_postgres(conn, list(names))
    conn.execute(text(f"PRAGMA cache_size = -{_CACHE_KIB}"))
    return _rest_sqlite(conn, list(names))


def wake(conn: Connection, resting: Resting) -> None:
    """Brings back what rested; indexes are sorted anew (about a tenth of the load's time)."""
    for statement in resting.statements:
        conn.exec_driver_sql(statement)


def analyze(conn: Connection, names: Sequence[str]) -> None:
    """Tells PostgreSQL's planner of the new rows; SQLite's plans need no such numbers."""
    if conn.dialect.name == "postgresql":
        quote = conn.dialect.identifier_preparer.quote
        conn.execute(text(f"ANALYZE {', '.join(map(quote, names))}"))


def _rest_sqlite(conn: Connection, names: list[str]) -> Resting:
    quote = conn.dialect.identifier_preparer.quote
    found = conn.execute(_SQLITE_PARTS, {"names": names}).all()
    for kind, name, _ in found:
        conn.exec_driver_sql(f"DROP {kind} {quote(name)}")
    return Resting(statements=tuple(sql for _, _, sql in found))


def _rest_postgres(conn: Connection, names: list[str]) -> Resting:
    statements: list[str] = []
    quote = conn.dialect.identifier_preparer.quote
    for name, sql in conn.execute(_POSTGRES_INDEXES, {"names": names}).all():
        conn.exec_driver_sql(f"DROP INDEX {quote(name)}")
        statements.append(sql)
    for name in conn.execute(_POSTGRES_TRIGGERS, {"names": names}).scalars().all():
        conn.exec_driver_sql(f"ALTER TABLE {quote(name)} DISABLE TRIGGER USER")
        statements.append(f"ALTER TABLE {quote(name)} ENABLE TRIGGER USER")
    return Resting(statements=tuple(statements))
