"""Plans of what statistics read: nothing walks through the tasks, on either database."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from app.domain.query.parse import parse
from app.domain.window import HOUR_US, Window
from app.service import report
from app.service.stats import series, stats_report
from app.service.stats.request import StatsRequest
from tests.support.home import Home
from tests.support.service import spoken, start_worker, submitted
from tests.support.statements import recorded, walks


def _window(now: int) -> Window:
    """Ragged on both sides."""
    return Window(start=now - 30 * HOUR_US, end=now - 1)


READS: dict[str, Callable[[Connection, int], object]] = {
    "all time": lambda conn, now: stats_report.read(conn, StatsRequest(), now),
    "all time, exact": lambda conn, now: stats_report.read(conn, StatsRequest(is_exact=True), now),
    "all time by engine": lambda conn, now: stats_report.read(conn, StatsRequest(by="engine"), now),
    "a window": lambda conn, now: stats_report.read(conn, StatsRequest(window=_window(now)), now),
    "a window, exact, by worker": lambda conn, now: stats_report.read(
        conn, StatsRequest(window=_window(now), by="worker", is_exact=True), now
    ),
    "since, by filters": lambda conn, now: stats_report.read(
        conn,
        StatsRequest(window=Window(start=now - 90 * HOUR_US), query=parse("engine:tone -voice:z*")),
        now,
    ),
    "series": lambda conn, now: series.read(
        conn, StatsRequest(window=_window(now), by="engine"), None, now
    ),
}


@pytest.mark.parametrize("name", READS)
def test_statistics_walk_through_no_task(any_home: Home, name: str) -> None:
    """Every statement on `task` seeks in an index, or walks through what waits or runs."""
    core = any_home.core
    start_worker(core)
    spoken(core, "One.")
    submitted(core, "It waits.")
    with core.database.write() as conn:
        _check(conn, lambda: READS[name](conn, core.database.now_us(conn)))


def test_monitor_and_old_statistics_walk_through_no_task(any_home: Home) -> None:
    """GET /api/monitor/stats and the monitor: the same."""
    core = any_home.core
    start_worker(core)
    submitted(core, "It waits.")
    with core.database.write() as conn, recorded(conn.engine) as statements:
        report.stats(core)
        report.monitor(core, outbox=None, exports=False)
    assert statements
    with core.database.write() as conn:
        for sql, values in statements:
            assert not (sql.startswith("SELECT") and walks(conn, sql, values)), sql


def _check(conn: Connection, read: Callable[[], object]) -> None:
    with recorded(conn.engine) as statements:
        read()
    assert statements
    for sql, values in statements:
        assert not (sql.startswith("SELECT") and walks(conn, sql, values)), sql
