"""An attempt in the process that runs it: claim, spans, stop signals, checkpoints."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from app import clock
from app.domain.claim import Claim
from app.domain.errors import DeadlineExceededError, ErrorKind, LeaseLostError, StoreError
from app.logs.kept import KEPT
from app.logs.line import Line
from app.service.core import Core
from app.service.tally import Tally
from app.service.task_logs import attempt_log, task_log
from app.store.database import Connection
from telemetry import outbox
from telemetry.attempt import AttemptTracing
from telemetry.recorder import Drained

T = TypeVar("T")

#: Seconds between tries of a transaction that found the database busy.
BUSY_WAIT_S = 0.2


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One running attempt. It is also the `Scope` that engines see.

    Attributes:
        deadline_s: The deadline on this host's monotonic clock.
        tally: What is measured of it, written with its checkpoints.
        drained: Spans that the transaction in hand has taken; taken back where it fails.
        lines: Log lines that it has taken.
        lost: Set when someone else owns the task: whatever runs stops at its next check.
    """

    core: Core
    claim: Claim
    tracing: AttemptTracing
    deadline_s: float
    tally: Tally
    lost: threading.Event = field(default_factory=threading.Event)
    drained: Drained | None = None
    lines: list[Line] = field(default_factory=list)

    @property
    def attempt(self) -> int:
        """Number of the attempt, from 1."""
        return self.claim.attempt

    def check(self) -> None:
        """Raises where the attempt must stop now.

        Raises:
            LeaseLostError: Someone else owns the task.
            DeadlineExceededError: Its deadline has passed.
        """
        if self.lost.is_set():
            message = "someone else owns the task now"
            raise LeaseLostError(message)
        if clock.monotonic_s() >= self.deadline_s:
            limit_s = self.claim.timeout_us / 1_000_000
            message = f"the limit of {limit_s:g} s passed"
            raise DeadlineExceededError(message)

    def event(self, name: str, **attributes: str | float | bool) -> None:
        """Notes something on the attempt's span, and in the task's log."""
        self.tracing.event(name, attributes)
        attempt_log.event(name, attributes)

    def checkpoint(self, token: str | None) -> str | None:
        """Keeps a provider's job id over the death of the worker (no engine here needs it yet)."""
        return token

    def write(
        self, work: Callable[[Connection, int], T], *, flush: bool = False, is_last: bool = False
    ) -> T:
        """Runs a checkpoint's transaction; `work` gets the connection and the database's time.

        A busy database is waited for until the deadline: what is done must not be lost to a lock.
        The last transaction waits until the process is killed: a result that commits counts.
        With `flush`, the spans that have ended since the last time go to the outbox with it. What
        was measured since then is counted with it in any case.

        Raises:
            LeaseLostError: From `work`, where the fence turned it away.
        """

        def transaction(conn: Connection) -> T:
            self._take_back()
            now = self.core.database.now_us(conn)
            self._write_lines(conn)
            result = work(conn, now)
            if flush:
                self.drained = self.tracing.drain(now_us=now)
                self._put_spans(conn, self.drained, now)
            self.tally.put(conn)
            return result

        while True:
            try:
                result = self.core.database.run(transaction)
            except StoreError as error:
                self._take_back()
                if error.kind is not ErrorKind.RETRYABLE:
                    raise
                if not is_last:
                    self.check()
                self.lost.wait(BUSY_WAIT_S)
            except BaseException:
                self._take_back()
                raise
            else:
                self.drained = None
                self.lines = []
                self.tally.committed()
                return result

    def _take_back(self) -> None:
        """A transaction failed: its spans and lines leave with the next one."""
        self.tracing.take_back(self.drained)
        self.drained = None
        KEPT.give_back(self.lines)
        self.lines = []

    def _write_lines(self, conn: Connection) -> None:
        """What was logged since the last checkpoint, before what this one tells."""
        self.lines = KEPT.of_task(self.claim.task_id)
        if self.lines:
            offset_us = self.claim.offset_us
            task_log.write(self.core, conn, self.claim.task_id, self.lines, offset_us=offset_us)

    def now_us(self) -> int:
        """The database's time, by the offset measured at the claim."""
        return clock.now_us() + self.claim.offset_us

    def _put_spans(self, conn: Connection, drained: Drained | None, now: int) -> None:
        """Puts ended spans into the outbox, in the transaction of the checkpoint."""
        if drained is None:
            return
        outbox.add(
            conn,
            payload=drained.payload,
            n_spans=drained.n_spans,
            rank=outbox.RANK_DETAIL,
            created_at_us=now,
            task_id=self.claim.task_id,
            trace_id=self.claim.trace_id,
        )

    def require(self, is_mine: bool) -> None:  # noqa: FBT001 - reads as a sentence at its calls
        """Raises LeaseLostError where a fenced write was turned away."""
        if not is_mine:
            self.lost.set()
            message = "someone else owns the task now"
            raise LeaseLostError(message)
