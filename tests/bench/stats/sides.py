"""The sides that writes are compared on: one database, with and without its triggers."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import psycopg
from sqlalchemy import Connection, delete, select, text

from app.store import trigger_state
from app.store.database import Database
from app.store.tables import (
    attempt_table,
    event_table,
    outbox_table,
    submission_table,
    task_log_table,
    task_table,
    text_table,
    worker_table,
)
from migrations import attempts, search, today
from tests.bench.stats.place import plain_url

#: Without any trigger; with those that count; with those that keep what can be searched, too; with
#: all but those of the cube over attempts.
Side = Literal["bare", "counted", "whole", "uncubed"]
SIDES: Final = get_args(Side)
_SEARCH: Final = search.TABLES | search.SQLITE_TABLES
#: Tables whose rows refer to a task, those that nothing refers to first.
_OF_TASK: Final = (outbox_table, task_log_table, event_table, submission_table, attempt_table)


def switch(database: Database, side: Side) -> None:
    """Turns triggers on and off, so that the next transaction finds this side."""
    with database.write() as conn:
        wanted = _wanted(conn, side)
        off = trigger_state.faults(conn)
        for name, table in today.tables(conn.dialect.name).items():
            if name in wanted and name in off:
                trigger_state.restore(conn, name)
            elif name not in wanted and name not in off:
                _turn_off(conn, name, table)


def _wanted(conn: Connection, side: Side) -> set[str]:
    every = set(today.tables(conn.dialect.name))
    return {
        "bare": set[str](),
        "counted": every - set(_SEARCH),
        "whole": every,
        "uncubed": every - set(attempts.TABLES),
    }[side]


def _turn_off(conn: Connection, name: str, table: str) -> None:
    if conn.dialect.name == "sqlite":
        conn.execute(text(f"DROP TRIGGER {name}"))
    else:
        conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {name}"))


def to_disk(database: Database) -> None:
    """Puts the log of changes into the database, so that no round pays for the one before."""
    if database.is_sqlite:
        database.pragma("wal_checkpoint(TRUNCATE)")
        return
    with psycopg.connect(plain_url(database.url), autocommit=True) as conn:
        conn.execute("CHECKPOINT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Rows that a side made: ids of tasks and texts from the first one on, before the second."""

    side: Side
    tasks: tuple[int, int]
    texts: tuple[int, int]


class Traces:
    """What the rounds left behind, and how it is taken away again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._made: list[Made] = []

    @contextlib.contextmanager
    def of(self, side: Side) -> Iterator[None]:
        """Notes what is made within."""
        with self._database.read() as conn:
            first = _ends(conn)
        yield
        with self._database.read() as conn:
            last = _ends(conn)
        self._made.append(Made(side=side, tasks=(first[0], last[0]), texts=(first[1], last[1])))

    def remove(self, worker_ids: Sequence[str]) -> None:
        """Takes everything away, so that the counters say what they said before.

        Counted rows first become a canary's: that takes them out of every counter, and the archive
        gets nothing.
        """
        for side in SIDES:
            switch(self._database, side)
            for made in self._made:
                if made.side == side:
                    with self._database.write() as conn:
                        _remove(conn, made)
        switch(self._database, "whole")
        with self._database.write() as conn:
            conn.execute(delete(worker_table).where(worker_table.c.id.in_(worker_ids)))


def _ends(conn: Connection) -> tuple[int, int]:
    """One after the last task and the last text."""
    highest = (select(table.c.id).order_by(table.c.id.desc()).limit(1) for table in _NUMBERED)
    task, text_id = (conn.execute(one).scalar_one() for one in highest)
    return task + 1, text_id + 1


_NUMBERED: Final = (task_table, text_table)


def _remove(conn: Connection, made: Made) -> None:
    tasks = task_table.c.id.between(made.tasks[0], made.tasks[1] - 1)
    texts = text_table.c.id.between(made.texts[0], made.texts[1] - 1)
    requests = submission_table.c.task_id.between(*_inclusive(made.tasks))
    conn.execute(submission_table.update().where(requests).values(source="canary"))
    conn.execute(task_table.update().where(tasks).values(source="canary"))
    conn.execute(text_table.update().where(texts).values(deleted_at=1))
    tried = attempt_table.c.task_id.between(*_inclusive(made.tasks))
    conn.execute(attempt_table.update().where(tried).values(source="canary"))
    for table in _OF_TASK:
        conn.execute(delete(table).where(table.c.task_id.between(*_inclusive(made.tasks))))
    conn.execute(delete(task_table).where(tasks))
    conn.execute(delete(text_table).where(texts))


def _inclusive(ids: tuple[int, int]) -> tuple[int, int]:
    return ids[0], ids[1] - 1
