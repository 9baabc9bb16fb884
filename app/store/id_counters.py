"""The ids that a database gives: the highest one so far, rows that are gone included."""

from sqlalchemy import Connection, text


def last_id(conn: Connection, table: str, id_column: str) -> int:
    """The highest id that was ever given in a table; 0 where none was."""
    if conn.dialect.name != "postgresql":
        found = conn.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :t"), {"t": table})
        return int(found.scalar() or 0)
    statement = "SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM "
    return int(conn.execute(text(statement + _sequence(conn, table, id_column))).scalar_one())


def go_on_after(conn: Connection, table: str, id_column: str, last: int) -> None:
    """Lets ids go on after `last`; taken back with the transaction on both databases.

    `setval` of PostgreSQL would stay: it knows no transaction.
    """
    if conn.dialect.name == "postgresql":
        sequence = _sequence(conn, table, id_column)
        conn.execute(text(f"ALTER SEQUENCE {sequence} RESTART WITH {last + 1:d}"))
        return
    conn.execute(text("DELETE FROM sqlite_sequence WHERE name = :t"), {"t": table})
    if last:
        conn.execute(
            text("INSERT INTO sqlite_sequence (name, seq) VALUES (:t, :n)"), {"t": table, "n": last}
        )


def _sequence(conn: Connection, table: str, id_column: str) -> str:
    """The sequence of PostgreSQL, quoted."""
    statement = text("SELECT pg_get_serial_sequence(:t, :c)")
    return str(conn.execute(statement, {"t": table, "c": id_column}).scalar_one())
