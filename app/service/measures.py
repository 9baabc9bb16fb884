"""Measures: the numbers of the whole service out of its tables, the same whoever asks.

Every process reads the same rows, so that no number depends on which one is asked, nor on how many
there are. The cost does not grow with the tasks: totals, what runs now, a few rows of each kind.
"""

import threading
from collections.abc import Iterable

from app import clock
from app.domain.records import DutyRecord
from app.service import limits, report
from app.service.canaries.canary import KEPT
from app.service.core import Core
from app.service.measure_rows import Rows, samples_of
from app.service.recounts.verdict import verdict
from app.service.report import WorkerView
from app.service.task_view import is_alive
from app.service.watch import OutboxGauge
from app.store import (
    canaries,
    counts,
    duties,
    findings,
    reports,
    totals,
    webhook_deliveries,
    workers,
)
from app.store.database import Connection
from app.store.totals import Total
from telemetry.outbox import OutboxState
from telemetry.samples import Sample

#: Seconds for which what was read is told again: no scraper can hurt.
KEPT_S = 1.0


class Measures:
    """The measures of the service, read at most once a second by this process.

    Args:
        core: Where to read.
        outbox: Measures the span outbox, at most every few seconds (its cost grows with its rows).
        exports: Whether a collector is set, so that there is a forwarder to tell of.
    """

    def __init__(self, core: Core, outbox: OutboxGauge, *, exports: bool) -> None:
        self._core = core
        self._outbox = outbox
        self._exports = exports
        self._lock = threading.Lock()
        self._kept: list[Sample] = []
        self._until_s = 0.0

    def read(self) -> list[Sample]:
        """The samples, a second old at most (those of the outbox: five).

        Raises:
            StoreError: The database cannot be read.
        """
        with self._lock:
            if clock.monotonic_s() >= self._until_s:
                self._kept = read(self._core, self._outbox.read(), exports=self._exports)
                self._until_s = clock.monotonic_s() + KEPT_S
            return self._kept


def read(core: Core, outbox: OutboxState | None, *, exports: bool) -> list[Sample]:
    """The samples of one snapshot.

    Args:
        core: Where to read.
        outbox: What lies in the span outbox.
        exports: Whether a collector is set.
    """
    with core.database.read() as conn:
        return samples_of(_rows(core, conn, outbox, exports=exports))


def _rows(core: Core, conn: Connection, outbox: OutboxState | None, *, exports: bool) -> Rows:
    now = core.database.now_us(conn)
    views = [
        WorkerView(worker=worker, is_alive=is_alive(worker, now), running=0)
        for worker in workers.live(conn)
    ]
    configured = limits.in_snapshot(core, conn).max_concurrent
    wants_canaries = core.settings.canary_min > 0
    found = totals.of_tasks(conn)
    return Rows(
        now=now,
        release=core.settings.release,
        statuses=_by_status(found),
        archived=_by_status([one for one in found if one.is_archived]),
        counted=counts.every(conn),
        oldest_waiting_at=reports.oldest_waiting(conn),
        slots=report.slots_of(configured, reports.processing(conn), views),
        workers=views,
        calls=counts.engine_calls(conn),
        duties=_wanted(core, duties.every(conn), exports=exports),
        recount=verdict(conn, now),
        canaries=canaries.latest(conn, KEPT) if wants_canaries else [],
        processes=counts.of_processes(conn),
        outbox=outbox,
        exports=exports,
        findings=findings.count_open(conn) if core.settings.watch_every_s else None,
        webhook=webhook_deliveries.waiting(conn) if core.settings.webhook_url else None,
    )


def _by_status(found: Iterable[Total]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for one in found:
        numbers[one.status] = numbers.get(one.status, 0) + one.sums.n
    return numbers


def _wanted(core: Core, found: list[DutyRecord], *, exports: bool) -> list[DutyRecord]:
    """The duties that run by today's settings: rows of others stay, and only grow old."""
    settings = core.settings
    optional = {
        "forwarder": exports,
        "metrics": exports,
        "look-up": settings.jaeger_url is not None,
        "canary": settings.canary_min > 0,
        "ping": settings.ping_url is not None,
        "watch": settings.watch_every_s > 0,
        "webhook": settings.webhook_url is not None,
    }
    return [duty for duty in found if optional.get(duty.name, True)]
