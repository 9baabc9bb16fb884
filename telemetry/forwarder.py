"""Forwarder: takes the outbox to a collector, at least once, and drops nothing.

`step` does one thing and says when it wants to be called again; a duty loop drives it. No database
transaction is open while it talks to the collector. A second forwarder does no harm: what both send
is the same to the last byte. What it does with an answer:

- accepted: the rows are `sent` (and stay for the window); a partial success is counted and shown.
- busy (429, 502, 503, 504, no connection): later, after Retry-After or a growing, jittered wait.
- configuration (401, 403, 404, 405, a redirect, …): stops, says so, looks again every minute.
- refused (400, 413, 422): halves the batch until one row is left. That row is *held*, and becomes
  `poison` once another row was accepted or the collector takes an empty request: one that refuses
  everything must not poison everything.
- 500: tried again a few times first; then as refused, but only another row's success is proof.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from sqlalchemy import Connection

from telemetry import outbox
from telemetry.export import ExportSettings, export_settings_from
from telemetry.otlp_http import Answer, OtlpHttpClient, Verdict

__all__ = [
    "ExportSettings",
    "ForwardLimits",
    "Forwarder",
    "ForwarderStatus",
    "Transactions",
    "export_settings_from",
]

_log: Final = logging.getLogger(__name__)


class Transactions(Protocol):
    """Where the forwarder gets its connections."""

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that commits at the end of the block."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardLimits:
    """Sizes and waits of a forwarder.

    Attributes:
        max_bytes: Of a request, before compression (a collector's gRPC limit is 4 MiB).
        max_rows: Of a request.
        linger_s: How long a batch that is not full waits for more, counted from its oldest row.
        idle_s: Pause when the outbox is empty.
        backoff_s: First wait after a failure; doubles up to `max_backoff_s`, with jitter.
        max_retry_after_s: What is granted of a collector's Retry-After.
        configuration_retry_s: Wait when the configuration is wrong.
        server_error_tries: Requests answered with 500 before the fault is sought in the rows.
        max_held: Rows that are held without proof before the collector itself is doubted.
    """

    max_bytes: int = 2 * 1024 * 1024
    max_rows: int = 1000
    linger_s: float = 0.2
    idle_s: float = 0.5
    backoff_s: float = 0.5
    max_backoff_s: float = 30.0
    max_retry_after_s: float = 600.0
    configuration_retry_s: float = 60.0
    server_error_tries: int = 3
    max_held: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwarderStatus:
    """How the forwarder fares; moments in microseconds since the epoch, None for never.

    Attributes:
        configuration_trouble: What must be set right, in words; None while nothing must.
        retry_at_us: Until when it waits after a failure.
        failures: Failed requests since the last success.
    """

    endpoint: str
    last_success_us: int | None = None
    last_error: str | None = None
    last_error_us: int | None = None
    configuration_trouble: str | None = None
    retry_at_us: int | None = None
    failures: int = 0
    requests: int = 0
    sent_rows: int = 0
    sent_spans: int = 0
    rejected_spans: int = 0
    partial_message: str | None = None
    poisoned_rows: int = 0
    bytes_raw: int = 0
    bytes_sent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A row refused alone, whose refusal still wants proof."""

    row_id: int
    words: str
    needs_other_success: bool


class Forwarder:
    """Sends the outbox. Make it in the process that drives it.

    Args:
        transactions: The database.
        settings: Where to send.
        limits: Sizes and waits.
        clock_us: Microseconds since the epoch.
        monotonic_s: Seconds on a clock that never steps.
        jitter: Numbers of 0..1.
    """

    def __init__(
        self,
        transactions: Transactions,
        settings: ExportSettings,
        *,
        limits: ForwardLimits | None = None,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        monotonic_s: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._transactions = transactions
        self._client = OtlpHttpClient(settings)
        self._limits = limits or ForwardLimits()
        self._clock_us, self._monotonic_s, self._jitter = clock_us, monotonic_s, jitter
        self._status = ForwarderStatus(endpoint=settings.shown_endpoint)
        self._wait_until_s = 0.0
        self._max_bytes = self._limits.max_bytes
        #: Rows at the head of the queue of which at least one was refused; 0 for none.
        self._suspect_count = 0
        self._server_errors = 0
        self._held: list[_Held] = []
        self._lingered_for_id = 0

    def status(self) -> ForwarderStatus:
        """How it fares now."""
        return self._status

    def close(self) -> None:
        """Closes the connection to the collector."""
        self._client.close()

    def step(self) -> float:
        """Sends one batch at most; returns the seconds after which it wants to be called again.

        Never raises: an error of the database or of its own is logged, counted, and waited on.
        """
        left_s = self._wait_until_s - self._monotonic_s()
        if left_s > 0:
            return left_s
        try:
            return self._advance()
        except Exception as error:  # noqa: BLE001 - one of the four borders: the loop must go on
            _log.warning("forwarder failed", exc_info=error)
            return self._back_off(f"forwarder: {type(error).__name__}", None)

    def _advance(self) -> float:
        rows = self._read_batch()
        if not rows:
            return self._settle_held() if self._held else self._limits.idle_s
        if (linger_s := self._linger_s(rows)) > 0:
            return linger_s
        return self._judge(rows, self._send(b"".join(row.payload for row in rows)))

    def _read_batch(self) -> list[outbox.OutboxRow]:
        """The oldest rows; half of the suspects where there are any."""
        max_rows = self._limits.max_rows
        if self._suspect_count:
            max_rows = max(1, self._suspect_count // 2)
        with self._transactions.read() as conn:
            return outbox.next_batch(
                conn,
                max_bytes=self._max_bytes,
                max_rows=max_rows,
                after_id=self._held[-1].row_id if self._held else 0,
            )

    def _linger_s(self, rows: Sequence[outbox.OutboxRow]) -> float:
        """How long to wait for more; once for each oldest row, whatever its clock said."""
        is_full = (
            len(rows) >= self._limits.max_rows
            or sum(row.size_bytes for row in rows) >= self._max_bytes // 2
        )
        head = rows[0]
        if is_full or self._suspect_count or self._held or head.id == self._lingered_for_id:
            return 0.0
        self._lingered_for_id = head.id
        age_s = (self._clock_us() - head.created_at_us) / 1e6
        return min(self._limits.linger_s, self._limits.linger_s - age_s)

    def _send(self, payload: bytes) -> Answer:
        answer = self._client.send(payload, now_us=self._clock_us())
        self._note(
            requests=self._status.requests + 1,
            bytes_raw=self._status.bytes_raw + len(payload),
            bytes_sent=self._status.bytes_sent + answer.bytes_sent,
        )
        return answer

    def _judge(self, rows: Sequence[outbox.OutboxRow], answer: Answer) -> float:
        match answer.verdict:
            case Verdict.ACCEPTED:
                return self._accept(rows, answer)
            case Verdict.BUSY:
                return self._back_off(answer.words, answer.retry_after_s)
            case Verdict.CONFIGURATION:
                return self._stop(answer.words)
            case Verdict.SERVER_ERROR:
                self._server_errors += 1
                is_bisecting = self._suspect_count > 0 and len(rows) > 1
                if self._server_errors < self._limits.server_error_tries and not is_bisecting:
                    return self._back_off(answer.words, answer.retry_after_s)
                return self._refuse(rows, answer)
            case Verdict.REFUSED:
                return self._refuse(rows, answer)

    def _accept(self, rows: Sequence[outbox.OutboxRow], answer: Answer) -> float:
        with self._transactions.write() as conn:
            outbox.mark_sent(conn, [row.id for row in rows], self._clock_us())
            self._poison_held(conn)
        self._held.clear()
        self._suspect_count = max(0, self._suspect_count - len(rows))
        if answer.is_partial:
            _log.warning("collector rejected %d spans: %s", answer.rejected_spans, answer.words)
            self._note(partial_message=answer.words)
        self._note(
            sent_rows=self._status.sent_rows + len(rows),
            sent_spans=self._status.sent_spans + sum(row.n_spans for row in rows),
            rejected_spans=self._status.rejected_spans + answer.rejected_spans,
        )
        self._recover()
        return 0.0

    def _refuse(self, rows: Sequence[outbox.OutboxRow], answer: Answer) -> float:
        """Looks for the row that was meant: the half of the batch is next, or the one is held."""
        self._server_errors = 0
        self._fail(answer.words)
        if len(rows) > 1 and answer.status == 413:
            self._max_bytes = max(1, sum(row.size_bytes for row in rows) // 2)
            return 0.0
        with self._transactions.write() as conn:
            outbox.count_attempt(conn, [row.id for row in rows], answer.words)
        if len(rows) > 1:
            self._suspect_count = len(rows)
            return 0.0
        self._suspect_count = 0
        self._held.append(
            _Held(
                row_id=rows[0].id,
                words=answer.words,
                needs_other_success=answer.verdict is Verdict.SERVER_ERROR,
            )
        )
        return self._settle_held() if len(self._held) >= self._limits.max_held else 0.0

    def _settle_held(self) -> float:
        """No other row gives the proof: asks the collector whether it takes anything at all."""
        words = self._held[-1].words
        if any(held.needs_other_success for held in self._held):
            self._held.clear()
            return self._back_off(
                f"every request is answered so: {words}", self._limits.max_backoff_s
            )
        answer = self._send(b"")
        match answer.verdict:
            case Verdict.ACCEPTED:
                with self._transactions.write() as conn:
                    self._poison_held(conn)
                self._held.clear()
                self._recover()
                return 0.0
            case Verdict.BUSY:
                return self._back_off(answer.words, answer.retry_after_s)
            case _:
                self._held.clear()
                return self._stop(f"even an empty request is refused: {answer.words}")

    def _poison_held(self, conn: Connection) -> None:
        for held in self._held:
            outbox.mark_poison(conn, held.row_id, held.words)
            _log.warning("outbox row %d is quarantined: %s", held.row_id, held.words)
        self._note(poisoned_rows=self._status.poisoned_rows + len(self._held))

    def _back_off(self, words: str, retry_after_s: float | None) -> float:
        self._fail(words)
        limits = self._limits
        grown_s = limits.backoff_s * 2 ** min(self._status.failures - 1, 16)
        wait_s = min(limits.max_backoff_s, grown_s) * (0.5 + self._jitter() / 2)
        if retry_after_s is not None:
            asked_s = min(limits.max_retry_after_s, retry_after_s)
            wait_s = max(limits.backoff_s / 2, asked_s * (1 + self._jitter() / 10))
        return self._wait(wait_s)

    def _stop(self, words: str) -> float:
        """Shows that something must be set right, and looks again after a while."""
        if self._status.configuration_trouble is None:
            _log.error("spans cannot be sent to %s: %s", self._status.endpoint, words)
        self._fail(words)
        self._note(configuration_trouble=words)
        return self._wait(self._limits.configuration_retry_s)

    def _wait(self, wait_s: float) -> float:
        self._wait_until_s = self._monotonic_s() + wait_s
        self._note(retry_at_us=self._clock_us() + round(wait_s * 1e6))
        return wait_s

    def _fail(self, words: str) -> None:
        if self._status.failures == 0:
            _log.warning("spans wait, %s does not take them: %s", self._status.endpoint, words)
        self._note(
            failures=self._status.failures + 1, last_error=words, last_error_us=self._clock_us()
        )

    def _recover(self) -> None:
        if self._status.failures:
            _log.info("%s takes spans again", self._status.endpoint)
        self._server_errors = 0
        self._note(
            failures=0,
            configuration_trouble=None,
            retry_at_us=None,
            last_success_us=self._clock_us(),
        )

    def _note(self, **changes: int | str | None) -> None:
        self._status = replace(self._status, **changes)  # type: ignore[arg-type]
