"""Health: errors of telemetry are swallowed, counted, and never pass for something else."""

import pytest

from telemetry import health
from telemetry.health import swallowed
from tests.support.forked import holds_in_child


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

    def begins_anew() -> bool:
        with swallowed("test, child"):
            raise ValueError
        return [failure.place for failure in health.failures()] == ["test, child"]

    with health._lock:  # noqa: SLF001 - as a thread of the parent would
        assert holds_in_child(begins_anew, timeout_s=3)
