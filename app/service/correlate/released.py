"""Findings that name a release, with the worker that ran it, where only one did.

"Voice amy with release 1.4.2" and "voice amy on worker w3 with release 1.4.2" are then the same
attempts, and the second says where to look. Numbers of the window stay: they are of the same
attempts; those of the past are the worker's.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Found
from app.domain.correlation.recounted import fits, with_past_of

_RELEASE: Final = "release"
_WORKER: Final = "worker"
#: Values that a predicate names at most.
_MOST: Final = 3


def with_worker(window: Cube, baseline: Cube, found: Sequence[Found]) -> list[Found]:
    """The findings; those of a release that one worker ran name it, too."""
    return [_told(window, baseline, one) if _RELEASE in one.where else one for one in found]


def _told(window: Cube, baseline: Cube, one: Found) -> Found:
    if _WORKER in one.where or _WORKER not in window.names or len(one.where) >= _MOST:
        return one
    place = window.names.index(_WORKER)
    workers = np.unique(window.codes[fits(one.where, window), place])
    if workers.size != 1:
        return one
    where = {_WORKER: window.values[place][int(workers[0])], **one.where}
    others = tuple(other for other in one.indistinguishable if dict(other) != where)
    told = replace(one, where=where, indistinguishable=(dict(one.where), *others))
    return with_past_of(told, baseline)
