"""Plans of retention: no statement of a batch reads a whole table, not even by a foreign key."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Table

from app.domain.task import Status
from app.store import archive, erase, retention, submissions
from app.store.metadata import metadata
from telemetry import outbox_tasks
from tests.support.home import Home
from tests.support.statements import plan, recorded

IDS = [1, 2, 3]
STATEMENTS: dict[str, Callable[[Connection], object]] = {
    **{
        f"{status} that ended": lambda conn, status=status: retention.ended(  # type: ignore[misc]
            conn, status, after_id=7, limit=9
        )
        for status in Status
        if status.is_final
    },
    "tasks of texts": lambda conn: retention.of_texts(conn, IDS),
    "hold tasks": lambda conn: retention.hold_tasks(conn, IDS),
    "deleted texts": lambda conn: retention.deleted_texts(conn, before=9, after=(1, 2), limit=9),
    "hold texts": lambda conn: retention.hold_texts(conn, IDS),
    "answers": lambda conn: retention.answers(conn, IDS),
    "asked since": lambda conn: retention.asked_since(conn, IDS, 9, deleted_before=5),
    "checked hours": lambda conn: retention.checked_hours(conn, IDS),
    "audio bytes": lambda conn: retention.audio_bytes(conn, IDS),
    "living": lambda conn: retention.living(conn, IDS),
    "sums": lambda conn: archive.sums_of(conn, IDS),
    "last batch": archive.last_at,
    "count spans": lambda conn: outbox_tasks.count_spans(conn, IDS),
    "unsent": lambda conn: outbox_tasks.unsent_tasks(conn, IDS),
    "remove spans": lambda conn: outbox_tasks.remove_tasks(conn, IDS),
    "remove captions": lambda conn: erase.captions(conn, IDS, IDS),
    "remove audio": lambda conn: erase.audios(conn, IDS, IDS),
    "remove segments": lambda conn: erase.segments(conn, IDS),
    "remove attempts": lambda conn: erase.attempts(conn, IDS),
    "remove events": lambda conn: erase.events(conn, IDS),
    "remove lines": lambda conn: erase.log_lines(conn, IDS),
    "remove submissions": lambda conn: erase.submissions(conn, IDS, IDS),
    "remove tasks": lambda conn: erase.tasks(conn, IDS),
    "remove texts": lambda conn: erase.texts(conn, IDS),
    "first use of a key": lambda conn: submissions.of_key(conn, "k", after=9),
    "free a key": lambda conn: submissions.free_key(conn, "k", until=9),
    "old keys": lambda conn: submissions.old_keys(conn, until=9, limit=9),
    "free keys": lambda conn: submissions.free_keys(conn, IDS),
}


#: Those that must find their order in an index, too.
ORDERED = {"deleted texts", "old keys", *(name for name in STATEMENTS if "that ended" in name)}


def test_statements_read_no_whole_table(home: Home) -> None:
    """SQLite's plans have no SCAN without an index, and sort nothing that an index has in order."""
    wrong: dict[str, list[str]] = {}
    with home.core.database.write() as conn:
        for name, statement in STATEMENTS.items():
            with recorded(conn.engine) as statements:
                statement(conn)
            assert statements, name
            lines = [line for sql, values in statements for line in plan(conn, sql, values)]
            found = [line for line in lines if line.startswith("SCAN ") and "USING" not in line]
            if name in ORDERED:
                found += [line for line in lines if "TEMP B-TREE" in line]
            wrong |= {name: found} if found else {}
    assert wrong == {}


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_foreign_key_has_an_index(table: Table) -> None:
    """A DELETE looks for rows that point to what goes: without an index it reads all of them."""
    first = {index.columns[0].name for index in table.indexes if len(index.columns)}
    first |= {column.name for column in list(table.primary_key.columns)[:1]}
    assert {key.parent.name for key in table.foreign_keys} <= first
