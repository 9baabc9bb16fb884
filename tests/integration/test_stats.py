"""Statistics of any window: equal to a recount of the rows, whatever they are cut into."""

from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.domain.errors import RequestError
from app.domain.query.match import name_matches
from app.domain.query.parse import parse
from app.domain.query.query import Query
from app.domain.sums import DIMENSIONS, Sums
from app.domain.window import HOUR_US, Window
from app.service.stats import stats_report
from app.service.stats.figures import QUANTILES
from app.service.stats.request import StatsRequest, check
from app.service.stats.stats_report import StatsReport
from app.store.database import Database
from tests.conftest import KINDS, database_url
from tests.support import recount
from tests.support.task_rows import INSERT, START_US, columns, empty

#: The moment of asking: every task that ended has ended before it.
NOW_US = START_US + 10 * HOUR_US + 1234
QUERIES = (
    "",
    "engine:tone",
    "-voice:a",
    'language:""',
    "worker:w*",
    "status:failed,completed",
    "engine:tone voice:a",
    "status:completed -language:en release:1.0",
    "status:pending",
)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    found = empty(database_url(request.param, tmp_path))
    yield found
    found.close()


moments = st.integers(START_US - 30 * HOUR_US, START_US + 9 * HOUR_US)


@st.composite
def requests(draw: st.DrawFn) -> StatsRequest:
    """A window, a filter, a dimension."""
    start = draw(st.one_of(st.none(), moments, st.just(START_US)))
    end = draw(st.one_of(st.none(), moments))
    if start is not None and end is not None and start >= end:
        start, end = end, start + 1
    return StatsRequest(
        window=Window(start=start, end=end),
        query=parse(draw(st.sampled_from(QUERIES))),
        by=draw(st.one_of(st.none(), st.sampled_from(DIMENSIONS))),
        is_exact=draw(st.booleans()),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(columns(), min_size=1, max_size=25),
    asked=st.lists(requests(), min_size=1, max_size=6),
)
def test_statistics_are_those_of_the_rows(
    database: Database, rows: list[dict[str, Any]], asked: list[StatsRequest]
) -> None:
    """Every sum, state and percentile of any window, filter and dimension is the recount's.

    The exact percentile is the row's; the other one is within 1 % of it. The filter that the answer
    names holds for exactly the tasks that were counted.
    """
    with database.write() as conn:
        for table in ("task", "stat_total", "stat_hist", "stat_period", "stat_cube"):
            conn.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - of this test
        conn.execute(INSERT, [{**row, "key": f"k{n}"} for n, row in enumerate(rows)])
        there = [dict(row) for row in conn.execute(text("SELECT * FROM task")).mappings()]
        for request in asked:
            check(request)
            _compare(stats_report.read(conn, request, NOW_US), request, there)


def _compare(report: StatsReport, request: StatsRequest, rows: list[dict[str, Any]]) -> None:
    mine = [row for row in rows if _is_asked_for(row, request)]
    assert _sums(mine) == {
        status: sums for status, sums in report.figures.by_status.items() if sums.n
    }
    _compare_durations(report, None, mine)
    assert {group.value for group in report.groups if group.figures.total} == {
        _value(row, request.by) for row in mine if request.by
    }
    for group in report.groups:
        part = [row for row in mine if _value(row, request.by) == group.value]
        assert _sums(part) == {k: v for k, v in group.figures.by_status.items() if v.n}
        _compare_durations(report, group.value, part)


def _value(row: dict[str, Any], dimension: str | None) -> str:
    name = "worker_name" if dimension == "worker" else dimension
    return row[name] or "" if name else ""


def _is_asked_for(row: dict[str, Any], request: StatsRequest) -> bool:
    start, end = request.window.start, request.window.end
    at = row["finished_at"]
    inside = (
        end is None if at is None else (start is None or at >= start) and (end is None or at < end)
    )
    return (
        inside
        and row["source"] != "canary"
        and all(
            name_matches(term, row["status"] if term.name == "status" else _value(row, term.name))
            for term in request.query.terms
        )
    )


def _sums(rows: list[dict[str, Any]]) -> dict[str, Sums]:
    found: dict[str, Sums] = {}
    for row in rows:
        found[row["status"]] = found.get(row["status"], Sums()) + recount.sums(row)
    return found


def _compare_durations(report: StatsReport, value: str | None, rows: list[dict[str, Any]]) -> None:
    figures = (
        report.figures
        if value is None
        else next(group.figures for group in report.groups if group.value == value)
    )
    done = [recount.sums(row) for row in rows if row["status"] == "completed"]
    assert bool(figures.durations) == bool(done)
    for measure, told in figures.durations.items():
        taken = sorted(getattr(sums, f"{measure}_ms") for sums in done)
        assert told.n == len(taken)
        assert told.mean_ms == pytest.approx(sum(taken) / len(taken))
        for name, share in QUANTILES.items():
            wanted = taken[max(1, ceil(share * len(taken))) - 1]
            if report.request.is_exact:
                assert told.quantiles[name] == wanted
            else:
                assert told.quantiles[name] == pytest.approx(wanted, rel=0.0101)


def test_what_is_not_kept_is_refused_with_what_is() -> None:
    """A filter or a dimension that no rollup knows, an empty window: said, with what is allowed."""
    for request, words in (
        (StatsRequest(query=parse("chars:>5")), "chars.*engine"),
        (StatsRequest(by="status"), "by 'status'.*engine"),
        (StatsRequest(window=Window(start=5, end=5)), "from must be before to"),
        (StatsRequest(query=Query(), by="x" * 99), "by 'x{40}'"),
    ):
        with pytest.raises(RequestError, match=words):
            check(request)
