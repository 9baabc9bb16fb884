"""Records of failures that have had their time: findings, events, deliveries, analyses.

Rows of tasks go by `walk`; what is told here is of no task.
"""

from collections.abc import Callable
from typing import Final

from app.config.settings import Settings
from app.service.core import Core
from app.service.retention.rules import DAY_US
from app.store import old_records
from app.store.database import Connection
from app.store.old_records import Kind

#: Rows that one transaction removes at most.
BATCH: Final = 500


def days_of(settings: Settings) -> dict[Kind, float]:
    """For how many days each kind is kept once it is over; 0: for ever."""
    return {
        "deliveries": settings.keep_deliveries_d,
        "findings": settings.keep_findings_d,
        "system_events": settings.keep_system_events_d,
        "analyses": settings.keep_analyses_d,
    }


def sweep(core: Core, *, limit: int = BATCH) -> int:
    """Removes a batch of one kind, the oldest first; returns how many. Takes no lock for none."""
    days = days_of(core.settings)
    for kind in old_records.KINDS:
        if days[kind]:
            with core.database.read() as conn:
                before = core.database.now_us(conn) - round(days[kind] * DAY_US)
                ids = old_records.old(conn, kind, before=before, limit=limit)
            if ids:
                return core.database.run(_removal(kind, ids))
    return 0


def _removal(kind: Kind, ids: list[int]) -> Callable[[Connection], int]:
    def work(conn: Connection) -> int:
        if kind == "findings":
            old_records.remove_deliveries_of(conn, ids)
        return old_records.remove(conn, kind, ids)

    return work
