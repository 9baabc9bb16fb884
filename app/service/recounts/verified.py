"""Until when everything that ended was counted anew and agreed: what may be removed."""

from app.domain.window import HOUR_US
from app.store import recount_results, recount_rows
from app.store.database import Connection

#: Later than every moment.
_EVER = 2**62


def verified_until(conn: Connection) -> int:
    """A moment: each task that ended before it did so in an hour without drift.

    The histograms of such an hour are kept, so that its percentiles outlive its rows. 0 where no
    task has ended. Reads an entry of an index for each hour that has rows.
    """
    agreed = {one.start for one in recount_results.hours(conn) if not one.drift_count}
    last = 0
    for start in recount_rows.hours(conn, 0, _EVER):
        if start not in agreed:
            return start
        last = start + HOUR_US
    return last
