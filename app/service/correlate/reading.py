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
from app.domain.query.query import Query
from app.domain.query.value import Word
from app.domain.window import DAY_US, HOUR_US, ceil_to, cut, floor_to
from app.service.correlate import profiles
from app.service.correlate.cubes import Lines, cubes
from app.service.correlate.progress import Tell, nobody, part
from app.service.correlate.question import Question
from app.service.correlate.row_lines import RowReader
from app.service.correlate.selecting import holds, is_of_profiles
from app.store import attempt_cube, attempt_filter
from app.store.attempt_cube import Counts
from app.store.attempt_filter import Sides
from app.store.database import Connection, Database

#: Windows from which on hours of the day are told apart, and the attempts up to which they are.
HOURS_FROM_US: Final = 3 * DAY_US
MAX_BY_HOUR: Final = 500_000
#: Ids up to which numbers are added up in an array as long as the highest of them.
_DENSE: Final = 4_000_000

Grain = Literal["hour", "day", "rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Attempts of a window and of its past, by their values.

    Attributes:
        question: What was read: wider at its ends where rows are gone.
        window, baseline: Their cubes; "failed" is "selected". Repeats are in none.
        grain: What they were read from.
        is_whole_hours: Whether it is wider than asked for.
        repeats: Attempts of the window that were left out: the same text had failed so before.
        is_by_hour: Whether hours of the day are among the dimensions.
        wants_hours: Whether they would be, were there fewer attempts.
    """

    question: Question
    window: Cube
    baseline: Cube
    grain: Grain
    is_whole_hours: bool
    repeats: int
    is_by_hour: bool = False
    wants_hours: bool = False


def is_of_cube(question: Question) -> bool:
    """Whether the cube answers it; else rows must be read."""
    filters = (question.selection, question.within)
    return question.quantile is None and all(map(is_of_profiles, filters))


def read(database: Database, conn: Connection, question: Question, tell: Tell = nobody) -> Reading:
    """The cubes of a question, in the caller's snapshot.

    Args:
        database: Whose profiles this process may know.
        conn: Where to read.
        question: What is asked; not for the slowest: those are a filter by now.
        tell: Told how far it is.
    """
    if not is_of_cube(question):
        return _of_rows(conn, question, tell)
    told = told_window(conn, question)
    wants_hours = told.end - told.start >= HOURS_FROM_US
    window, baseline = _counts(conn, told, tell)
    is_by_hour = wants_hours and int(window.n.sum() + baseline.n.sum()) <= MAX_BY_HOUR
    if is_by_hour:
        window, baseline = _counts(conn, told, tell, by_hour=True)
    made = _of_profiles(database, conn, told, window, baseline)
    return Reading(
        question=told,
        window=made.window,
        baseline=made.baseline,
        grain="day" if told.is_long and not is_by_hour else "hour",
        is_whole_hours=told != question,
        repeats=made.repeats,
        is_by_hour=is_by_hour,
        wants_hours=wants_hours,
    )


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


def names_of(query: Query, *, with_hour: bool) -> tuple[str, ...]:
    """The dimensions that are looked at: what says which are selected explains nothing."""
    fixed = {term.name for term in query.terms}
    every = ROW_DIMENSIONS if with_hour else DIMENSIONS
    return tuple(name for name in every if name not in fixed)


def _counts(
    conn: Connection, told: Question, tell: Tell, *, by_hour: bool = False
) -> tuple[Counts, Counts]:
    window = _of_stretch(conn, told.start, told.end, by_hour=by_hour)
    part(tell, 1, 4)
    baseline = _of_stretch(conn, told.baseline_start, told.start, by_hour=by_hour)
    part(tell, 4, 4)
    return window, baseline


def _of_stretch(conn: Connection, start: int, end: int, *, by_hour: bool) -> Counts:
    """Attempts by profile (and hour of the day), each pair once."""
    pieces = cut(start, end)
    spans = pieces.spans
    if by_hour:
        spans = tuple(replace(span, grain="hour") for span in spans)
    found = [attempt_cube.of_span(conn, span, by_hour=by_hour) for span in spans]
    found += [
        attempt_cube.of_rows(conn, begin, before, by_hour=by_hour)
        for begin, before in pieces.ragged
    ]
    hours = [one.hours for one in found if one.hours is not None]
    ids = np.concatenate([np.zeros(0, np.int64), *(one.ids for one in found)])
    n = np.concatenate([np.zeros(0, np.int64), *(one.n for one in found)])
    if not by_hour:
        return _added_up(ids, n)
    sums = _added_up(ids * 24 + np.concatenate([np.zeros(0, np.int64), *hours]), n)
    return Counts(ids=sums.ids // 24, n=sums.n, hours=sums.ids % 24)


def _added_up(keys: Integers, n: Integers) -> Counts:
    """Numbers of the same key as one."""
    if len(keys) and int(keys.max()) < _DENSE:
        sums = np.bincount(keys, weights=n)
        found = np.flatnonzero(sums)
        return Counts(ids=found, n=sums[found].astype(np.int64))
    ids, places = np.unique(keys, return_inverse=True)
    sums = np.bincount(places, weights=n, minlength=len(ids))
    return Counts(ids=ids, n=sums.astype(np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cubes:
    window: Cube
    baseline: Cube
    repeats: int


def _of_profiles(
    database: Database, conn: Connection, told: Question, window: Counts, baseline: Counts
) -> _Cubes:
    """The cubes of what was counted by profile."""
    border = len(window.ids)
    coded = profiles.of_database(database).of(conn, np.concatenate([window.ids, baseline.ids]))
    codes, texts = coded.codes[:, :-1], list(coded.texts)
    if window.hours is not None and baseline.hours is not None:
        hours = np.concatenate([window.hours, baseline.hours])
        codes = np.column_stack([codes, hours])
        texts.insert(-1, [f"{hour:02}" for hour in range(24)])
    looked_at = holds(told.within, coded)
    is_selected = holds(told.selection, coded)
    every = Lines(
        codes=codes,
        failure=np.where(is_selected, coded.codes[:, -1], -1),
        n=np.concatenate([window.n, baseline.n]),
    )
    is_evidence = looked_at & ~coded.is_repeat
    is_of_window = np.arange(len(every.n)) < border
    left_out = looked_at & coded.is_repeat & is_of_window
    made = _cubes(
        told, texts, every.only(is_evidence & is_of_window), every.only(is_evidence & ~is_of_window)
    )
    return _Cubes(window=made[0], baseline=made[1], repeats=int(every.n[left_out].sum()))


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
    names = names_of(question.query, with_hour=len(texts) > len(DIMENSIONS) + 1)
    places = [ROW_DIMENSIONS.index(name) for name in names]
    kinds = texts[-1]
    if fingerprint_of(question.query) is not None:
        kinds = ("",)  # all failed the same way: it tells nothing apart
        window, baseline = window.of_one_kind(), baseline.of_one_kind()
    return cubes(
        names,
        [texts[place] for place in places],
        kinds,
        window.of_dimensions(places),
        baseline.of_dimensions(places),
    )


def fingerprint_of(query: Query) -> str | None:
    """The one fingerprint that a filter asks for; None where it asks for none, or for several."""
    for term in query.terms:
        if term.name == "fingerprint" and not term.is_negated and len(term.values) == 1:
            value = term.values[0]
            return value.text if isinstance(value, Word) else None
    return None


def _of_rows(conn: Connection, question: Question, tell: Tell) -> Reading:
    """The cubes of rows that are there; what retention has removed is in neither."""
    wants_hours = question.end - question.start >= HOURS_FROM_US
    is_by_hour = wants_hours and not is_above(conn, question, MAX_BY_HOUR)
    reader = RowReader(
        conn,
        within=question.within,
        selection=question.selection,
        now=question.end,
        with_hour=is_by_hour,
    )
    window = reader.read(question.start, question.end, lambda done, of: part(tell, done, 2 * of))
    baseline = reader.read(
        question.baseline_start, question.start, lambda done, of: part(tell, of + done, 2 * of)
    )
    made = _cubes(question, reader.texts, window.lines, baseline.lines)
    return Reading(
        question=question,
        window=made[0],
        baseline=made[1],
        grain="rows",
        is_whole_hours=False,
        repeats=window.repeats,
        is_by_hour=is_by_hour,
        wants_hours=wants_hours,
    )


def is_above(conn: Connection, question: Question, most: int) -> bool:
    """Whether more attempts than so many would be read, of the window and of its past."""
    sides = Sides(
        start=question.baseline_start,
        end=question.end,
        within=question.within,
        selection=question.selection,
        now_us=question.end,
    )
    return attempt_filter.count_up_to(conn, sides, most + 1) > most
