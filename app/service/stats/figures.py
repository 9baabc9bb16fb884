"""Figures of a set of tasks: what their sums and histograms say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.sums import Sums
from app.domain.task import Status

#: Percentiles that are told, by name.
QUANTILES: Final[Mapping[str, float]] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """What completed tasks took of one kind, in milliseconds.

    Attributes:
        quantiles: By the names of `QUANTILES`, whole where they are exact; empty where too many
            rows would have to be read for them.
        is_exact: Whether they are values of rows; else within 1 % of them.
    """

    n: int
    mean_ms: float
    quantiles: Mapping[str, float]
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of some tasks.

    Attributes:
        by_status: Their sums by status; a status of no task is left out.
        durations: Of the completed ones by measure: run, wait, total; empty where there are none.
        length_us: Length of the window in which they ended, for what happens in an hour; None:
            nothing ever ended.
    """

    by_status: Mapping[str, Sums]
    durations: Mapping[str, Durations]
    length_us: int | None

    @property
    def total(self) -> int:
        """All tasks."""
        return sum(sums.n for sums in self.by_status.values())

    @property
    def ended(self) -> Sums:
        """Those that have ended."""
        return sum((sums for name, sums in self.by_status.items() if Status(name).is_final), Sums())

    @property
    def completed(self) -> Sums:
        """Those that completed."""
        return self.by_status.get("completed", Sums())

    def n(self, status: str) -> int:
        """How many have a status."""
        return self.by_status.get(status, Sums()).n

    @property
    def finished_ratio(self) -> float | None:
        """Completed among completed, failed and timed out; waits for capacity are no failures."""
        ended = sum(self.n(name) for name in ("completed", "failed", "timeout"))
        return self.n("completed") / ended if ended else None

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of work for each second of audio; None without audio."""
        done = self.completed
        return done.run_ms / done.audio_ms if done.audio_ms else None

    def per_hour(self, n: int) -> float | None:
        """What happened `n` times, for each hour of the window."""
        return n * 3_600_000_000 / self.length_us if self.length_us else None
