"""Workers against time: how many of a window's attempts are selected, each worker, step by step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.window import HOUR_US
from app.service.core import Core
from app.service.correlate import strip
from app.service.correlate.question import Question
from app.service.correlate.reading import Hourly

#: Workers that are drawn, and attempts of a window up to which rows are read for it.
MAX_WORKERS: Final = 12
MAX_ROWS: Final = 20_000


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
    core: Core,
    question: Question,
    workers: Sequence[tuple[str, int, int]],
    hourly: Hourly | None = None,
) -> tuple[Line, ...]:
    """The lines of a window; none where there are fewer than two workers, or it would cost much.

    Args:
        core: Where to read.
        question: What was looked at; of the slowest they are a filter by now.
        workers: Each with how many of its attempts are selected, and how many there are.
        hourly: What the answer has read, by the hour; None: it has not.
    """
    drawn = sorted(workers, key=lambda one: (-one[1], -one[2], one[0]))[:MAX_WORKERS]
    names = sorted(name for name, _, _ in drawn)
    if len(names) < 2:
        return ()
    if hourly is not None:
        return tuple(_line(question, name, _of_hours(question, hourly, name), HOUR_US)
                     for name in names)  # fmt: skip
    if sum(n for _, _, n in workers) > MAX_ROWS:
        return ()
    with core.database.read() as conn:
        step, found = strip.of_workers(conn, question)
    return tuple(_line(question, name, found.get(name, ()), step) for name in names)


def _of_hours(question: Question, hourly: Hourly, worker: str) -> Iterable[tuple[int, int, int]]:
    place = hourly.workers.index(worker)
    found = (hourly.starts, hourly.n[place], hourly.selected[place])
    for start, n, selected in zip(*(one.tolist() for one in found), strict=True):
        if n:
            yield max(start, question.start), n, selected


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
