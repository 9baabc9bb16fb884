"""What a search for causes reads: the cube says what the rows say, whatever is asked."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.domain.correlation.cube import Cube
from app.domain.window import HOUR_US
from app.service.correlate import reading, strip
from app.service.correlate.question import Question, asked
from app.service.correlate.ragged import Ragged
from app.service.correlate.reading import Reading
from app.store import attempt_cube
from app.store.database import Connection, Database
from tests.conftest import KINDS, database_url
from tests.support import attempt_rows
from tests.support.attempt_rows import DAY_US, NOW_US

if TYPE_CHECKING:
    from pathlib import Path

#: Windows of which an end lies within an hour, and such of which both are whole hours.
_WINDOWS = (
    (HOUR_US, 0, DAY_US),
    (5 * HOUR_US + 1, 7, DAY_US),
    (DAY_US // 2 + 60_000_123, 0, 2 * DAY_US),
    (600_000_000, 300_000_000, HOUR_US),
    (14 * HOUR_US, 2 * HOUR_US, 30 * HOUR_US),
)
_FILTERS = (
    ("", ""),
    ("outcome:failure", 'worker:w1,"w 3" -engine:tone'),
    ("fingerprint:v2:0000000000000001", "source:api,page"),
    ("outcome:failure -fingerprint:v2:000000000000000*", 'voice:""'),
    ("outcome:completed length:100-499,500-1999", 'language:""'),
    ("worker:w*", ""),
    ('engine:volc fingerprint:""', "outcome:completed,failure"),
)


@pytest.fixture(scope="module", params=KINDS)
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database with attempts of three days, of each kind."""
    path: Path = tmp_path_factory.mktemp("reading")
    found = Database(database_url(request.param, path), role="cli")
    with found.write() as conn:
        attempt_rows.populate(conn, count=700, seed=7)
    yield found
    found.close()


def _question(window: tuple[int, int, int], query: str, within: str) -> Question:
    length, ago, baseline = window
    end = NOW_US - ago
    found = asked({"query": query, "within": within}).at(NOW_US)
    start = end - length
    return replace(found, start=start, end=end, baseline_start=start - baseline)


def _cells(cube: Cube) -> Counter[tuple[str, ...]]:
    """Attempts by their values, and how they failed."""
    found: Counter[tuple[str, ...]] = Counter()
    for codes, failure, n in zip(
        cube.codes.tolist(), cube.failure.tolist(), cube.n.tolist(), strict=True
    ):
        values = (cube.values[place][code] for place, code in enumerate(codes))
        how = "-" if failure < 0 else f"!{cube.fingerprints[failure]}"
        found[*values, how] += n
    return found


def _both(database: Database, conn: Connection, question: Question) -> tuple[Reading, Reading]:
    assert reading.is_of_cube(question)
    return reading.read(database, conn, question), reading.of_rows(conn, question)


@pytest.mark.parametrize("window", _WINDOWS)
@pytest.mark.parametrize(("query", "within"), _FILTERS)
def test_cube_is_read_as_the_rows_are(
    database: Database, window: tuple[int, int, int], query: str, within: str
) -> None:
    """Both cubes, what was left out and the strip are those of the rows, for any ragged window."""
    question = _question(window, query, within)
    with database.read() as conn:
        cube, rows = _both(database, conn, question)
    assert cube.question == question
    assert cube.window.names == rows.window.names
    assert _cells(cube.window) == _cells(rows.window)
    assert _cells(cube.baseline) == _cells(rows.baseline)
    assert cube.repeats == rows.repeats
    assert (cube.grain, rows.grain) == ("hour", "rows")
    for side in (cube.window, cube.baseline):
        assert [sorted(values) for values in side.values] == [list(one) for one in side.values]
    assert all(one.at % cube.strip.step_us == 0 for one in cube.strip.bins[1:])
    told = sum(one.n for one in cube.strip.bins), sum(one.selected for one in cube.strip.bins)
    assert told == (cube.window.total, cube.window.failed)


def test_strip_of_hours_is_that_of_rows(database: Database) -> None:
    """Where the bins are whole hours they are told from the cube as the rows tell them."""
    question = _question((14 * HOUR_US, 2 * HOUR_US, DAY_US), "", "")
    with database.read() as conn:
        of_cube = reading.read(database, conn, question).strip
        of_rows = strip.of_rows(conn, question)
    assert of_cube.step_us == HOUR_US
    by_hour: Counter[int] = Counter()
    for one in of_rows.bins:
        by_hour[one.at - one.at % HOUR_US] += one.n
    assert dict(by_hour) == {one.at: one.n for one in of_cube.bins}


