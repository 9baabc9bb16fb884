"""Statistics after retention: the numbers of before, of whole hours, and said so."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from app.domain.histogram import MEASURES, Histogram, pack
from app.domain.query.parse import parse
from app.domain.window import DAY_US, HOUR_US, Window, floor_to
from app.service.recounts.reconcile import reconcile
from app.service.stats import series, stats_report
from app.service.stats.request import StatsRequest
from app.service.stats.stats_report import StatsReport
from app.store.database import Connection
from tests.conftest import KINDS, database_url
from tests.support.home import Home
from tests.support.task_rows import INSERT

#: A day of 2026, so that hours of one day and of the next are closed long ago.
DAY = 1_767_225_600_000_000
NOW = DAY + 5 * DAY_US


@pytest.fixture(scope="module", params=KINDS)
def home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """Some hundred tasks that ended over three days, counted anew once."""
    path = tmp_path_factory.mktemp("archive")
    with Home.make(path / "home", database_url(request.param, path)) as made:
        rng = random.Random(7)  # noqa: S311 - of this test
        with made.core.database.write() as conn:
            conn.execute(
                text(
                    "INSERT INTO text (title, content, char_count, content_hash, source,"
                    " created_at) VALUES ('t', 'c', 1, 'h', 'api', 0)"
                )
            )
            conn.execute(INSERT, [_row(rng, n) for n in range(400)])
        reconcile(made.core)
        yield made


@contextmanager
def _undone(home: Home) -> Iterator[Connection]:
    """A transaction whose changes are gone at its end."""
    with home.core.database.write() as conn:
        inner = conn.begin_nested()
        yield conn
        inner.rollback()


def _row(rng: random.Random, n: int) -> dict[str, object]:
    end = DAY + rng.randrange(3 * DAY_US)
    run = rng.randrange(1, 90_000_000)
    status = rng.choice(("completed", "completed", "completed", "failed", "timeout"))
    engine = rng.choice(("tone", "espeak"))
    return {
        "key": f"k{n}", "status": status, "engine": engine, "voice": f"{engine}-{rng.randrange(3)}",
        "language": rng.choice((None, "en", "zh")), "source": "api", "chars": rng.randrange(9000),
        "submitted": end - run - rng.randrange(60_000_000), "finished": end, "run": run,
        "attempt": 1, "worker": rng.choice(("w1", "w2")), "release": "1", "lost": 0, "late": None,
        "audio": 5000 if status == "completed" else None, "waits": 0, "waited": 0,
    }  # fmt: skip


WINDOWS = (
    Window(),
    Window(start=DAY, end=DAY + 2 * DAY_US),
    Window(start=DAY + 5 * HOUR_US, end=DAY + 41 * HOUR_US),
    Window(start=DAY + 30 * HOUR_US),
    Window(end=DAY + 31 * HOUR_US),
)
FILTERS = (
    ("", None),
    ("", "engine"),
    ("", "voice"),
    ("worker:w1", None),
    ("voice:tone*", "voice"),
    # of several dimensions, where a voice is of one engine
    ("engine:tone voice:*", None),
    ("engine:tone", "voice"),
    ("-voice:tone-1", "engine"),
)


def _all(conn: Connection) -> list[StatsReport]:
    return [
        stats_report.read(conn, StatsRequest(window=window, query=parse(query), by=by), NOW)
        for window in WINDOWS
        for query, by in FILTERS
    ]


def _shown(report: StatsReport) -> object:
    """All that may not change."""
    return (report.figures, tuple((one.value, one.figures) for one in report.groups))


def test_numbers_stay_when_rows_go(home: Home) -> None:
    """Sums, states and percentiles of all time and of whole hours are those of before.

    Whatever the filter of one dimension, and whether tasks are told apart; the removed ones are
    counted as archived.
    """
    with _undone(home) as conn:
        before = _all(conn)
        conn.execute(text("DELETE FROM task WHERE status = 'completed'"))
        after = _all(conn)
    for old, new in zip(before, after, strict=True):
        assert _shown(new) == _shown(old)
        assert new.archived == old.figures.n("completed") > 0
        assert not new.is_whole_hours
        assert not new.missing


def test_what_cannot_be_told_apart_any_more_is_left_out(home: Home) -> None:
    """Of dimensions that cross, no group's percentile is told once rows are gone, and it says why.

    Counts, sums and means stay; what is not told apart keeps its percentiles, and nothing is called
    exact that is not.
    """
    request = StatsRequest(query=parse("engine:tone"), by="worker", is_exact=True)
    undivided = StatsRequest(query=parse("engine:tone"))
    with _undone(home) as conn:
        before = stats_report.read(conn, request, NOW)
        whole = stats_report.read(conn, undivided, NOW).figures
        conn.execute(text("DELETE FROM task WHERE status = 'completed' AND id % 2 = 0"))
        after = stats_report.read(conn, request, NOW)
    assert not before.missing_in_groups
    assert 0 < after.missing_in_groups.removed <= after.archived
    assert not after.missing
    assert after.figures == whole
    for group in after.groups:
        assert group.figures.durations
        for durations in group.figures.durations.values():
            assert not durations.quantiles
            assert not durations.is_exact


def test_group_of_which_nothing_is_gone_keeps_its_percentiles(home: Home) -> None:
    """Rows of one worker are removed: the other's percentiles stay, and each point's of the series.

    A point of several hours has none of the worker of which an hour lacks.
    """
    request = StatsRequest(query=parse("engine:tone"), by="worker", window=Window(end=NOW))
    with _undone(home) as conn:
        before = stats_report.read(conn, request, NOW)
        days = series.read(conn, request, "day", NOW)
        gone = {"first": DAY + DAY_US, "last": DAY + 2 * DAY_US - 1}
        removed = conn.execute(
            text(
                "DELETE FROM task WHERE engine = 'tone' AND worker_name = 'w1'"
                " AND status = 'completed' AND finished_at BETWEEN :first AND :last"
            ),
            gone,
        ).rowcount
        after = stats_report.read(conn, request, NOW)
        left = series.read(conn, request, "day", NOW)
    # in some hours the worker had no other tasks
    assert 0 < after.missing_in_groups.removed < removed
    assert after.figures == before.figures
    old, new = ({one.value: one.figures for one in told.groups} for told in (before, after))
    assert new["w2"] == old["w2"]
    assert not new["w1"].durations["run"].quantiles
    assert left.missing_in_groups == after.missing_in_groups
    for was, now in zip(days.points, left.points, strict=True):
        assert now.figures == was.figures
        assert now.groups.get("w2") == was.groups.get("w2")
        assert (now.groups.get("w1") == was.groups.get("w1")) is (now.start != DAY + DAY_US)
    assert not left.points[1].groups["w1"].durations["run"].quantiles


@pytest.mark.parametrize(
    "harm",
    [b"\x00damaged", b"\x01damaged", pack({name: Histogram({0: 10_000}) for name in MEASURES})],
    ids=["other version", "no bytes of ours", "of other tasks"],
)
def test_damaged_histogram_is_not_believed(home: Home, harm: bytes) -> None:
    """Of what cannot be read, or is of other tasks than it says, the rows are read instead.

    Where those are gone the percentiles are missing, and the answer says so.
    """
    request = StatsRequest(window=Window(start=DAY, end=DAY + DAY_US), by="engine")
    with _undone(home) as conn:
        before = stats_report.read(conn, request, NOW)
        conn.execute(text("UPDATE stat_latency SET buckets = :harm"), {"harm": harm})
        from_rows = stats_report.read(conn, request, NOW)
        conn.execute(text("DELETE FROM task WHERE status = 'completed'"))
        after = stats_report.read(conn, request, NOW)
    assert _shown(from_rows) == _shown(before)
    assert after.missing.removed == after.figures.n("completed") > 0
    assert not after.figures.durations["run"].quantiles


def test_crossing_dimensions_are_told_from_rows(home: Home) -> None:
    """Each group of a filter by another dimension has the percentiles of a filter by both."""
    with _undone(home) as conn:
        request = StatsRequest(query=parse("engine:tone"), by="worker")
        report = stats_report.read(conn, request, NOW)
        for group in report.groups:
            query = parse(f"engine:tone worker:{group.value}")
            exact = StatsRequest(query=query, is_exact=True)
            told = stats_report.read(conn, exact, NOW).figures.durations["wait"]
            assert told.is_exact
            for name, value in told.quantiles.items():
                here = group.figures.durations["wait"].quantiles[name]
                assert here == pytest.approx(value, rel=0.0101)
    assert len(report.groups) == 2


def test_kept_histograms_are_those_of_the_rows(home: Home) -> None:
    """With the histograms of closed hours and without them: the same percentiles."""
    with _undone(home) as conn:
        kept = _all(conn)
        assert conn.execute(text("DELETE FROM stat_latency")).rowcount > 400
        from_rows = _all(conn)
    assert [_shown(one) for one in kept] == [_shown(one) for one in from_rows]


def test_histogram_of_other_tasks_is_not_believed(home: Home) -> None:
    """A task that ended later than its hour was counted: the rows are read instead."""
    window = Window(start=DAY, end=DAY + DAY_US)
    with _undone(home) as conn:
        rng = random.Random(8)  # noqa: S311 - of this test
        late = _row(rng, 1000) | {
            "status": "completed", "finished": DAY + HOUR_US + 5, "submitted": DAY,
            "run": 3_000_000_000, "audio": 1,
        }  # fmt: skip
        conn.execute(INSERT, late)
        report = stats_report.read(conn, StatsRequest(window=window), NOW)
        exact = stats_report.read(conn, StatsRequest(window=window, is_exact=True), NOW)
    assert report.figures.durations["run"].n == exact.figures.durations["run"].n
    for name, value in exact.figures.durations["run"].quantiles.items():
        assert report.figures.durations["run"].quantiles[name] == pytest.approx(value, rel=0.0101)


def test_ragged_window_of_removed_rows_is_told_in_whole_hours(home: Home) -> None:
    """Where rows of an end's hour are gone, the answer is wider and says so, and its filter too."""
    with _undone(home) as conn:
        finished = conn.execute(
            text("SELECT min(finished_at) FROM task WHERE status = 'completed'")
        ).scalar_one()
        hour = floor_to(finished, HOUR_US)
        window = Window(start=hour + 1, end=hour + 4 * HOUR_US)
        whole = Window(start=hour, end=hour + 4 * HOUR_US)
        assert not stats_report.read(conn, StatsRequest(window=window), NOW).is_whole_hours
        conn.execute(text("DELETE FROM task WHERE status = 'completed'"))
        told = stats_report.read(conn, StatsRequest(window=window, is_exact=True), NOW)
        wide = stats_report.read(conn, StatsRequest(window=whole), NOW)
    assert told.is_whole_hours
    assert told.window == whole
    assert _shown(told) == _shown(wide)
    assert str(told.query) == str(wide.query)


