"""Tables that are made of other rows, and can be made anew from them: what can be searched."""

from typing import Final

from sqlalchemy import Connection, inspect, text

from migrations import search

#: No backup holds them.
TABLES: Final = tuple(table for table, _ in search.FTS.values())


def is_index(name: str) -> bool:
    """Whether a table of SQLite is an index of one of them, or a part of such an index."""
    return any(name == fts or name.startswith(f"{fts}_") for fts in search.FTS)


def rebuild(conn: Connection) -> None:
    """Makes them of all texts and errors, where the schema has them; they must be empty.

    Triggers that follow them must rest: SQLite's indexes are made anew as a whole.
    """
    if inspect(conn).has_table(TABLES[0]):
        for statement in search.backfill(conn.dialect.name):
            conn.execute(text(statement))
