"""What went wrong in telemetry itself, counted: it must never fail what it watches, nor hide.

Everything at the border to the application runs inside `swallowed(place)`. The counts belong to
this process; `failures()` is what a health page shows.
"""

import logging
import os
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Final

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Errors of telemetry that were swallowed at one place of this process."""

    place: str
    count: int
    last_error: str


_lock = threading.Lock()
_failures: dict[str, Failures] = {}


def _reset() -> None:
    """A forked child counts for itself; its parent's lock may be held for ever."""
    global _lock  # noqa: PLW0603 - the state of one process
    _lock = threading.Lock()
    _failures.clear()


os.register_at_fork(after_in_child=_reset)


def note(place: str, error: BaseException) -> None:
    """Counts an error, and logs it when the count is a power of two (so that floods stay short).

    Only the class of the error is told: its message may hold what must not be logged.
    """
    with _lock:
        before = _failures.get(place)
        now = Failures(
            place=place,
            count=(before.count if before else 0) + 1,
            last_error=type(error).__qualname__,
        )
        _failures[place] = now
    if now.count & (now.count - 1) == 0:
        _log.warning("telemetry failed at %s: %s, %d in all", place, now.last_error, now.count)


def failures() -> list[Failures]:
    """What was swallowed in this process, by place."""
    with _lock:
        return sorted(_failures.values(), key=lambda failure: failure.place)


def failure_count() -> int:
    """How many errors were swallowed in this process."""
    return sum(failure.count for failure in failures())


class swallowed:  # noqa: N801 - read as a statement: with swallowed("outbox"): …
    """A block whose errors are counted and go no further; KeyboardInterrupt and its like pass."""

    __slots__ = ("_place",)

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        note(self._place, error)
        return True