def test_hours_of_a_day_add_up_to_it(home: Home) -> None:
    """Series by hour and by day, and the report of the same window: the same sums."""
    window = Window(start=DAY, end=DAY + 3 * DAY_US)
    with home.core.database.read() as conn:
        request = StatsRequest(window=window, by="engine")
        hours = series.read(conn, request, "hour", NOW)
        days = series.read(conn, request, "day", NOW)
        whole = stats_report.read(conn, request, NOW)
    assert (len(hours.points), len(days.points)) == (72, 3)
    for n, day in enumerate(days.points):
        mine = hours.points[24 * n : 24 * (n + 1)]
        for status in ("completed", "failed", "timeout"):
            assert sum(point.figures.n(status) for point in mine) == day.figures.n(status)
            assert sum(
                point.groups["tone"].n(status) for point in mine if "tone" in point.groups
            ) == day.groups["tone"].n(status)
    assert sum(day.figures.ended.run_ms for day in days.points) == whole.figures.ended.run_ms


def test_series_of_many_years_has_points_of_several_days(home: Home) -> None:
    """From 1970 on, as after a task with a wrong clock: an answer, and nothing is lost."""
    request = StatsRequest(window=Window(start=0), by="engine")
    with home.core.database.read() as conn:
        told = series.read(conn, request, None, NOW)
        few = series.read(conn, request, None, NOW, most=100)
        whole = stats_report.read(conn, StatsRequest(by="engine"), NOW)
    assert (told.grain, told.days, few.days) == ("day", 9, 205)
    assert 90 < len(few.points) <= 100 < len(told.points) <= 2500
    for found in (told, few):
        assert sum(point.figures.ended.n for point in found.points) == whole.figures.ended.n
        assert found.points[-1].start + found.step_us >= (found.window.end or 0) > 0
        assert not found.missing
    [last] = [point for point in few.points if point.figures.ended.n]
    assert last.figures.durations == whole.figures.durations
    assert last.groups["tone"].durations == next(
        group.figures.durations for group in whole.groups if group.value == "tone"
    )


