"""Times of a call that is made again and again, by one client, once it is warm."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tests.bench import report
from tests.bench.stats import cpu

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What calls took.

    Attributes:
        all_ms: Milliseconds of each.
        cpu_ms: Processor time of one, as a mean: it does not grow with what else the machine does.
    """

    all_ms: tuple[float, ...]
    cpu_ms: float

    def row(self) -> dict[str, float | str]:
        """The columns of a table."""
        return {
            "p50 ms": _rounded(report.percentile(self.all_ms, 50)),
            "p99 ms": _rounded(report.percentile(self.all_ms, 99)),
            "cpu ms": _rounded(self.cpu_ms),
            "calls": len(self.all_ms),
        }


def _rounded(ms: float) -> float:
    return round(ms, 2 if ms < 100 else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long a call is measured: so many times, or so many seconds, whichever is less.

    Attributes:
        warm: Calls that are not counted, before them.
        pids: Processes that work for the caller, besides its own.
    """

    calls: int
    seconds: float
    warm: int = 3
    pids: tuple[int, ...] = ()


def timed(call: Callable[[], T], effort: Effort) -> tuple[T, Times]:
    """The last answer, and the times of all calls but the first."""
    for _ in range(effort.warm):
        call()
    times: list[float] = []
    used_s = time.process_time() + cpu.used_s(*effort.pids)
    end_s = time.perf_counter() + effort.seconds
    while True:
        start_ns = time.perf_counter_ns()
        answer = call()
        times.append((time.perf_counter_ns() - start_ns) / 1e6)
        if len(times) >= effort.calls or time.perf_counter() > end_s:
            break
    used_s = time.process_time() + cpu.used_s(*effort.pids) - used_s
    return answer, Times(all_ms=tuple(times), cpu_ms=used_s * 1000 / len(times))


def once(call: Callable[[], T]) -> tuple[T, float]:
    """The answer of one call, and its milliseconds."""
    start_ns = time.perf_counter_ns()
    answer = call()
    return answer, (time.perf_counter_ns() - start_ns) / 1e6
