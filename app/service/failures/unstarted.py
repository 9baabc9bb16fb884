"""Tasks that failed without an attempt: they waited too long, and their group counts tasks."""

from dataclasses import replace
from typing import Final

from app.service.failures.counting import Sums
from app.service.failures.reading import Read
from app.store import failure_counts
from app.store.database import Connection

#: The type of error of such tasks.
EXPIRED: Final = "queue_expired"
#: Tasks that are counted at most.
CAP: Final = 10_000


def sums(conn: Connection, fingerprint: str, found: Read, empty: Sums) -> Sums:
    """Tasks of the window in the place of attempts, the last `CAP` of them at most."""
    window = found.window
    bins = [0] * found.bin_count
    ends = failure_counts.ends_of_tasks(conn, fingerprint, window.start, CAP)
    ends = [at for at in ends if at < window.end]
    for at in ends:
        bins[min((at - window.bins_at) // window.bin_us, found.bin_count - 1)] += 1
    return replace(empty, count=len(ends), bins=bins)
