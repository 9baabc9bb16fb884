"""What is known of findings beside their numbers: since when, what changed then, examples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Found, Onset
from app.domain.correlation.onset import onset
from app.domain.correlation.recounted import fits
from app.domain.query.query import Query, both, named
from app.domain.window import DAY_US
from app.service.core import Core
from app.service.correlate import boundary, exemplars, links, started
from app.service.correlate.answer import Finding
from app.service.correlate.exemplars import Wanted
from app.service.correlate.question import Question
from app.store import attempt_filter, attempt_marks, failure_templates
from app.store.attempt_marks import Marked, Marks
from app.store.database import Connection

#: Part of a finding's failures that ran on a worker whose change may have been what broke it.
_MOST_OF: Final = 0.8
#: Part of the window after whose passing a first attempt is told as such.
_LATE: Final = 0.05
#: Longest stretch of which one statement reads the rows.
_SLICE_US: Final = 4 * DAY_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where findings were found.

    Attributes:
        question: What was looked at.
        window: Its cube.
        has_rows: Whether all attempts of the window have their rows still.
    """

    question: Question
    window: Cube
    has_rows: bool


def look(core: Core, conn: Connection, place: Place, found: Sequence[Found]) -> list[Finding]:
    """The findings, each with all that is known of it."""
    if not found:
        return []
    groups = {one.fingerprint for one in found if one.fingerprint is not None}
    templates = failure_templates.of_groups(conn, sorted(groups)) if groups else {}
    began = _beginnings(conn, place, found)
    around = exemplars.nowhere()
    return [
        Finding(
            found=one,
            template=templates.get(one.fingerprint or ""),
            onset=since,
            first_at=first_at,
            boundary=_boundary(conn, place, one, since),
            exemplars=exemplars.find(core, conn, _wanted(place, one, since), around),
        )
        for one, (since, first_at) in zip(found, began, strict=True)
    ]


def _boundary(
    conn: Connection, place: Place, found: Found, since: Onset | None
) -> boundary.Boundary | None:
    if since is None:
        return None
    return boundary.nearest(conn, since, found.where, _ran_on(conn, place, found, since))


def _ran_on(conn: Connection, place: Place, found: Found, since: Onset) -> boundary.RanOn:
    """Whether most failures since then ran on a worker; they are counted once, when asked for."""

    @cache
    def counts() -> dict[str, int]:
        marked, sides = _marked(found), place.question.sides
        wanted = replace(
            sides,
            start=round(since.at),
            within=both(both(sides.within, marked.fits), links.NO_REPEATS),
            selection=both(sides.selection, marked.cases),
        )
        step_us = max(wanted.end - wanted.start, 1)
        return {
            worker: selected
            for worker, _, _, selected in attempt_filter.worker_bins(conn, wanted, step_us)
        }

    def is_most(worker: str) -> bool:
        return counts().get(worker, 0) >= _MOST_OF * max(sum(counts().values()), 1)

    return is_most


def _wanted(place: Place, found: Found, since: Onset | None) -> Wanted:
    return Wanted(
        where=found.where,
        fingerprint=found.fingerprint,
        groups=_groups(place.window, found),
        onset_at=None if since is None else round(since.at),
        sides=place.question.sides,
    )


def _groups(window: Cube, found: Found) -> list[str]:
    """Fingerprints of the finding's failures, the most frequent first."""
    failed = fits(found.where, window) & (window.failure >= 0)
    counts = np.bincount(
        window.failure[failed], weights=window.n[failed], minlength=len(window.fingerprints)
    )
    ranked = np.argsort(-counts, kind="stable")
    names = (window.fingerprints[code] for code in ranked.tolist() if counts[code])
    return [name for name in names if name]


def _beginnings(
    conn: Connection, place: Place, found: Sequence[Found]
) -> list[tuple[Onset | None, int | None]]:
    """Since when each is so, or its first attempt: from the rows, where all of them are there."""
    if not place.has_rows:
        return [(None, None)] * len(found)
    question, began = place.question, []
    for one, marks in zip(found, marks_of(conn, place, found), strict=True):
        since = started.since(conn, question, one, marks) or onset_of(question, one, marks)
        began.append((since, first_of(question, one, marks) if since is None else None))
    return began


def first_of(question: Question, found: Found, marks: Marks) -> int | None:
    """The first attempt, where there had been none before it; None: it ran all the window long."""
    if found.baseline_n or not marks.at.size:
        return None
    first = int(marks.at[0])
    return first if first - question.start > _LATE * (question.end - question.start) else None


def marks_of(conn: Connection, place: Place, found: Sequence[Found]) -> list[Marks]:
    """When the attempts of each finding ended, and which of them are its cases."""
    wanted = [_marked(one) for one in found]
    sides = place.question.sides
    parts = [
        attempt_marks.read(
            conn, replace(sides, start=begin, end=min(begin + _SLICE_US, sides.end)), wanted
        )
        for begin in range(sides.start, sides.end, _SLICE_US)
    ]
    return [
        Marks(
            at=np.concatenate([one.at for one in of_one]),
            is_case=np.concatenate([one.is_case for one in of_one]),
        )
        for of_one in zip(*parts, strict=True)
    ]


def _marked(found: Found) -> Marked:
    group = found.fingerprint
    cases = Query() if group is None else Query(terms=(named("fingerprint", group),))
    return Marked(fits=links.predicate(found.where), cases=cases)


def onset_of(question: Question, found: Found, marks: Marks) -> Onset | None:
    """Since when, by the attempts alone, in microseconds."""
    return onset(
        marks.at,
        marks.is_case,
        start=question.start,
        end=question.end,
        expected_rate=found.expected / max(found.n, 1),
    )
