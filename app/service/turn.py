"""Turns: one writing transaction of this process at a time, on SQLite.

SQLite waits for its lock by sleeping, up to 0.1 s at a time, longer the longer it waits: of twenty
threads that write at once the last ones sleep while nobody writes. A thread that waits for another
of its own process is woken at once instead. Nothing depends on it: who has no turn waits as before.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.store.database import Database

#: Seconds to wait for the turn; after it the database's own wait decides.
WAIT_S: Final = 2.0


class Turns:
    """The turns of one process.

    Args:
        database: On PostgreSQL, whose locks wake their waiters, there is nothing to wait for.
    """

    def __init__(self, database: Database) -> None:
        self._lock = threading.Lock() if database.is_sqlite else None

    @contextmanager
    def take(self) -> Iterator[None]:
        """Waits for the turn, and holds it for the block."""
        has_turn = self._lock is not None and self._lock.acquire(timeout=WAIT_S)
        try:
            yield
        finally:
            if has_turn and self._lock is not None:
                self._lock.release()
