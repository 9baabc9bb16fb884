"""What is to be looked at: hours that wait for their first look, and rounds over everything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from app.domain.window import DAY_US, EVER_US, HOUR_US, floor_to
from app.service.core import Core
from app.service.recounts import all_time, histogram, texts, totals
from app.service.recounts.found import GRACE_US, Found
from app.service.recounts.work import check, check_day, check_hour
from app.store import recount_counters, recount_results, recount_rows
from app.store.database import Connection

#: Texts up to which a round counts them too; more are counted on demand only.
FEW_TEXTS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours that have rows or counters.

    Attributes:
        closed: Those that are over, the newest first.
        going: Those that go on, or lie ahead by this clock.
        waiting: Closed ones that were never counted anew, the newest first.
        checked_at: When each of the others was.
        days: Those that they are of, and days that have counters and no hour, the newest first.
    """

    closed: tuple[int, ...]
    going: tuple[int, ...]
    waiting: tuple[int, ...]
    checked_at: dict[int, int]
    days: tuple[int, ...]


def hours(core: Core, *, since: int = 0) -> Hours:
    """The hours from a moment on; one entry of an index is read for each of them and each table."""
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        found = _with_data(conn, floor_to(since, HOUR_US))
        days = _days_with_counters(conn, floor_to(since, DAY_US))
        known = {one.start: one.checked_at for one in recount_results.hours(conn)}
    end = floor_to(now - GRACE_US, HOUR_US)
    closed = tuple(sorted((start for start in found if start < end), reverse=True))
    return Hours(
        closed=closed,
        going=tuple(sorted(start for start in found if start >= end)),
        waiting=tuple(start for start in closed if start not in known),
        checked_at=known,
        days=tuple(sorted(days | {floor_to(start, DAY_US) for start in found}, reverse=True)),
    )


def _with_data(conn: Connection, since: int) -> set[int]:
    found = {
        *recount_rows.hours(conn, since, EVER_US),
        *recount_rows.request_hours(conn, since, EVER_US),
        *recount_rows.attempt_hours(conn, since, EVER_US),
    }
    for table in recount_counters.BY_TIME:
        found.update(recount_counters.starts(conn, table, "hour", since, EVER_US))
    return found | {start for start in recount_results.drifting_hours(conn) if start >= since}


def _days_with_counters(conn: Connection, since: int) -> set[int]:
    """Also of a day without an hour: what it says would be taken for true in what sums it up."""
    return {
        start
        for table in recount_counters.BY_TIME
        for start in recount_counters.starts(conn, table, "day", since, EVER_US)
    }


def waiting(core: Core) -> list[int]:
    """Closed hours that were never counted anew, the newest first.

    Those in which tasks or attempts ended or requests were made.
    """
    with core.database.read() as conn:
        end = floor_to(core.database.now_us(conn) - GRACE_US, HOUR_US)
        found = {
            *recount_rows.hours(conn, 0, end),
            *recount_rows.request_hours(conn, 0, end),
            *recount_rows.attempt_hours(conn, 0, end),
            *recount_counters.starts(conn, "stat_period", "hour", 0, end),
        }
        return sorted(found - recount_results.checked_among(conn, 0, end), reverse=True)


def one_round(core: Core, *, again_us: int) -> Iterator[Callable[[], Found]]:
    """Checks of everything, the one after the other: hours, days, all time, histograms, texts.

    Args:
        core: Where.
        again_us: Hours that were counted anew within this time are left out.
    """
    found = hours(core)
    with core.database.read() as conn:
        late = core.database.now_us(conn) - again_us
    for start in sorted(found.closed, key=lambda start: found.checked_at.get(start, 0)):
        if found.checked_at.get(start, 0) <= late:
            yield partial(check_hour, core, start)
    for start in found.days:
        yield partial(check_day, core, start)
    for archived, status in all_time.PARTS:
        yield partial(check, core, partial(all_time.look, archived=archived, status=status))
    for part in histogram.parts(core):
        yield partial(check, core, partial(histogram.look, part=part))
    if texts.count(core) <= FEW_TEXTS:
        yield partial(check, core, texts.look)
        yield partial(check, core, texts.look_at_states)


def check_totals(core: Core) -> Found:
    """The cheap checks, which are done between all others."""
    return check(core, totals.look)


def watch_triggers(core: Core) -> Found | None:
    """Whether each trigger counts, written down where that is news."""
    return totals.watch(core)
