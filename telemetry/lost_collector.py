"""A collector that was lost: what it acknowledged in its last minute is sent once more.

An acknowledgement is no proof: a collector that is killed takes along what it had not handed on.
The one thing that shows that it still lives is the connection that carried the acknowledgement.
Where that ends, the rows of the minute before are made new again, at once: so they wait in the
table, and nothing is forgotten where this process is killed before the collector comes back. A
forwarder that starts has no connection to go by; it takes the newest acknowledgement in the table
for the last sign of life.

- The minute ends with the last sign of life, which is before the first row is sent anew: it does
  not chase itself. Its rows are found by the time of their sending, oldest first.
- A failed connection is a loss, however often it is tried again. One that was found closed is
  perhaps none (servers close what is quiet): then each row is sent once more and no more.
"""

from dataclasses import dataclass
from typing import Final

from telemetry import outbox
from telemetry.forwarding import Transactions
from telemetry.otlp import Answer
from telemetry.outbox import Renewed

#: Microseconds before the last sign of life in which an acknowledgement may have been lost.
WINDOW_US: Final = 60_000_000
#: So much less for a connection that was found closed: collectors close it after a quiet minute.
_QUIET_US: Final = 2_000_000
#: Microseconds without a look after which another forwarder may have sent meanwhile.
_GAP_US: Final = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """Rows to be made new: sent in [since, until), above an id."""

    since_us: int
    until_us: int
    above_id: int
    is_sure: bool
    why: str


class LossWatch:
    """Watches the connection to the collector, and makes rows new again where it was lost.

    Args:
        transactions: The database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        #: 0: none that could be watched.
        self._connection = 0
        self._alive_us = 0
        self._acknowledged_us = 0
        self._looked_us = 0
        self._is_cut_off = False
        self._task: _Task | None = None
        #: Rows up to this id were sent again for a connection that was found closed.
        self._repeated_id = 0

    @property
    def why(self) -> str:
        """Why rows are made new, in words; empty where none are."""
        return self._task.why if self._task is not None else ""

    def look(self, connection: int | None, now_us: int) -> None:
        """Looks whether the connection is still the one that carried the last answer."""
        if now_us - self._looked_us > _GAP_US:
            self._look_for_others()
        self._looked_us = now_us
        self._follow(connection, now_us)

    def answered(self, answer: Answer, connection: int | None, now_us: int) -> None:
        """Takes what came back from a request."""
        if answer.is_cut_off:
            if not self._is_cut_off:
                self._lose(answer.words, is_sure=True)
            self._is_cut_off, self._connection = True, 0
        elif answer.has_come:
            self._is_cut_off = False
            self._follow(connection, now_us)
            self._alive_us = now_us

    def acknowledged(self, at_us: int) -> None:
        """Notes that rows are sent, with this very moment on them."""
        self._acknowledged_us = self._alive_us = at_us

    def renew(self) -> Renewed | None:
        """Makes some of the rows new again, in one transaction; None where there are no more."""
        if (task := self._task) is None:
            return None
        with self._transactions.write() as conn:
            renewed = outbox.resend(
                conn, since_us=task.since_us, until_us=task.until_us, above_id=task.above_id
            )
        if not task.is_sure:
            self._repeated_id = max(self._repeated_id, renewed.last_id)
        if not renewed.rows:
            self._task = None
            return None
        return renewed

    def _follow(self, connection: int | None, now_us: int) -> None:
        if self._connection and connection != self._connection:
            self._lose("the connection to the collector was closed", is_sure=False)
        elif self._connection:
            self._alive_us = now_us
        self._connection = connection or 0

    def _look_for_others(self) -> None:
        """What another forwarder sent, or this one before a restart: nobody watched since."""
        with self._transactions.read() as conn:
            newest_us = outbox.newest_sent(conn) or 0
        if newest_us > self._acknowledged_us:
            self._acknowledged_us = self._alive_us = newest_us
            self._connection = 0
            self._lose("another forwarder sent them, or this one before its start", is_sure=True)

    def _lose(self, why: str, *, is_sure: bool) -> None:
        if self._task is not None and self._task.is_sure and not is_sure:
            return
        end_us = self._alive_us
        self._task = _Task(
            since_us=end_us - WINDOW_US + (0 if is_sure else _QUIET_US),
            until_us=end_us + 1,
            above_id=0 if is_sure else self._repeated_id,
            is_sure=is_sure,
            why=why,
        )
