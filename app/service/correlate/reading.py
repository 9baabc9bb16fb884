"""Two cubes of one snapshot, of a window and of its past: out of the cube, or out of rows.

Whole hours and days come from the cube, what is left at the ends from rows. Where retention has
removed rows of an hour at an end, only the whole hour can be told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from app.domain.correlation.cube import Cube, Integers
from app.domain.correlation.dimensions import DIMENSIONS, ROW_DIMENSIONS
from app.domain.window import DAY_US, HOUR_US, ceil_to, floor_to
from app.service.correlate import counted, profiles, strip
from app.service.correlate.cubes import Lines, Truths, cubes
from app.service.correlate.progress import Tell, nobody, part
from app.service.correlate.question import Question, fingerprint_of
from app.service.correlate.ragged import Ragged
from app.service.correlate.row_lines import RowReader
from app.service.correlate.selecting import holds, is_of_profiles
from app.service.correlate.strip import Strip
from app.store import attempt_cube, attempt_filter
from app.store.attempt_hours import HourCounts
from app.store.database import Connection, Database

#: Windows from which on hours of the day are told apart, and the attempts up to which they are.
HOURS_FROM_US: Final = 3 * DAY_US
MAX_BY_HOUR: Final = 500_000
#: Windows from which on the strip is of whole hours: those cost no row.
STRIP_HOURS_US: Final = 12 * HOUR_US

Grain = Literal["hour", "day", "rows"]
_WORKER: Final = DIMENSIONS.index("worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hourly:
    """Attempts of a window by worker and hour; repeats are left out.

    Attributes:
        workers: Their names; those of other windows, too.
        starts: When each hour began, microseconds.
        n, selected: Shape (workers, hours).
    """

    workers: Sequence[str]
    starts: Integers
    n: Integers
    selected: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Attempts of a window and of its past, by their values.

    Attributes:
        question: What was read: wider at its ends where rows are gone.
        window, baseline: Their cubes; "failed" is "selected". Repeats are in none.
        strip: The window bin by bin.
        hourly: Its workers hour by hour, where the strip was made of hours.
        grain: What they were read from.
        is_whole_hours: Whether it is wider than asked for.
        repeats: Attempts of the window that were left out: the same text had failed so before.
        is_by_hour: Whether hours of the day are among the dimensions.
        wants_hours: Whether they would be, were there fewer attempts.
        lacks_rows: Whether attempts of the window have no rows any more.
    """

    question: Question
    window: Cube
    baseline: Cube
    strip: Strip
    hourly: Hourly | None
    grain: Grain
    is_whole_hours: bool
    repeats: int
    is_by_hour: bool
    wants_hours: bool
    lacks_rows: bool


def is_of_cube(question: Question) -> bool:
    """Whether the cube answers it; else rows must be read."""
    filters = (question.selection, question.within)
    return question.quantile is None and all(map(is_of_profiles, filters))


def read(database: Database, conn: Connection, question: Question, tell: Tell = nobody) -> Reading:
    """The cubes of a question, in the caller's snapshot.

    Args:
        database: Whose profiles this process may know.
        conn: Where to read.
        question: What is asked; the slowest are a filter by now.
        tell: Told how far it is.
    """
    if is_of_cube(question):
        return _of_cube(database, conn, told_window(conn, question), question, tell)
    return of_rows(conn, question, tell)


def told_window(conn: Connection, question: Question) -> Question:
    """The question with whole hours at the ends where rows of an hour are gone."""
    ends = (question.baseline_start, question.start, question.end)
    hours = {floor_to(at, HOUR_US) for at in ends if at % HOUR_US}
    gone = attempt_cube.archived_hours(conn, hours) if hours else set()

    def begin(at: int) -> int:
        hour = floor_to(at, HOUR_US)
        return hour if hour in gone else at

    end = question.end
    is_gone = end % HOUR_US and floor_to(end, HOUR_US) in gone
    return replace(
        question,
        baseline_start=begin(question.baseline_start),
        start=begin(question.start),
        end=ceil_to(end, HOUR_US) if is_gone else end,
    )


