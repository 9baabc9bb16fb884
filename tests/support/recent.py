"""Attempts that ended lately, written past the product: who failed when, told in few words."""

from collections.abc import Iterable
from itertools import count
from typing import Any

from sqlalchemy import insert

from app.service.core import Core
from app.store.tables import attempt_table
from tests.support import cube_rows

#: Tasks that the attempts are of, in turn.
TASKS = 10
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
_NUMBERS = count()


def now_us(core: Core) -> int:
    """The database's time."""
    with core.database.read() as conn:
        return core.database.now_us(conn)


def begin(core: Core) -> None:
    """The tasks."""
    with core.database.write() as conn:
        cube_rows.put_tasks(conn, TASKS)


def put(core: Core, rows: Iterable[dict[str, Any]]) -> None:
    """Writes attempts; each has a span of its own.

    Args:
        core: Where to write.
        rows: `at` (microseconds), and columns otherwise than of an attempt of w1 that completed;
            `failed` names a fingerprint.
    """
    told = []
    for row in rows:
        number = next(_NUMBERS)
        one = {"worker": "w1", "voice": "amy", "host": "h1", "release": "1.4.1"} | row
        group = one.pop("failed", None)
        at = one.pop("at")
        told.append(
            {
                "task_id": number % TASKS + 1,
                "attempt": number // TASKS + 1,
                "span_id": f"{number + 1:016x}",
                "worker_id": f"{one['worker']:x>16}",
                "worker_name": one.pop("worker"),
                "queued_at": at - SECOND_US,
                "wait_reason": "queued",
                "claimed_at": at - SECOND_US,
                "deadline_at": at + MINUTE_US,
                "finished_at": at,
                "outcome": "completed" if group is None else "failed",
                "error_type": None if group is None else "engine_error",
                "fingerprint": group,
                "engine": "tone",
                "source": "api",
                "language": "en",
                "char_count": 100,
                "is_repeat": False,
                **one,
            }
        )
    with core.database.write() as conn:
        conn.execute(insert(attempt_table), told)


def traffic(
    start: int, end: int, *, every_us: int, failed: str | None = None, **columns: Any
) -> list[dict[str, Any]]:
    """Attempts of four workers and three voices in turn; those that fit `columns` fail.

    Args:
        start: Of the first one, microseconds.
        end: Before which the last one ends.
        every_us: Between two.
        failed: With which fingerprint; None: none fails.
        columns: What all of an attempt's must be for it to fail.
    """
    rows: list[dict[str, Any]] = []
    for place, at in enumerate(range(start, end, every_us)):
        row = {"at": at, "worker": f"w{place % 4 + 1}", "voice": ("amy", "bob", "cleo")[place % 3]}
        fails = failed is not None and all(row.get(name) == it for name, it in columns.items())
        rows.append(row | {"failed": failed} if fails else row)
    return rows
