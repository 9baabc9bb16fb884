"""Ragged ends: attempts of a part of an hour, out of as few rows as that takes.

They are the rows of the part, or those that the cube counts in the whole hour less the rows of the
rest. An hour in which a window begins and its past ends is read once for both; of the present hour,
which ends with now, no row need be read. Of an hour of which rows were removed nobody asks for a
part.
"""

import numpy as np

from app.domain.correlation.cells import sums
from app.domain.correlation.cube import Integers
from app.domain.window import HOUR_US, Span, floor_to
from app.store import attempt_cube
from app.store.attempt_cube import Counts
from app.store.database import Connection


class Ragged:
    """Reads parts of hours, each once.

    Args:
        conn: Where to read.
        now: The moment; later than it hardly anything ended.
    """

    def __init__(self, conn: Connection, now: int) -> None:
        self.conn = conn
        self._now = now
        self._known: dict[tuple[int, int], Counts] = {}

    def of(self, start: int, end: int) -> Counts:
        """Attempts by profile of a part of an hour."""
        hour = floor_to(start, HOUR_US)
        rest = [
            (begin, before)
            for begin, before in ((hour, start), (end, hour + HOUR_US))
            if begin < before
        ]
        if self._length(rest) >= end - start:
            return self._rows(start, end)
        whole = attempt_cube.of_span(self.conn, Span(grain="hour", start=hour, end=hour + HOUR_US))
        others = [self._rows(begin, before) for begin, before in rest]
        ids, n = added_up(
            np.concatenate([whole.ids, *(one.ids for one in others)]),
            np.concatenate([whole.n, *(-one.n for one in others)]),
        )
        return Counts(ids=ids, n=n)

    def _length(self, parts: list[tuple[int, int]]) -> int:
        return sum(max(0, min(end, self._now) - start) for start, end in parts)

    def _rows(self, start: int, end: int) -> Counts:
        if (start, end) not in self._known:
            self._known[start, end] = attempt_cube.of_rows(self.conn, start, end)
        return self._known[start, end]


def added_up(keys: Integers, n: Integers) -> tuple[Integers, Integers]:
    """Each key once, and the sum of its numbers; without those of which nothing is left."""
    once, total = sums(keys, n.astype(np.float64), int(keys.max(initial=-1)) + 1)
    return once[total > 0], total[total > 0].astype(np.int64)
