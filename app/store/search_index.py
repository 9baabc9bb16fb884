"""The trigram indexes of what can be searched: made where they may be, and told where not.

SQLite has them from its migration on (FTS5). PostgreSQL needs its extension pg_trgm, which not
every role may create: without it a search looks through rows, so many at a time.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

#: What searches on PostgreSQL use. A text is written once, and must not wait for the flush of
#: a list of pending entries (0.7 s measured, against 0.07 s with fastupdate off).
INDEXES: Final = {"ix_text_search_body": "text_search", "ix_error_search_body": "error_search"}
_STATE: Final = text(
    "SELECT count(*) = 2, coalesce(bool_and(i.indisvalid), false), '中' ~ '^[[:alpha:]]$'"
    " FROM pg_index i WHERE i.indexrelid IN"
    " (to_regclass('ix_text_search_body'), to_regclass('ix_error_search_body'))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchIndex:
    """Whether searches have an index, and whether it knows letters beyond a to z."""

    is_there: bool
    knows_all_letters: bool


def state(conn: Connection) -> SearchIndex:
    """What the indexes of this database can do (two rows of the catalogue)."""
    if conn.dialect.name == "sqlite":
        return SearchIndex(is_there=True, knows_all_letters=True)
    are_made, are_valid, knows_all = conn.execute(_STATE).one()
    return SearchIndex(is_there=are_made and are_valid, knows_all_letters=knows_all)


def ensure(conn: Connection) -> None:
    """Makes the indexes where they are missing and the extension is there, or may be created.

    Reads every searchable text once, and holds writers of texts back meanwhile.
    """
    if conn.dialect.name == "sqlite" or state(conn).is_there:
        return
    try:
        with conn.begin_nested():
            conn.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    except DBAPIError:
        return  # no right, or not installed: `voxtrace doctor` says so
    for name, table in INDEXES.items():
        statement = (
            f"CREATE INDEX IF NOT EXISTS {name} ON {table}"
            " USING gin (body gin_trgm_ops) WITH (fastupdate = off)"
        )
        conn.execute(text(statement))