def test_hour_of_which_nothing_is_left_is_not_the_first(home: Home) -> None:
    """A task whose end was set right later leaves an empty cell: all time begins where tasks do."""
    with _undone(home) as conn:
        whole = stats_report.read(conn, StatsRequest(), NOW)
        early = "UPDATE task SET finished_at = finished_at - :us, submitted_at = submitted_at - :us"
        for us in (40 * 365 * DAY_US, -40 * 365 * DAY_US):
            conn.execute(text(f"{early} WHERE id = 7"), {"us": us})
        assert stats_report.read(conn, StatsRequest(), NOW).figures == whole.figures
        window = series.read(conn, StatsRequest(by="engine"), None, NOW).window
    assert window.start == DAY


def test_rate_of_a_young_service_is_from_its_first_task(home: Home) -> None:
    """All time begins with the end of the first task, not with its hour; where its row is gone so.

    A rate of a few minutes would be a tenth of what it is.
    """
    with _undone(home) as conn:
        first = conn.execute(text("SELECT min(finished_at) FROM task")).scalar_one()
        soon = first + HOUR_US
        for request in (StatsRequest(), StatsRequest(by="engine")):
            assert stats_report.read(conn, request, soon).figures.length_us == HOUR_US
        conn.execute(text("DELETE FROM task WHERE finished_at = :first"), {"first": first})
        assert stats_report.read(conn, StatsRequest(), soon).figures.length_us == (
            soon - floor_to(first, HOUR_US)
        )