def names_of(question: Question, *, with_hour: bool) -> tuple[str, ...]:
    """The dimensions that are looked at: those that the question does not fix."""
    every = ROW_DIMENSIONS if with_hour else DIMENSIONS
    return tuple(name for name in every if name not in question.fixed)


def is_above(conn: Connection, question: Question, most: int) -> bool:
    """Whether more rows than so many would be read, of the window and of its past."""
    sides = replace(question.sides, start=question.baseline_start)
    return attempt_filter.count_up_to(conn, sides, most + 1) > most


def _of_cube(
    database: Database, conn: Connection, told: Question, question: Question, tell: Tell
) -> Reading:
    ends = Ragged(conn, database.now_us(conn))
    past = counted.together(
        ends, told.baseline_start, told.start, lambda done, of: part(tell, done, 2 * of)
    )
    wants_hours = told.end - told.start >= HOURS_FROM_US
    is_by_hour = wants_hours and _is_few(ends, told, past)
    step = max(strip.step_of(told.end - told.start), HOUR_US)
    window = counted.by_hour(
        ends,
        told.start,
        told.end,
        lambda done, of: part(tell, of + done, 2 * of),
        in_days=step >= DAY_US and not is_by_hour,
    )
    if is_by_hour:
        past = counted.by_hour_of_day(
            counted.by_hour(ends, told.baseline_start, told.start, _nobody, in_days=False)
        )
    made = _made(database, conn, told, window, past, is_by_hour=is_by_hour)
    is_short = told.end - told.start < STRIP_HOURS_US and not window.removed
    hourly = None if is_short else _hourly(window, made)
    return Reading(
        question=told,
        window=made.window,
        baseline=made.baseline,
        strip=strip.of_rows(conn, told) if hourly is None else _strip(told, hourly, step),
        hourly=hourly if step == HOUR_US else None,
        grain="day" if told.is_long and not is_by_hour else "hour",
        is_whole_hours=told != question,
        repeats=made.repeats,
        is_by_hour=is_by_hour,
        wants_hours=wants_hours,
        lacks_rows=window.removed > 0,
    )


def _is_few(ends: Ragged, told: Question, past: HourCounts) -> bool:
    window = counted.together(ends, told.start, told.end, _nobody)
    return int(window.n.sum() + past.n.sum()) <= MAX_BY_HOUR


def _nobody(_done: int, _of: int) -> None:
    """For a reading that takes no time beside another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What numbers by profile say.

    Attributes:
        ids: Profiles of the window; of each, whether it is looked at, and selected.
        worker: Of each, its place in `workers`.
    """

    window: Cube
    baseline: Cube
    repeats: int
    ids: Integers
    is_evidence: Truths
    is_selected: Truths
    worker: Integers
    workers: Sequence[str]


def _made(
    database: Database,
    conn: Connection,
    told: Question,
    window: HourCounts,
    past: HourCounts,
    *,
    is_by_hour: bool,
) -> _Made:
    once = counted.by_hour_of_day(window) if is_by_hour else counted.each_once(window)
    ids = np.concatenate([once.ids, past.ids])
    coded = profiles.of_database(database).of(conn, ids)
    is_selected = holds(told.selection, coded)
    every = Lines(
        codes=coded.codes[:, :-1],
        failure=np.where(is_selected, coded.codes[:, -1], -1),
        n=np.concatenate([once.n, past.n]),
    )
    texts = list(coded.texts)
    if is_by_hour:
        hours = np.concatenate([once.hours, past.hours])
        every = replace(every, codes=np.column_stack([every.codes, hours]))
        texts.insert(-1, [f"{hour:02}" for hour in range(24)])
    looked_at = holds(told.within, coded)
    is_evidence = looked_at & ~coded.is_repeat
    of_window = np.arange(len(ids)) < len(once.ids)
    sides = (every.only(is_evidence & of_window), every.only(is_evidence & ~of_window))
    cubes_of = _cubes(told, texts, *sides)
    return _Made(
        window=cubes_of[0],
        baseline=cubes_of[1],
        repeats=int(every.n[looked_at & coded.is_repeat & of_window].sum()),
        ids=once.ids,
        is_evidence=is_evidence[of_window],
        is_selected=is_selected[of_window],
        worker=coded.codes[: len(once.ids), _WORKER],
        workers=coded.texts[_WORKER],
    )


