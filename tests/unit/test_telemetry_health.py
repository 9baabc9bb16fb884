"""Health: errors of telemetry are swallowed, counted, and never pass for something else."""

import os
import signal

import pytest

from telemetry import health
from telemetry.health import swallowed


def _count(place: str) -> int:
    return sum(failure.count for failure in health.failures() if failure.place == place)


def test_swallowed_counts_and_goes_on() -> None:
    """An error stays inside and is counted under its place, with its class and no message."""
    for _ in range(3):
        with swallowed("test, three"):
            message = "a text that must not be told"
            raise ValueError(message)
    (failure,) = [found for found in health.failures() if found.place == "test, three"]
    assert (failure.count, failure.last_error) == (3, "ValueError")
    assert health.failure_count() >= 3


def test_swallowed_lets_interrupts_pass() -> None:
    """What ends a process is not an error of telemetry."""
    with pytest.raises(KeyboardInterrupt), swallowed("test, interrupt"):
        raise KeyboardInterrupt
    assert _count("test, interrupt") == 0


def test_log_lines_of_a_flood_are_few(caplog: pytest.LogCaptureFixture) -> None:
    """A thousand errors at one place make ten lines, none of them with a message."""
    for _ in range(1000):
        with swallowed("test, flood"):
            message = "secret words"
            raise RuntimeError(message)
    lines = [record.getMessage() for record in caplog.records if "flood" in record.getMessage()]
    assert len(lines) == 10
    assert not any("secret" in line for line in lines)


def test_forked_child_counts_for_itself() -> None:
    """A child begins with no failures, even where a thread held the lock at the fork."""
    with swallowed("test, fork"):
        raise ValueError
    health._lock.acquire()  # noqa: SLF001 - as a thread of the parent would
    pid = os.fork()
    if pid == 0:
        signal.alarm(5)
        with swallowed("test, child"):
            raise ValueError
        is_fresh = [failure.place for failure in health.failures()] == ["test, child"]
        os._exit(0 if is_fresh else 1)
    health._lock.release()  # noqa: SLF001
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
