"""The clock: the only place that reads time (telemetry takes times as arguments)."""

import time
from datetime import UTC, datetime


def now_us() -> int:
    """The wall clock of this host, in microseconds since the epoch (UTC)."""
    return time.time_ns() // 1000


def monotonic_s() -> float:
    """Seconds on a clock that never steps; for durations and waits."""
    return time.monotonic()


def to_datetime(at_us: int) -> datetime:
    """An aware UTC datetime of a moment in microseconds since the epoch."""
    return datetime.fromtimestamp(at_us / 1_000_000, tz=UTC)


def to_us(at: datetime) -> int:
    """Microseconds since the epoch of an aware datetime."""
    return round(at.timestamp() * 1_000_000)


def from_iso(text: str) -> int:
    """Microseconds since the epoch of a moment as `iso` writes it."""
    return to_us(datetime.fromisoformat(text))


def iso(at_us: int) -> str:
    """A moment as JSON carries it: ISO 8601 in UTC, to the microsecond, with a Z."""
    return to_datetime(at_us).isoformat(timespec="microseconds").replace("+00:00", "Z")