def test_profiles_of_another_backup_are_read_anew(database: Database) -> None:
    """What a process knows of profiles is dropped where their rows say something else."""
    question = _question((5 * HOUR_US, 0, DAY_US), "", "")
    with database.read() as conn:
        before = reading.read(database, conn, question).window
    with suppress(_UndoneError), database.write() as conn:
        conn.execute(text("UPDATE stat_profile SET worker = worker || ' of another'"))
        after = reading.read(database, conn, question).window
        raise _UndoneError
    with database.read() as conn:
        again = reading.read(database, conn, question).window
    place = before.names.index("worker")
    workers = before.values[place]
    assert after.values[place] == tuple(f"{worker} of another" for worker in workers)
    assert _cells(again) == _cells(before)


class _UndoneError(Exception):
    """Takes a transaction back."""


def test_hours_of_the_day_are_told_of_long_windows(database: Database) -> None:
    """A window of three days tells hours of the day apart, and as its rows do."""
    question = _question((3 * DAY_US, 0, 7 * DAY_US), "", "")
    with database.read() as conn:
        cube, rows = _both(database, conn, question)
    assert cube.is_by_hour
    assert cube.window.names[-1] == "hour"
    assert _cells(cube.window) == _cells(rows.window)
    assert _cells(cube.baseline) == _cells(rows.baseline)
    assert cube.window.total == sum(one.n for one in cube.strip.bins)


def test_day_grain_says_the_same(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long window of too many attempts for hours is read by days, and says what its rows do."""
    monkeypatch.setattr(reading, "MAX_BY_HOUR", 10)
    question = _question((3 * DAY_US, 0, 7 * DAY_US), "", "")
    with database.read() as conn:
        cube, rows = _both(database, conn, question)
    assert (cube.grain, cube.is_by_hour, cube.wants_hours) == ("day", False, True)
    assert _cells(cube.window) == _cells(rows.window)
    assert _cells(cube.baseline) == _cells(rows.baseline)


@pytest.mark.parametrize("query", ["", "worker:w*", "fingerprint:v2:0000000000000001"])
def test_workers_hour_by_hour_are_as_the_rows(database: Database, query: str) -> None:
    """A window of half a day or more has its workers by the hour, ragged ends too, no repeats."""
    with database.read() as conn:
        question = _question((DAY_US // 2 + 60_000_123, 11, DAY_US), query, "source:api,page")
        found = reading.read(database, conn, question).hourly
        _, of_rows = strip.of_workers(conn, question)
    assert found is not None
    wanted: Counter[tuple[str, int, str]] = Counter()
    for worker, bins in of_rows.items():
        for at, n, selected in bins:
            wanted[worker, at - at % HOUR_US, "n"] += n
            wanted[worker, at - at % HOUR_US, "selected"] += selected
    told: Counter[tuple[str, int, str]] = Counter()
    for place, worker in enumerate(found.workers):
        for hour, start in enumerate(found.starts.tolist()):
            told[worker, start, "n"] += int(found.n[place, hour])
            told[worker, start, "selected"] += int(found.selected[place, hour])
    assert +told == +wanted
    assert len(of_rows) > 1


@pytest.mark.parametrize("now", [NOW_US - 20 * 60_000_000, NOW_US + DAY_US])
def test_part_of_an_hour_is_its_rows_however_it_is_read(database: Database, now: int) -> None:
    """Read as rows, or as the hour less the rest, of the present hour too: the same numbers."""
    hour = NOW_US - NOW_US % HOUR_US - HOUR_US
    minutes = ((0, 7), (0, 53), (13, 60), (52, 60), (7, 11), (2, 58))
    with database.read() as conn:
        ends, total = Ragged(conn, now), 0
        for begin in range(hour - 12 * HOUR_US, hour + HOUR_US, 2 * HOUR_US):
            for low, high in minutes:
                start, end = begin + low * 60_000_000 + 1, begin + high * 60_000_000
                found, rows = ends.of(start, end), attempt_cube.of_rows(conn, start, end)
                told = dict(zip(found.ids.tolist(), found.n.tolist(), strict=True))
                assert told == dict(zip(rows.ids.tolist(), rows.n.tolist(), strict=True))
                total += int(rows.n.sum())
    assert total > 50
