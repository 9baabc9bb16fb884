"""Request spans: the SERVER span of a submission waits in the outbox like the task's own spans.

They are written a moment after the answer, all that have come together, in one transaction: an
upload waits for its own commit only. A process that is killed in that moment loses them (and only
them); the task's span then has a parent that never came.
"""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

from app.domain.errors import StoreError
from app.service.core import Core
from app.service.turn import Turns
from app.store.database import Connection
from telemetry import health, outbox

#: Seconds in which spans gather before they are written, and between tries on a busy database.
GATHER_S: Final = 0.05
RETRY_S: Final = 0.5
#: Spans that wait at most; above it the oldest go, counted.
MAX_WAITING: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    payload: bytes
    trace_id: str
    task_ids: tuple[int, ...]
    n_spans: int


class RequestSpanWriter:
    """Writes request spans from a thread of its own, which starts with the first one.

    Args:
        core: Where to write.
        turns: Whose turn it is to write in this process.
    """

    def __init__(self, core: Core, turns: Turns) -> None:
        self._core = core
        self._turns = turns
        self._changed = threading.Condition()
        self._waiting: deque[_Waiting] = deque(maxlen=MAX_WAITING)
        self._in_hand = 0
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._pause = threading.Event()

    def keep(self, payload: bytes, trace_id: str, task_ids: tuple[int, ...], n_spans: int) -> None:
        """Takes the encoded span of a request that made or followed tasks.

        Args:
            payload: ExportTraceServiceRequest.
            trace_id: Of the request, 32 hex digits; a follower's is another than its task's.
            task_ids: In the order of the request; the first one names the row.
            n_spans: Spans in `payload`.
        """
        one = _Waiting(payload=payload, trace_id=trace_id, task_ids=task_ids, n_spans=n_spans)
        with self._changed:
            if len(self._waiting) == MAX_WAITING:
                health.note("request span, queue", BufferError())
            self._waiting.append(one)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="request spans", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Waits until everything that was taken is written; False at the timeout."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._waiting and not self._in_hand, timeout=timeout_s
            )

    def stop(self) -> None:
        """Writes what waits, and ends the thread."""
        self._is_stopping = True
        self._pause.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(RETRY_S * 4)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._is_stopping)
                if not self._waiting:
                    return
            self._pause.wait(GATHER_S)
            if not self._write() and self._is_stopping:
                return

    def _write(self) -> bool:
        """Writes all that waits; False where the database did not take it: it waits again."""
        with self._changed:
            batch = list(self._waiting)
            self._waiting.clear()
            self._in_hand = len(batch)
        try:
            with self._turns.take():
                self._core.database.run(lambda conn: _add(self._core, conn, batch))
        except StoreError as error:
            health.note("request span, write", error)
            with self._changed:
                self._waiting.extendleft(reversed(batch))
                self._in_hand = 0
            self._pause.wait(RETRY_S)
            return False
        with self._changed:
            self._in_hand = 0
            self._changed.notify_all()
        return True


def _add(core: Core, conn: Connection, batch: list[_Waiting]) -> None:
    for one in batch:
        outbox.add(
            conn,
            payload=one.payload,
            n_spans=one.n_spans,
            rank=outbox.RANK_REQUEST,
            created_at_us=core.database.now_us(conn),
            task_id=one.task_ids[0] if one.task_ids else None,
            trace_id=one.trace_id,
        )
