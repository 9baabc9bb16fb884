"""Findings that name a release, told by who runs it: since the moment from which it runs there.

A release is a time in disguise. On the workers that were started with it, all attempts from some
moment on have it, so that "voice amy with release 1.4.2" and "voice amy on worker w3, since 14:02"
are the same failures. The second says where to look and since when; the release is then what
changed at that moment, even where another one has replaced it since. Where two releases run side by
side on the same workers, nothing changes.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Found, Where
from app.domain.correlation.recounted import fits
from app.domain.query.query import both
from app.service.correlate import links, looking
from app.service.correlate.looking import Place
from app.store import attempt_filter
from app.store.attempt_filter import Sides
from app.store.database import Connection

_RELEASE: Final = "release"
#: From the onset to the release's last attempt, so large a part of the attempts must have it.
_SAME_ROWS: Final = 0.95
#: Attempts that are counted at most.
_MANY: Final = 500_000


def instead(conn: Connection, place: Place, found: Sequence[Found]) -> list[Found]:
    """The findings, those that name a release as who runs it, where that is the same.

    Their numbers are still those of the release: whoever tells them counts anew.

    Args:
        conn: The snapshot of the reading.
        place: Where they were found.
        found: What the scan says.
    """
    told: list[Found] = []
    for one in found:
        other = _told(conn, place, one) if _RELEASE in one.where and place.has_rows else None
        if other is None or not any(_is_same(other, before) for before in (*found, *told)):
            told.append(other or one)
    return told


def _is_same(one: Found, other: Found) -> bool:
    return one.where == other.where and one.fingerprint == other.fingerprint


def _told(conn: Connection, place: Place, one: Found) -> Found | None:
    """The finding without its release; None where the two are not the same."""
    where = _by_worker(place.window, one)
    if not where:
        return None
    others = tuple(other for other in one.indistinguishable if dict(other) != where)
    other = replace(one, where=where, indistinguishable=(dict(one.where), *others))
    [since] = looking.onsets(conn, place, [other])
    if since is None:
        return None
    ended = [at for at, _ in attempt_filter.moments(conn, _sides(place, one.where, since.at))]
    if not ended:
        return None
    ran = attempt_filter.count_up_to(
        conn, replace(_sides(place, where, since.at), end=ended[-1] + 1), _MANY
    )
    return other if len(ended) >= _SAME_ROWS * ran else None


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


def _sides(place: Place, where: Where, start: float) -> Sides:
    question = place.question
    return Sides(
        start=round(start),
        end=question.end,
        within=both(both(question.within, links.predicate(where)), links.NO_REPEATS),
        selection=question.selection,
        now_us=place.now,
    )
