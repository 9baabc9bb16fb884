"""Workers against time: how many of a window's attempts are selected, each worker, step by step."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from app.domain.correlation.dimensions import DIMENSIONS
from app.domain.query.query import Query, both, named
from app.domain.window import HOUR_US
from app.service.core import Core
from app.service.correlate import counted, profiles, reading, strip
from app.service.correlate.question import Question
from app.service.correlate.selecting import holds
from app.store.database import Connection

#: Workers that are drawn, and attempts of a window up to which rows are read for it.
MAX_WORKERS: Final = 12
MAX_ROWS: Final = 20_000
#: Windows from which on whole hours are fine enough: those cost no row.
HOURS_FROM_US: Final = 12 * HOUR_US
_WORKER: Final = DIMENSIONS.index("worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Attempts of a worker that ended from `at` on and before `end`; repeats are left out."""

    at: int
    end: int
    n: int
    selected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The cells of a worker that have attempts, oldest first."""

    worker: str
    cells: tuple[Cell, ...]


def of_window(
    core: Core, question: Question, workers: Sequence[tuple[str, int, int]]
) -> tuple[Line, ...]:
    """The lines of a window; none where there are fewer than two workers, or it would cost much.

    Args:
        core: Where to read.
        question: What was looked at; of the slowest they are a filter by now.
        workers: Each with how many of its attempts are selected, and how many there are.
    """
    drawn = sorted(workers, key=lambda one: (-one[1], -one[2], one[0]))[:MAX_WORKERS]
    names = sorted(name for name, _, _ in drawn)
    if len(names) < 2:
        return ()
    is_short = question.end - question.start < HOURS_FROM_US
    with core.database.read() as conn:
        if reading.is_of_cube(question) and not is_short and not question.is_long:
            return _of_hours(core, conn, question, names)
        if sum(n for _, _, n in workers) > MAX_ROWS:
            return ()
        return tuple(_of_rows(conn, question, name) for name in names)


def _of_rows(conn: Connection, question: Question, worker: str) -> Line:
    only = Query(terms=(named("worker", worker),))
    found = strip.of_rows(conn, replace(question, within=both(question.within, only)))
    bins = ((one.at, one.n, one.selected) for one in found.bins)
    return _line(question, worker, bins, found.step_us)


def _of_hours(
    core: Core, conn: Connection, question: Question, names: Sequence[str]
) -> tuple[Line, ...]:
    """Out of the cube: whole hours, and the rows of ragged ends."""
    found = counted.by_hour(
        conn, question.start, question.end, lambda _done, _of: None, in_days=False
    )
    coded = profiles.of_database(core.database).of(conn, found.ids)
    counts = holds(question.within, coded) & ~coded.is_repeat
    selected = counts & holds(question.selection, coded)
    workers = coded.codes[:, _WORKER]
    keys, places = np.unique(np.column_stack([workers, found.hours]), axis=0, return_inverse=True)
    places = places.reshape(-1)
    every = np.bincount(places, weights=found.n * counts, minlength=len(keys))
    mine = np.bincount(places, weights=found.n * selected, minlength=len(keys))
    lines: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for (code, hour), n, some in zip(keys.tolist(), every.tolist(), mine.tolist(), strict=True):
        if n:
            at = max(hour * HOUR_US, question.start)
            lines[coded.texts[_WORKER][code]].append((at, int(n), int(some)))
    return tuple(_line(question, name, lines[name], HOUR_US) for name in names)


def _line(
    question: Question, worker: str, found: Iterable[tuple[int, int, int]], step: int
) -> Line:
    return Line(
        worker=worker,
        cells=tuple(
            Cell(at=at, end=min(at - at % step + step, question.end), n=n, selected=some)
            for at, n, some in found
        ),
    )
