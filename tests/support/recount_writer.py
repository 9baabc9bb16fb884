"""A program that writes tasks without end: inserts, claims, ends, changes and removes them.

python -m tests.support.recount_writer URL SEED
"""

import random
import sys
import threading
from typing import Any

from sqlalchemy import Connection, text

from app import clock
from app.domain.errors import DatabaseBusyError
from app.process import set_parent_death_signal
from app.store.database import Database
from tests.support.planted import TASK
from tests.support.task_rows import INSERT, START_US

_PAUSE = threading.Event()
_CLAIM = text(
    "UPDATE task SET status = 'processing', attempt = attempt + 1 WHERE id IN"
    " (SELECT min(id) FROM task WHERE status = 'pending' AND source <> 'canary')"
)
_END = text(
    "UPDATE task SET status = :status, finished_at = :at, run_us = :run WHERE id IN"
    " (SELECT max(id) FROM task WHERE status = 'processing')"
)
_AMEND = text(
    "UPDATE task SET char_count = char_count + 1 WHERE id IN (SELECT id FROM task"
    " WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 3)"
)
_REMOVE = text(
    "DELETE FROM task WHERE id IN (SELECT id FROM task WHERE finished_at IS NOT NULL"
    " ORDER BY finished_at LIMIT 2)"
)


def main() -> None:
    """Writes until it is killed."""
    set_parent_death_signal()
    url, seed = sys.argv[1:]
    database = Database(url, role="attempt", pool_size=1)
    dice = random.Random(seed)  # noqa: S311 - of a test
    number = 0
    while True:
        _PAUSE.wait(dice.random() * 0.02)  # who never rests keeps others from SQLite's lock
        number += 1
        values = _values(dice, f"{seed}.{number}.{clock.now_us()}")
        try:
            database.run(lambda conn: _write(conn, dice, values))  # noqa: B023 - run at once
        except DatabaseBusyError:
            continue


def _values(dice: random.Random, key: str) -> dict[str, Any]:
    is_live = dice.random() < 0.6
    at = START_US + dice.randrange(20_000_000_000)
    return TASK | {
        "key": key,
        "status": "pending" if is_live else dice.choice(("completed", "failed")),
        "voice": dice.choice("abc"),
        "submitted": at - 5_000_000,
        "finished": None if is_live else at,
        "run": dice.randrange(5_000_000),
        "at": at,
    }


def _write(conn: Connection, dice: random.Random, values: dict[str, Any]) -> None:
    conn.execute(INSERT, values)
    for statement in dice.sample((_CLAIM, _CLAIM, _END, _END, _AMEND, _REMOVE), 3):
        conn.execute(statement, values | {"status": "completed"})
    if dice.random() < 0.1:
        conn.rollback()


if __name__ == "__main__":
    main()
