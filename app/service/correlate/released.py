"""Findings that name a release, told by who runs it: since the moment from which it runs there.

A release is a time in disguise. On the workers that were started with it, all attempts from some
moment on have it, so that "voice amy with release 1.4.2" and "voice amy on worker w3, since 14:02"
are the same failures. The second says where to look and since when; the release is then what
changed at that moment. Where another release runs beside it on the same workers, nothing changes.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Found, Where
from app.domain.correlation.recounted import fits
from app.domain.correlation.scan import scan
from app.domain.query.query import Query
from app.service.correlate import links, looking
from app.service.correlate.looking import Place
from app.service.correlate.reading import Reading
from app.store import attempt_filter
from app.store.attempt_filter import Sides
from app.store.database import Connection

_RELEASE: Final = "release"
#: Attempts since the onset are the same where so large a part of them has the release.
_SAME_ROWS: Final = 0.95
#: Attempts that are counted at most.
_MANY: Final = 500_000


def instead(conn: Connection, place: Place, read: Reading, found: Sequence[Found]) -> list[Found]:
    """The findings, those that name a release as who runs it, where that is the same.

    Args:
        conn: The snapshot of the reading.
        place: Where they were found.
        read: What was scanned.
        found: What the scan says.
    """
    named = [one for one in found if _RELEASE in one.where]
    if not named or not place.has_rows:
        return list(found)
    apart = scan(_without_release(read.window), _without_release(read.baseline)).findings
    told: list[Found] = []
    for one in found:
        other = _told(conn, place, one, apart) if one in named else None
        told.append(one if other is None else other)
    return told


def _told(conn: Connection, place: Place, one: Found, apart: Sequence[Found]) -> Found | None:
    """The finding without its release; None where the two are not the same."""
    where = _by_worker(place.window, one)
    known = next((other for other in apart if _is(other, where, one.fingerprint)), None)
    if known is None:
        return None
    [since] = looking.onsets(conn, place, [known])
    if since is None:
        return None
    start = round(since.at)
    ran = _count(conn, place, known.where, start)
    with_it = _count(conn, place, {**known.where, _RELEASE: one.where[_RELEASE]}, start)
    if with_it < _SAME_ROWS * ran:
        return None
    others = [dict(one.where), *(other for other in known.indistinguishable if other != where)]
    return replace(known, indistinguishable=tuple(others))


def _is(other: Found, where: Where, fingerprint: str | None) -> bool:
    if other.fingerprint not in {None, fingerprint}:
        return False
    return other.where == where or where in other.indistinguishable


def _by_worker(window: Cube, one: Found) -> dict[str, str]:
    """The predicate with the worker, where all that failed ran on one, in the release's place."""
    where = {name: value for name, value in one.where.items() if name != _RELEASE}
    if "worker" in where or "worker" not in window.names:
        return where
    place = window.names.index("worker")
    failed = (window.failure >= 0) & fits(one.where, window)
    workers = np.unique(window.codes[failed, place])
    if workers.size != 1:
        return where
    return {"worker": window.values[place][int(workers[0])], **where}


def _count(conn: Connection, place: Place, where: Where, start: int) -> int:
    question = place.question
    sides = Sides(
        start=start,
        end=question.end,
        within=Query(terms=(*question.within.terms, *links.predicate(where).terms)),
        selection=question.selection,
        now_us=place.now,
    )
    return attempt_filter.count_up_to(conn, sides, _MANY)


def _without_release(cube: Cube) -> Cube:
    kept = [place for place, name in enumerate(cube.names) if name != _RELEASE]
    return replace(
        cube,
        names=tuple(cube.names[place] for place in kept),
        values=tuple(cube.values[place] for place in kept),
        codes=cube.codes[:, kept],
    )
