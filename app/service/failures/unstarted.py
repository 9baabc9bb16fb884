"""Tasks that failed without an attempt: they waited too long, and their group counts tasks."""

from collections.abc import Iterable
from typing import Final

from app.domain.records import FailureGroupRecord
from app.service.failures.notice import EXPIRED
from app.service.failures.reading import Read
from app.store import failure_counts
from app.store.database import Connection
from app.store.failure_counts import Told

#: Tasks of a group that are counted at most.
CAP: Final = 10_000


def add(conn: Connection, rows: Iterable[FailureGroupRecord], found: Read, told: Told) -> None:
    """Counts the tasks of groups that have no attempts; no worker, and no other value, had one."""
    if told.where:
        return
    for row in rows:
        if row.error_type == EXPIRED:
            _add(conn, row.fingerprint, found, told)


def _add(conn: Connection, fingerprint: str, found: Read, told: Told) -> None:
    window, sums = found.window, found.of(fingerprint, told)
    ends = failure_counts.ends_of_tasks(conn, fingerprint, (window.start, window.end), CAP)
    sums.count = len(ends)
    for at in ends:
        sums.bins[(at - window.bins_at) // window.bin_us] += 1
    found.groups[fingerprint] = sums
