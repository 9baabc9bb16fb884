"""Exact percentiles: the rank from the histogram, then the one row that has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.histogram import HIGHEST_MS, PLACES, Histogram, Rank
from app.domain.window import Window
from app.service.stats.faults import fault
from app.store import latencies
from app.store.database import Connection

#: Rows that the exact percentiles of one answer may walk over, in the index alone.
MAX_WALK: Final = 3_000_000
#: As many of those cost as much as one that is looked at, for its window or its values.
_LOOKED_AT: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Completed tasks of one value: which they are.

    Attributes:
        n: Tasks of the window, of whatever status, whose rows would be walked.
        only: Allowed values by dimension.
    """

    n: int
    only: Mapping[str, Sequence[str]]


class ExactReader:
    """Finds exact percentiles in the caller's snapshot.

    Args:
        conn: Where to read.
        window: Which tasks.
        now: The present moment.
        histograms: Of all time, by measure.
    """

    def __init__(
        self, conn: Connection, window: Window, now: int, histograms: Mapping[str, Histogram]
    ) -> None:
        self._conn = conn
        self._ended = None if window.is_all else window.reach(now)
        self._all = histograms
        self._left = MAX_WALK

    def value(self, group: Group, measure: str, rank: Rank) -> int | None:
        """The duration that has this rank, in milliseconds.

        Raises:
            AskedError: Too many rows would have to be walked.
        """
        in_bucket = self._all[measure].counts.get(PLACES[rank.low_ms], 0)
        by_window = self._ended is not None and group.n < in_bucket
        is_index_alone = not (by_window or group.only or self._ended)
        self._take(rank.n if is_index_alone else _LOOKED_AT * (group.n if by_window else in_bucket))
        return self._nth(group, measure, rank, by_window=by_window)

    def _nth(self, group: Group, measure: str, rank: Rank, *, by_window: bool) -> int | None:
        return latencies.nth(
            self._conn,
            measure,
            low_ms=rank.low_ms,
            high_ms=rank.high_ms if rank.high_ms is not None else HIGHEST_MS * 1000,
            n=rank.n,
            ended=self._ended,
            by_window=by_window,
            only=dict(group.only),
        )

    def _take(self, n: int) -> None:
        self._left -= n
        if self._left < 0:
            raise fault(reason="walk", most=MAX_WALK)
