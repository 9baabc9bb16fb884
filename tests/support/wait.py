"""Waiting for something to become true, never for time to pass."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE = threading.Event()


def wait_until(
    predicate: Callable[[], T], timeout_s: float, *, what: str = "", every_s: float = 0.05
) -> T:
    """The first true value of `predicate`; fails with what was last seen when the time is over."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline_s:
            message = f"not within {timeout_s:g} s: {what or predicate}; last seen: {value!r}"
            raise AssertionError(message)
        _PAUSE.wait(every_s)
