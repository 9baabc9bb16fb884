"""Forwarder: takes the outbox to a collector, at least once, and drops nothing.

`step` does one thing and says when it wants to be called again; a duty loop drives it. No database
transaction is open while it talks to the collector. A second forwarder does no harm: what both send
is the same to the last byte. What it does with an answer (of HTTP; those of gRPC: `otlp_grpc`):

- accepted: the rows are `sent` (and stay for the window); a partial success is counted and shown.
- busy (429, 502, 503, 504, no connection): later, after Retry-After or a growing, jittered wait.
- configuration (401, 403, 404, 405, a redirect, …): stops, says so, looks again every minute.
- refused (400, 422): halves the batch until one row is left. That row is *held*: once another row
  was accepted, or the collector takes an empty request, it is sent again, and if it is refused
  again it is `poison`. A collector that refuses everything, if only for a while, poisons nothing.
- too large (413): as refused, with smaller requests for a while (`request_size`), but only another
  row's success is proof: of one about as large, where as much passed in the last minutes.
- 500: tried again a few times first; then as refused, but only another row's success is proof.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from telemetry import outbox
from telemetry.export import ExportSettings, export_settings_from
from telemetry.forwarding import ForwarderStatus, ForwardLimits, Transactions
from telemetry.held import Ground, HeldRow, is_proven, wants_spans, with_proof, without_proof
from telemetry.lost_collector import LossWatch
from telemetry.otlp import Answer, Verdict
from telemetry.otlp_client import make_client
from telemetry.request_size import RequestSize

__all__ = [
    "ExportSettings",
    "ForwardLimits",
    "Forwarder",
    "ForwarderStatus",
    "Transactions",
    "export_settings_from",
]

_log: Final = logging.getLogger(__name__)


class Forwarder:
    """Sends the outbox. Make it in the process that drives it.

    Args:
        transactions: The database.
        settings: Where to send.
        limits: Sizes and waits.
        clock_us: Microseconds since the epoch.
        monotonic_s: Seconds on a clock that never steps.
        jitter: Numbers of 0..1.
        resends_lost: Whether what a collector acknowledged in the minute before it was lost is sent
            again (see `lost_collector`); not needed where somebody looks at what arrived.

    Raises:
        ValueError: The protocol's library is missing.
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
        resends_lost: bool = False,
    ) -> None:
        self._transactions = transactions
        self._client = make_client(settings)
        self._watch = LossWatch(transactions) if resends_lost else None
        self._limits = limits or ForwardLimits()
        self._clock_us, self._monotonic_s, self._jitter = clock_us, monotonic_s, jitter
        self._status = ForwarderStatus(endpoint=settings.shown_endpoint)
        self._wait_until_s = 0.0
        self._size = RequestSize(self._limits.max_bytes)
        #: Rows at the head of the queue of which at least one was refused; 0 for none.
        self._suspect_count = 0
        self._server_errors = 0
        self._held: list[HeldRow] = []
        #: Rows that are held without proof before the collector itself is doubted.
        self._max_held = self._limits.max_held
        #: An empty request was accepted after the held rows were refused.
        self._takes_empty = False
        #: Asks with an empty request first: what was sent last met wrong configuration.
        self._must_probe = False
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
        if self._watch is not None:
            self._watch.look(self._client.connection(), self._clock_us())
            if self._renew(self._watch):
                return 0.0
        if self._must_probe:
            return self._probe()
        if (proven := self._proven()) is not None:
            return self._confirm(proven)
        rows = self._read_batch()
        if not rows:
            return self._settle_held() if self._unproven_count() else self._limits.idle_s
        if (linger_s := self._linger_s(rows)) > 0:
            return linger_s
        return self._judge(rows, self._send(b"".join(row.payload for row in rows)))

    def _renew(self, watch: LossWatch) -> bool:
        """Makes rows new again that a lost collector may have taken along; whether there were."""
        why = watch.why
        if (renewed := watch.renew()) is None:
            return False
        _log.info("%d rows of spans are sent again: %s", renewed.rows, why)
        self._note(
            resent_rows=self._status.resent_rows + renewed.rows,
            resent_at_us=self._clock_us(),
            resent_why=why,
        )
        return True

    def _proven(self) -> HeldRow | None:
        """The first held row that is to be asked again; None for none."""
        lately_bytes = self._size.lately_bytes(self._monotonic_s())
        return next(
            (
                held
                for held in self._held
                if is_proven(held, lately_bytes=lately_bytes, takes_empty=self._takes_empty)
            ),
            None,
        )

    def _unproven_count(self) -> int:
        """Held rows since whose refusal nothing was accepted."""
        return sum(not held.proof_bytes for held in self._held)

    def _read_batch(self) -> list[outbox.OutboxRow]:
        """The oldest rows that are not held; half of the suspects where there are any."""
        max_rows = self._limits.max_rows
        if self._suspect_count:
            max_rows = max(1, self._suspect_count // 2)
        with self._transactions.read() as conn:
            return outbox.next_batch(
                conn,
                max_bytes=self._size.max_bytes,
                max_rows=max_rows,
                after_id=self._held[-1].row_id if self._held else 0,
            )

    def _linger_s(self, rows: Sequence[outbox.OutboxRow]) -> float:
        """How long to wait for more; once for each oldest row, whatever its clock said."""
        is_full = (
            len(rows) >= self._limits.max_rows or _size_bytes(rows) >= self._size.max_bytes // 2
        )
        head = rows[0]
        is_sought = self._suspect_count > 0 or self._unproven_count() > 0
        if is_full or is_sought or head.id == self._lingered_for_id:
            return 0.0
        self._lingered_for_id = head.id
        age_s = (self._clock_us() - head.created_at_us) / 1e6
        return min(self._limits.linger_s, self._limits.linger_s - age_s)

    def _send(self, payload: bytes) -> Answer:
        answer = self._client.send(payload, now_us=self._clock_us())
        if self._watch is not None:
            self._watch.answered(answer, self._client.connection(), self._clock_us())
        self._note(
            requests=self._status.requests + 1,
            bytes_raw=self._status.bytes_raw + len(payload),
            bytes_sent=self._status.bytes_sent + answer.bytes_sent,
        )
        return answer

    def _judge(self, rows: Sequence[outbox.OutboxRow], answer: Answer) -> float:
        match answer.verdict:
            case Verdict.ACCEPTED:
                self._accept(rows, answer)
                self._suspect_count = max(0, self._suspect_count - len(rows))
                return 0.0
            case Verdict.SERVER_ERROR:
                self._server_errors += 1
                is_bisecting = self._suspect_count > 0 and len(rows) > 1
                if self._server_errors >= self._limits.server_error_tries or is_bisecting:
                    return self._refuse(rows, answer)
                return self._back_off(answer.words, answer.retry_after_s)
            case Verdict.REFUSED:
                return self._refuse(rows, answer)
            case _:
                return self._yield_to(answer)

    def _yield_to(self, answer: Answer) -> float:
        """An answer that says nothing about the rows: waits, or stops."""
        if answer.verdict is Verdict.BUSY:
            return self._back_off(answer.words, answer.retry_after_s)
        return self._stop(answer.words)

    def _accept(self, rows: Sequence[outbox.OutboxRow], answer: Answer) -> None:
        now_us = self._clock_us()
        with self._transactions.write() as conn:
            outbox.mark_sent(conn, [row.id for row in rows], now_us)
        if self._watch is not None:
            self._watch.acknowledged(now_us)
        self._size.accepted(_size_bytes(rows), self._monotonic_s())
        self._held, self._max_held = (
            with_proof(self._held, _size_bytes(rows)),
            self._limits.max_held,
        )
        if answer.is_partial:
            _log.warning("collector rejected %d spans: %s", answer.rejected_spans, answer.words)
            self._note(partial_message=answer.words)
        self._note(
            sent_rows=self._status.sent_rows + len(rows),
            sent_spans=self._status.sent_spans + sum(row.n_spans for row in rows),
            rejected_spans=self._status.rejected_spans + answer.rejected_spans,
        )
        self._recover()

    def _refuse(self, rows: Sequence[outbox.OutboxRow], answer: Answer) -> float:
        """Looks for the row that was meant: half of the batch is next, or the one is held."""
        self._server_errors = 0
        self._fail(answer.words)
        if len(rows) > 1 and answer.is_too_large:
            self._size.refused(_size_bytes(rows))
            return 0.0
        with self._transactions.write() as conn:
            outbox.count_attempt(conn, [row.id for row in rows], answer.words)
        if len(rows) > 1:
            self._suspect_count = len(rows)
            return 0.0
        self._suspect_count = 0
        self._held.append(
            HeldRow(
                row_id=rows[0].id,
                size_bytes=rows[0].size_bytes,
                words=answer.words,
                ground=_ground(answer),
            )
        )
        return self._settle_held() if self._unproven_count() >= self._max_held else 0.0

    def _settle_held(self) -> float:
        """No other row gives the proof: asks whether the collector takes anything at all.

        Where an empty request says nothing, all are tried again later, and more of them, lest as
        many as are held stand before all that could be accepted.
        """
        if any(wants_spans(held) for held in self._held):
            words = f"every request is answered so: {self._held[-1].words}"
            self._max_held = min(2 * self._max_held, self._limits.max_held_ahead)
            self._held.clear()
            return self._back_off(words, self._limits.max_backoff_s)
        self._takes_empty = True
        return self._probe()

    def _probe(self) -> float:
        """Sends an empty request: is there a collector that takes what is right?"""
        answer = self._send(b"")
        self._must_probe = False
        match answer.verdict:
            case Verdict.ACCEPTED:
                return 0.0
            case Verdict.REFUSED:
                return self._stop(f"even an empty request is refused: {answer.words}")
            case Verdict.SERVER_ERROR:
                return self._back_off(answer.words, answer.retry_after_s)
            case _:
                return self._yield_to(answer)

    def _confirm(self, held: HeldRow) -> float:
        """Sends a held row again, now that the collector is known to take what is right."""
        with self._transactions.read() as conn:
            rows = outbox.next_batch(conn, max_bytes=1, max_rows=1, after_id=held.row_id - 1)
        if not rows or rows[0].id != held.row_id:  # pruned, or sent by another forwarder
            self._release(held)
            return 0.0
        answer = self._send(rows[0].payload)
        match answer.verdict:
            case Verdict.ACCEPTED:
                self._accept(rows, answer)
            case Verdict.REFUSED | Verdict.SERVER_ERROR:
                self._quarantine(rows[0], answer)
            case _:
                return self._yield_to(answer)
        self._release(held)
        return 0.0

    def _release(self, held: HeldRow) -> None:
        self._held = [one for one in self._held if one.row_id != held.row_id]
        self._takes_empty = self._takes_empty and bool(self._held)

    def _quarantine(self, row: outbox.OutboxRow, answer: Answer) -> None:
        with self._transactions.write() as conn:
            outbox.mark_poison(conn, row.id, answer.words)
        _log.warning("outbox row %d is quarantined: %s", row.id, answer.words)
        self._note(poisoned_rows=self._status.poisoned_rows + 1)
        self._recover()

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
        self._must_probe = True
        return self._wait(self._limits.configuration_retry_s)

    def _wait(self, wait_s: float) -> float:
        """Waits; what was accepted before the trouble proves nothing after it."""
        self._takes_empty, self._held = False, without_proof(self._held)
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


def _size_bytes(rows: Sequence[outbox.OutboxRow]) -> int:
    return sum(row.size_bytes for row in rows)


def _ground(answer: Answer) -> Ground:
    """What a row that was refused alone may have been refused for."""
    if answer.verdict is Verdict.SERVER_ERROR:
        return "server"
    return "size" if answer.is_too_large else "content"
