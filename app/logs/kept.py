"""Lines about tasks that wait in this process for a transaction that writes them.

A transaction that happens anyway takes them (a checkpoint, a verdict); where none comes, a thread
or the worker's heartbeat does. A forked child forgets the lines of its parent, which are not its.
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Iterable
from typing import Final

from app.logs.line import Line

#: Lines that wait at most; above it the oldest go, as they do from a task's rows.
MAX_WAITING: Final = 1000


class KeptLines:
    """The lines of one process.

    Attributes:
        program: What this process is, as rows name it: web, worker, child, duties, cli.
        is_on: Whether lines are kept at all.
    """

    def __init__(self) -> None:
        self.program = "other"
        self.is_on = False
        self._lock = threading.Lock()
        self._lines: deque[Line] = deque(maxlen=MAX_WAITING)

    def start(self, program: str, *, is_on: bool) -> None:
        """Begins for this program, with nothing."""
        self.program, self.is_on = program, is_on
        self.forget()

    def forget(self) -> None:
        """Forgets what waits; the lock too, which a thread of the parent may have held."""
        self._lock = threading.Lock()
        self._lines = deque(maxlen=MAX_WAITING)

    def take(self, line: Line) -> None:
        """Keeps a line about a task; any other goes by."""
        if not self.is_on or line.task_id is None or line.is_told or line.level < logging.INFO:
            return
        with self._lock:
            self._lines.append(line)

    def of_task(self, task_id: int) -> list[Line]:
        """Takes the lines of one task out, oldest first; give them back where writing fails."""
        if not self._lines:
            return []
        with self._lock:
            mine = [line for line in self._lines if line.task_id == task_id]
            if mine:
                rest = [line for line in self._lines if line.task_id != task_id]
                self._lines = deque(rest, maxlen=MAX_WAITING)
        return mine

    def task_ids(self) -> list[int]:
        """The tasks whose lines wait, in the order of their ids."""
        with self._lock:
            return sorted({line.task_id for line in self._lines if line.task_id is not None})

    def give_back(self, lines: Iterable[Line]) -> None:
        """Keeps lines again, before those that came since."""
        with self._lock:
            self._lines = deque([*lines, *self._lines], maxlen=MAX_WAITING)

    def oldest_us(self) -> int | None:
        """The moment of the line that waits longest; None where nothing waits."""
        with self._lock:
            return min((line.at_us for line in self._lines), default=None)


#: The lines of this process.
KEPT: Final = KeptLines()
os.register_at_fork(after_in_child=KEPT.forget)
