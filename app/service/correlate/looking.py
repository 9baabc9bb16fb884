"""What is known of findings beside their numbers: since when, what changed then, examples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Found, Onset
from app.domain.correlation.onset import onset
from app.domain.correlation.recounted import fits
from app.domain.query.query import Query, named
from app.domain.window import DAY_US
from app.service.core import Core
from app.service.correlate import boundary, exemplars, links, started
from app.service.correlate.answer import Finding
from app.service.correlate.exemplars import Wanted
from app.service.correlate.question import Question
from app.store import attempt_marks, failure_templates
from app.store.attempt_filter import Sides
from app.store.attempt_marks import Marked, Marks
from app.store.database import Connection

#: Longest stretch of which one statement reads the rows.
_SLICE_US: Final = 4 * DAY_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where findings were found.

    Attributes:
        question: What was looked at.
        window: Its cube.
        now: The moment.
        has_rows: Whether all attempts of the window have their rows still.
    """

    question: Question
    window: Cube
    now: int
    has_rows: bool


def look(core: Core, conn: Connection, place: Place, found: Sequence[Found]) -> list[Finding]:
    """The findings, each with all that is known of it."""
    if not found:
        return []
    groups = {one.fingerprint for one in found if one.fingerprint is not None}
    templates = failure_templates.of_groups(conn, sorted(groups)) if groups else {}
    began = onsets(conn, place, found)
    around = exemplars.nowhere()
    return [
        Finding(
            found=one,
            template=templates.get(one.fingerprint or ""),
            onset=since,
            boundary=boundary.nearest(conn, since, one.where) if since is not None else None,
            exemplars=exemplars.find(core, conn, _wanted(place, one, since), around),
        )
        for one, since in zip(found, began, strict=True)
    ]


def _wanted(place: Place, found: Found, since: Onset | None) -> Wanted:
    return Wanted(
        where=found.where,
        fingerprint=found.fingerprint,
        groups=_groups(place.window, found),
        onset_at=None if since is None else round(since.at),
        sides=_sides(place),
    )


def _sides(place: Place) -> Sides:
    question = place.question
    return Sides(
        start=question.start,
        end=question.end,
        within=question.within,
        selection=question.selection,
        now_us=place.now,
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


def onsets(conn: Connection, place: Place, found: Sequence[Found]) -> list[Onset | None]:
    """Since when each is so: from the rows, where all of them are there."""
    if not place.has_rows:
        return [None] * len(found)
    return [
        started.since(conn, place.question, one, mark) or onset_of(place.question, one, mark)
        for one, mark in zip(found, marks_of(conn, place, found), strict=True)
    ]


def marks_of(conn: Connection, place: Place, found: Sequence[Found]) -> list[Marks]:
    """When the attempts of each finding ended, and which of them are its cases."""
    wanted = [_marked(one) for one in found]
    sides = _sides(place)
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
    """Since when, by the attempts alone, in microseconds.

    It is reckoned from the window's start, so that no digit is lost.
    """
    start = question.start
    since = onset(
        (marks.at - start).astype(np.float64),
        marks.is_case,
        start=0.0,
        end=float(question.end - start),
        expected_rate=found.expected / max(found.n, 1),
    )
    if since is None:
        return None
    return replace(since, at=since.at + start, low=since.low + start, high=since.high + start)
