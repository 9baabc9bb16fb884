"""What a process counts of itself (telemetry that failed, spans of the SDK), brought to the table.

Only growth is added, so the totals of all processes that ever were are sums that never fall. What a
killed process had not told yet, a few seconds' worth, is lost with it.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from app import clock
from app.domain.errors import VoxtraceError
from app.service.core import Core
from app.store import counts
from app.store.counts import ProcessCount
from app.store.database import Connection
from telemetry import self_metrics

#: Seconds between two times that a process tells what grew.
EVERY_S: Final = 5.0
#: Seconds that the end of a process waits for the last time.
LAST_S: Final = 2.0

#: Totals of a process since its start, by (name of the metric, labels as JSON).
Source: TypeAlias = Callable[[], Mapping[tuple[str, str], int]]


class ProcessCounts:
    """The counts of one process; use it from one thread. Made after the fork.

    Args:
        program: "web", "worker", "child", "duties": what the counts are of.
        sources: What is counted, beside the telemetry of the process.
    """

    def __init__(self, program: str, *sources: Source) -> None:
        self._program = program
        self._sources = (self_metrics.counts, *sources)
        self._told: dict[ProcessCount, int] = {}
        self._in_hand: dict[ProcessCount, int] = {}
        self._due_s = 0.0

    def put(self, conn: Connection) -> None:
        """Adds what grew since the last commit, at most every few seconds.

        One statement at most, none where nothing grew. May be called again after a rollback.
        """
        self._look(is_last=False)
        self._add(conn)

    def committed(self) -> None:
        """The transaction that `put` wrote in has committed."""
        if self._in_hand:
            self._due_s = clock.monotonic_s() + EVERY_S
            self._told |= self._in_hand
        self._in_hand = {}

    def tell(self, core: Core, *, is_last: bool = False) -> None:
        """Adds what grew, in a transaction of its own; no transaction where nothing did."""
        self._look(is_last=is_last)
        if self._growth():
            core.database.run(self._add)
        self.committed()

    def _look(self, *, is_last: bool) -> None:
        is_due = is_last or clock.monotonic_s() >= self._due_s
        self._in_hand = self._totals() if is_due else {}

    def _add(self, conn: Connection) -> None:
        counts.add_of_process(conn, self._growth())

    def _growth(self) -> dict[ProcessCount, int]:
        grown = {key: n - self._told.get(key, 0) for key, n in self._in_hand.items()}
        return {key: n for key, n in grown.items() if n > 0}

    def _totals(self) -> dict[ProcessCount, int]:
        return {
            ProcessCount(self._program, name, labels): n
            for source in self._sources
            for (name, labels), n in source().items()
        }


class CountsThread:
    """Tells the counts of a process that never forks, from a thread of its own.

    Args:
        core: Where to.
        counted: The counts.
    """

    def __init__(self, core: Core, counted: ProcessCounts) -> None:
        self._core = core
        self._counted = counted
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="process counts", daemon=True)

    def start(self) -> None:
        """Begins; once."""
        self._thread.start()

    def stop(self) -> None:
        """Tells a last time, and ends."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(LAST_S)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self._tell(is_last=False)
        self._tell(is_last=True)

    def _tell(self, *, is_last: bool) -> None:
        try:
            self._counted.tell(self._core, is_last=is_last)
        except VoxtraceError:
            return  # it is told the next time
