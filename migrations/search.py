"""Triggers of revision 0007: what can be searched, kept in the transaction of the change itself.

`text_search` holds the title of a text and the first 4 000 characters of its content, of texts that
are not deleted and not a canary's; `error_search` the error of a task that has one. SQLite
has a trigram index of each in FTS5 tables that follow by triggers; PostgreSQL has indexes of its
own (`app/store/search_index.py`).
"""

from typing import Final

from migrations.trigger_sql import for_each_row, function, sqlite

#: Characters of a content that can be searched.
CONTENT_CHARS: Final = 4000
#: Triggers that this revision makes, and their tables.
TABLES: Final = {
    "tr_text_search_insert": "text",
    "tr_text_search_update": "text",
    "tr_text_search_delete": "text",
    "tr_error_search_insert": "task",
    "tr_error_search_update": "task",
    "tr_error_search_delete": "task",
}
#: Those of the FTS5 tables, on SQLite.
SQLITE_TABLES: Final = {
    "tr_text_fts_insert": "text_search",
    "tr_text_fts_delete": "text_search",
    "tr_error_fts_insert": "error_search",
    "tr_error_fts_delete": "error_search",
}
#: FTS5 table -> the table whose `body` it indexes, and that table's key.
FTS: Final = {"text_fts": ("text_search", "text_id"), "error_fts": ("error_search", "task_id")}

_TEXT_IS_IN: Final = "{r}.deleted_at IS NULL AND {r}.source <> 'canary'"
_ERROR_IS_IN: Final = "{r}.error_type IS NOT NULL AND {r}.source <> 'canary'"


def _text_body(row: str, newline: str) -> str:
    return f"{row}.title || {newline} || substr({row}.content, 1, {CONTENT_CHARS})"


def _error_body(row: str, newline: str) -> str:
    return f"{row}.error_type || {newline} || coalesce({row}.error_message, '')"


def backfill(dialect: str) -> tuple[str, ...]:
    """Fills both tables from the rows that are there."""
    newline = "char(10)" if dialect == "sqlite" else "chr(10)"
    filled = (
        (
            f"INSERT INTO text_search (text_id, body) SELECT x.id, {_text_body('x', newline)}"
            f" FROM text x WHERE {_TEXT_IS_IN.format(r='x')}"
        ),
        (
            f"INSERT INTO error_search (task_id, body) SELECT t.id, {_error_body('t', newline)}"
            f" FROM task t WHERE {_ERROR_IS_IN.format(r='t')}"
        ),
    )
    rebuilt = tuple(f"INSERT INTO {name} ({name}) VALUES ('rebuild')" for name in FTS)
    return filled + rebuilt if dialect == "sqlite" else filled


def fts_tables() -> tuple[str, ...]:
    """The FTS5 tables of SQLite: trigrams of the bodies, which they do not hold themselves."""
    return tuple(
        f"CREATE VIRTUAL TABLE {name} USING fts5(body, tokenize='trigram', content='{table}',"
        f" content_rowid='{key}', columnsize=0)"
        for name, (table, key) in FTS.items()
    )


def _take(table: str, key: str) -> str:
    return f"DELETE FROM {table} WHERE {key} = OLD.id"


def _put(table: str, key: str, body: str, condition: str) -> str:
    return f"INSERT INTO {table} ({key}, body) SELECT NEW.id, {body} WHERE {condition}"


_NEW_TEXT: Final = _put(
    "text_search", "text_id", _text_body("NEW", "{newline}"), _TEXT_IS_IN.format(r="NEW")
)
_OLD_TEXT: Final = _take("text_search", "text_id")
_NEW_ERROR: Final = _put(
    "error_search", "task_id", _error_body("NEW", "{newline}"), _ERROR_IS_IN.format(r="NEW")
)
_OLD_ERROR: Final = _take("error_search", "task_id")
_TEXT_COLUMNS: Final = "UPDATE OF title, content, source, deleted_at ON text"
_ERROR_COLUMNS: Final = "UPDATE OF error_type, error_message, source ON task"
_HAS_ERROR: Final = "NEW.error_type IS NOT NULL"
_HAD_ERROR: Final = "OLD.error_type IS NOT NULL"


def _differs(columns: tuple[str, ...], operator: str) -> str:
    return " OR ".join(f"NEW.{name} {operator} OLD.{name}" for name in columns)


def _error_differs(operator: str) -> str:
    return _differs(("error_type", "error_message", "source"), operator)


def _fts(name: str) -> tuple[str, ...]:
    table, key = FTS[name]
    trigger = f"tr_{name}"
    added = f"INSERT INTO {name} (rowid, body) VALUES (NEW.{key}, NEW.body)"
    removed = f"INSERT INTO {name} ({name}, rowid, body) VALUES ('delete', OLD.{key}, OLD.body)"
    return (
        sqlite(f"{trigger}_insert", f"INSERT ON {table}", "", (added,)),
        sqlite(f"{trigger}_delete", f"DELETE ON {table}", "", (removed,)),
    )


def _sqlite_triggers() -> tuple[str, ...]:
    new_text = _NEW_TEXT.format(newline="char(10)")
    new_error = _NEW_ERROR.format(newline="char(10)")
    changed = f"({_error_differs('IS NOT')})"
    return (
        *(trigger for name in FTS for trigger in _fts(name)),
        sqlite("tr_text_search_insert", "INSERT ON text", "", (new_text,)),
        sqlite("tr_text_search_update", _TEXT_COLUMNS, "", (_OLD_TEXT, new_text)),
        sqlite("tr_text_search_delete", "DELETE ON text", "", (_OLD_TEXT,)),
        sqlite("tr_error_search_insert", "INSERT ON task", _HAS_ERROR, (new_error,)),
        sqlite("tr_error_search_update", _ERROR_COLUMNS, changed, (_OLD_ERROR, new_error)),
        sqlite("tr_error_search_delete", "DELETE ON task", _HAD_ERROR, (_OLD_ERROR,)),
    )


def _postgres(name: str, event: str, when: str, statements: tuple[str, ...]) -> tuple[str, str]:
    return function(name, statements), for_each_row(name, event, when)


def _postgres_triggers() -> tuple[str, ...]:
    new_text = _NEW_TEXT.format(newline="chr(10)")
    new_error = _NEW_ERROR.format(newline="chr(10)")
    changed = _error_differs("IS DISTINCT FROM")
    return (
        *_postgres("tr_text_search_insert", "INSERT ON text", "", (new_text,)),
        *_postgres("tr_text_search_update", _TEXT_COLUMNS, "", (_OLD_TEXT, new_text)),
        *_postgres("tr_text_search_delete", "DELETE ON text", "", (_OLD_TEXT,)),
        *_postgres("tr_error_search_insert", "INSERT ON task", _HAS_ERROR, (new_error,)),
        *_postgres("tr_error_search_update", _ERROR_COLUMNS, changed, (_OLD_ERROR, new_error)),
        *_postgres("tr_error_search_delete", "DELETE ON task", _HAD_ERROR, (_OLD_ERROR,)),
    )


def statements(dialect: str) -> tuple[str, ...]:
    """The triggers of this revision on `dialect` (`sqlite` or `postgresql`)."""
    return _sqlite_triggers() if dialect == "sqlite" else _postgres_triggers()
