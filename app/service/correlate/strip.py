"""The time strip: attempts of a window bin by bin, and what changed in the system meanwhile."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.domain.query.query import both
from app.domain.window import DAY_US, HOUR_US, ceil_to
from app.service.correlate import links
from app.service.correlate.question import Question
from app.store import attempt_filter
from app.store.attempt_filter import Sides
from app.store.database import Connection

#: Bins of a strip at most, but for a ragged one.
MAX_BINS: Final = 72
_MINUTE_US: Final = 60_000_000
#: Widths of a bin, each of which reads as a time.
_STEPS_US: Final = (
    *(1_000_000, 5_000_000, 10_000_000, 30_000_000),
    *(n * _MINUTE_US for n in (1, 2, 5, 10, 20, 30)),
    *(n * HOUR_US for n in (1, 2, 3, 6, 12, 24, 48, 168)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Attempts that ended within a step from `at` on; repeats are left out."""

    at: int
    n: int
    selected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The bins that have attempts, oldest first.

    Each begins at a whole step since the epoch, the first one with the window.
    """

    step_us: int
    bins: tuple[Bin, ...]


def step_of(length_us: int) -> int:
    """How wide a bin of a window of such a length is."""
    fitting = (step for step in _STEPS_US if length_us <= step * MAX_BINS)
    longest = _STEPS_US[-1]
    return next(fitting, -(-length_us // (MAX_BINS * longest)) * longest)


def of_rows(conn: Connection, question: Question) -> Strip:
    """The strip of a window out of its rows."""
    step = step_of(question.end - question.start)
    bins = [
        Bin(at=sides.start + place * step, n=n, selected=selected)
        for sides in _sides(question, step)
        for place, n, selected in attempt_filter.bins(conn, sides, step)
    ]
    return Strip(step_us=step, bins=tuple(bins))


def of_workers(
    conn: Connection, question: Question
) -> tuple[int, Mapping[str, Sequence[tuple[int, int, int]]]]:
    """How wide a bin is; of each worker the bins of its attempts: moment, attempts, selected."""
    step = step_of(question.end - question.start)
    found: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for sides in _sides(question, step):
        for worker, place, n, selected in attempt_filter.worker_bins(conn, sides, step):
            found[worker].append((sides.start + place * step, n, selected))
    return step, found


def _sides(question: Question, step: int) -> Iterable[Sides]:
    """What is read by one statement each; no repeats."""
    for start, end in _slices(question.start, question.end, step):
        within = both(question.within, links.NO_REPEATS)
        yield replace(question.sides, start=start, end=end, within=within)


def _slices(start: int, end: int, step: int) -> Iterable[tuple[int, int]]:
    """What one statement reads: up to the first whole step, then about a day at a time."""
    first = min(ceil_to(start, step), end)
    if start < first:
        yield start, first
    length = max(1, DAY_US // step) * step
    for begin in range(first, end, length):
        yield begin, min(begin + length, end)


def of_counts(question: Question, found: Iterable[tuple[int, int, int]], step: int) -> Strip:
    """The strip out of moments, attempts, and selected ones, of hours or days.

    Args:
        question: Whose window it is.
        found: Moments within the window's hours.
        step: Width of a bin, whole hours or days.
    """
    bins: dict[int, Bin] = {}
    for at, n, selected in found:
        begin = at - at % step
        old = bins.get(begin, Bin(at=max(begin, question.start), n=0, selected=0))
        bins[begin] = replace(old, n=old.n + n, selected=old.selected + selected)
    return Strip(step_us=step, bins=tuple(bins[begin] for begin in sorted(bins)))