def _hourly(window: HourCounts, made: _Made) -> Hourly:
    """The attempts of the window by worker and hour, without repeats."""
    order = np.argsort(made.ids, kind="stable")
    places = order[np.searchsorted(made.ids, window.ids, sorter=order)]
    counts = window.n * made.is_evidence[places]
    hours, at = np.unique(window.hours, return_inverse=True)
    shape = (len(made.workers), len(hours))
    keys = made.worker[places] * len(hours) + at
    every, mine = (
        np.bincount(keys, weights=weights, minlength=shape[0] * shape[1]).reshape(shape)
        for weights in (counts, counts * made.is_selected[places])
    )
    return Hourly(
        workers=made.workers,
        starts=hours * HOUR_US,
        n=every.astype(np.int64),
        selected=mine.astype(np.int64),
    )


def _strip(told: Question, hourly: Hourly, step: int) -> Strip:
    """The strip of the window, out of whole hours or days."""
    found = zip(
        hourly.starts.tolist(),
        hourly.n.sum(axis=0).tolist(),
        hourly.selected.sum(axis=0).tolist(),
        strict=True,
    )
    return strip.of_counts(told, (one for one in found if one[1]), step)


def _cubes(
    question: Question, texts: Sequence[Sequence[str]], window: Lines, baseline: Lines
) -> tuple[Cube, Cube]:
    """The cubes of lines of all dimensions: without those that the selection is of.

    Args:
        question: What is asked.
        texts: Of each dimension, in their order, then of failures.
        window: Its lines.
        baseline: Its lines.
    """
    names = names_of(question, with_hour=len(texts) > len(DIMENSIONS) + 1)
    places = [ROW_DIMENSIONS.index(name) for name in names]
    kinds = texts[-1]
    if question.kind != "failures" or fingerprint_of(question.query) is not None:
        kinds = ("",)  # how they failed, if they did, tells nothing apart
        window, baseline = window.of_one_kind(), baseline.of_one_kind()
    return cubes(
        names,
        [texts[place] for place in places],
        kinds,
        window.of_dimensions(places),
        baseline.of_dimensions(places),
    )


def of_rows(conn: Connection, question: Question, tell: Tell = nobody) -> Reading:
    """The cubes of rows that are there; what retention has removed is in neither."""
    wants_hours = question.end - question.start >= HOURS_FROM_US
    is_by_hour = wants_hours and not is_above(conn, question, MAX_BY_HOUR)
    reader = RowReader(conn, question.sides, with_hour=is_by_hour)
    window = reader.read(question.start, question.end, lambda done, of: part(tell, done, 2 * of))
    baseline = reader.read(
        question.baseline_start, question.start, lambda done, of: part(tell, of + done, 2 * of)
    )
    made = _cubes(question, reader.texts, window.lines, baseline.lines)
    return Reading(
        question=question,
        window=made[0],
        baseline=made[1],
        strip=strip.of_rows(conn, question),
        hourly=None,
        grain="rows",
        is_whole_hours=False,
        repeats=window.repeats,
        is_by_hour=is_by_hour,
        wants_hours=wants_hours,
        lacks_rows=counted.is_removed(conn, question.baseline_start, question.end),
    )
