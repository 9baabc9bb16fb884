"""Tally: what an attempt's process measured, until the transaction of a checkpoint has it.

It is written in transactions that happen anyway, and forgotten only after their commit: a rollback
counts nothing, a retry counts once. Calls of an attempt that was killed are not counted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from app import clock
from app.domain.engine_calls import EngineCall, tally
from app.service.process_counts import ProcessCounts
from app.store import counts
from app.store.database import Connection


class Tally:
    """Engine calls of one attempt, and now and then what its process counts of itself.

    Args:
        counts_calls: False for a canary, which counts nowhere.
        process: Counts of this process; None where nobody keeps them.
    """

    def __init__(self, *, counts_calls: bool, process: ProcessCounts | None = None) -> None:
        self._counts_calls = counts_calls
        self._process = process
        self._calls: list[EngineCall] = []

    @contextmanager
    def engine_call(self, engine: str) -> Iterator[None]:
        """Measures the block as one call of an engine; an error of any kind is one of the call."""
        begun_s = clock.monotonic_s()
        outcome: Literal["ok", "error"] = "error"
        try:
            yield
            outcome = "ok"
        finally:
            if self._counts_calls:
                took_us = round((clock.monotonic_s() - begun_s) * 1_000_000)
                self._calls.append(EngineCall(engine=engine, outcome=outcome, took_us=took_us))

    def put(self, conn: Connection) -> None:
        """Writes what was measured since the last commit: the last rows that a transaction locks.

        No statement where there is nothing; may be called again after a rollback.
        """
        counts.add_engine_calls(conn, tally(self._calls))
        if self._process is not None:
            self._process.put(conn)

    def committed(self) -> None:
        """The transaction that `put` wrote in has committed."""
        self._calls.clear()
        if self._process is not None:
            self._process.committed()
