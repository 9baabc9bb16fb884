"""The line writer: a thread that writes what no transaction took, so that no line waits for long.

In a process that forks there is none: the worker's parent writes with its heartbeat.
"""

import threading
from typing import Final

from app import clock
from app.domain.errors import StoreError
from app.logs.kept import KEPT
from app.service.core import Core
from app.service.task_logs import task_log
from telemetry import health

#: Seconds that a line waits for a transaction that happens anyway.
AGE_S: Final = 2.0
#: Seconds between two looks.
LOOK_S: Final = 1.0


class LineWriter:
    """Writes old lines until it is stopped; made after a fork.

    Args:
        core: Where to write.
        age_s: How long a line may wait.
    """

    def __init__(self, core: Core, *, age_s: float = AGE_S) -> None:
        self._core = core
        self._age_s = age_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log lines", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, and writes what still waits, once."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(LOOK_S * 3)
        self._write()

    def _run(self) -> None:
        while not self._stop.wait(min(LOOK_S, self._age_s)):
            if self._is_due():
                self._write()

    def _is_due(self) -> bool:
        """Whether the oldest line is old enough; where the clock stepped back, it is."""
        oldest_us = KEPT.oldest_us()
        if oldest_us is None:
            return False
        waited_s = (clock.now_us() - oldest_us) / 1_000_000
        return waited_s >= self._age_s or waited_s < 0

    def _write(self) -> None:
        try:
            task_log.write_waiting(self._core)
        except StoreError as error:
            health.note("log lines, write", error)
