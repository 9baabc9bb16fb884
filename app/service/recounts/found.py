"""What a recount found in one snapshot, and where that is written down."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from app.domain.drift import Difference, Drift, Scope
from app.domain.errors import DatabaseBusyError
from app.domain.window import DAY_US, Span, floor_to
from app.service.core import Core
from app.service.recounts.latency import Written
from app.store import recount_latencies, recount_results
from app.store.database import Connection
from app.store.recount_results import CHECKED, DRIFT, NOTES, WAITING, CheckedHour

T = TypeVar("T")

#: Drifts of one check that are written down; all of an hour's are counted.
KEPT: Final = 50
#: Microseconds after its end from which an hour is closed: what ended in it has been committed.
GRACE_US: Final = 120_000_000
#: Waits for the lock, each as long as the database's own, before it is given up.
TRIES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is looked at is of this moment.

    Attributes:
        at: It is not before this.
        turn: How often counters had been mended.
        accepted: What differed and might: see `Drift.label`, and by how much.
    """

    at: int
    turn: int
    accepted: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a check reads from, and the moment that it reads."""

    conn: Connection
    moment: Moment


@contextmanager
def snapshot(core: Core) -> Iterator[Snapshot]:
    """One moment of rows and counters, which are equal in it if all is well."""
    with core.database.read() as conn:
        at = core.database.now_us(conn)
        accepted = ((one.name, one.got - one.expected) for one in recount_results.accepted(conn))
        moment = Moment(
            at=at, turn=recount_results.mended_count(conn), accepted=frozenset(accepted)
        )
        yield Snapshot(conn=conn, moment=moment)


def write(core: Core, work: Callable[[Connection], T]) -> T:
    """Runs `work` in a short transaction; patient where others hold the lock for long.

    Raises:
        DatabaseBusyError: They held it `TRIES` times in a row.
    """
    for _ in range(TRIES - 1):
        try:
            return core.database.run(work)
        except DatabaseBusyError:
            continue
    return core.database.run(work)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one check found.

    Attributes:
        moment: When; what was accepted then is no drift.
        n: Tasks (or texts) that were counted anew.
        requests, attempts: The same of requests and of attempts.
        empty: Tables that have cells of zeros,
        fixed: in the hour or the day that was looked at; of other tables: anywhere.
        is_closed_hour: Whether it is of an hour that is over.
        latencies: What is to be written of histograms.
    """

    scope: Scope
    moment: Moment
    differences: tuple[Difference, ...]
    n: int = 0
    requests: int = 0
    attempts: int = 0
    empty: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    is_closed_hour: bool = False
    latencies: Written | None = None
    drifts: tuple[Drift, ...] = field(init=False)

    def __post_init__(self) -> None:
        told = (one.drifts(self.scope.start) for one in self.differences)
        drifts = tuple(
            one
            for some in told
            for one in some
            if (one.label, one.got - one.expected) not in self.moment.accepted
        )
        object.__setattr__(self, "drifts", drifts)

    @property
    def drift_count(self) -> int:
        """How many numbers are wrong."""
        return sum(not one.is_note for one in self.drifts)


def keep(core: Core, found: Found, *, waiting_count: int | None = None) -> bool:
    """Writes down what was found, in one short transaction.

    Args:
        core: Where.
        found: What a check found.
        waiting_count: How many hours wait to be counted; None: as it was said last.

    Returns:
        Whether it is still true as far as is known: what differed before counters were mended may
        not, and of an hour a later moment may be known.
    """

    def work(conn: Connection) -> bool:
        is_old = bool(found.drifts) and recount_results.mended_count(conn) != found.moment.turn
        is_news = not is_old and _keep_hour(conn, found)
        if is_news:
            recount_results.forget_drift(conn, found.scope)
            recount_results.note_drift(conn, found.drifts[:KEPT], found.moment.at)
            _keep_latencies(conn, found.latencies)
        numbers = {
            CHECKED: recount_results.count_hours(conn),
            DRIFT: recount_results.count_drift(conn),
            NOTES: recount_results.count_notes(conn),
        }
        if waiting_count is not None:
            numbers[WAITING] = waiting_count
        recount_results.note_summary(conn, numbers, at=found.moment.at, by=core.actor)
        return is_news

    return write(core, work)


def _keep_hour(conn: Connection, found: Found) -> bool:
    start = found.scope.start
    if start is None or not found.is_closed_hour:
        return True
    hour = CheckedHour(
        start=start, checked_at=found.moment.at, n=found.n, drift_count=found.drift_count
    )
    return recount_results.note_hour(conn, hour)


def _keep_latencies(conn: Connection, written: Written | None) -> None:
    """Writes what was not kept; a day's are made anew, at its next look, out of its hours'."""
    if written is None or not written.fresh:
        return
    recount_latencies.lock(conn)
    if written.made_of is not None:
        hours = Span(grain="hour", start=written.start, end=written.start + DAY_US)
        if recount_latencies.of_span(conn, hours) != written.made_of:
            return
    recount_latencies.change(conn, written.grain, written.start, written.fresh)
    if written.grain == "hour":
        day = floor_to(written.start, DAY_US)
        recount_latencies.drop(conn, "day", day, written.fresh)
