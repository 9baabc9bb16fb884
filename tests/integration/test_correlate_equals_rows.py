"""While rows are kept, the answer from the cube is that of the same rows in a file."""

import io
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.correlation import answering as of_file
from app.domain.correlation.found import Found, Onset
from app.domain.correlation.rows import read
from app.domain.correlation.scan import scan
from app.service.correlate import looking, reading
from app.service.correlate.cubes import telling
from app.service.correlate.looking import Place
from app.service.correlate.question import Question
from app.store.database import Database
from tests.conftest import KINDS, database_url
from tests.support import attempt_csv, caused_failures
from tests.support.caused_failures import DAY_US, HOUR_US, NOW_US, ONSET_US, Numbers

if TYPE_CHECKING:
    from pathlib import Path

_MINUTE_US = 60_000_000


@pytest.fixture(scope="module", params=KINDS)
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database with a cause among its attempts, of each kind."""
    path: Path = tmp_path_factory.mktemp("equals")
    found = Database(database_url(request.param, path), role="cli")
    with found.write() as conn:
        caused_failures.fill(conn, Numbers(before=900, day=1500, last=300), seed=11)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("start", "end", "past"),
    [
        (NOW_US - HOUR_US, NOW_US, 7 * DAY_US),
        (NOW_US - DAY_US, NOW_US, 7 * DAY_US),
        (NOW_US - 47 * HOUR_US, NOW_US - 7, 3 * DAY_US + 1),
        (ONSET_US - 5 * _MINUTE_US, NOW_US - _MINUTE_US, DAY_US),
        (NOW_US - 3 * HOUR_US, ONSET_US, 2 * DAY_US),
    ],
)
def test_findings_are_those_of_the_rows_in_a_file(
    database: Database, start: int, end: int, past: int
) -> None:
    """The same findings with the same numbers, the same whole, the same onsets, for any window."""
    question = Question(start=start, end=end, baseline_start=start - past)
    with database.read() as conn:
        cube = reading.read(database, conn, question)
        found = scan(*telling(cube.window, cube.baseline))
        place = Place(question=question, window=cube.window, has_rows=True)
        marks = looking.marks_of(conn, place, found.findings) if found.findings else []
        rows = read(io.StringIO(attempt_csv.written(conn, question.baseline_start, end)))
    expected = of_file.answer(rows, start / 1_000_000)
    assert (cube.window.total, cube.window.failed) == (expected.n, expected.failed)
    assert cube.baseline.total == expected.baseline_n
    assert [_told(one) for one in found.findings] == [_told(one) for one in expected.scan.findings]
    assert _whole(found.overall) == _whole(expected.scan.overall)
    assert found.tests == expected.scan.tests
    onsets = map(partial(looking.onset_of, question), found.findings, marks)
    for mine, theirs in zip(onsets, expected.onsets, strict=True):
        assert _near(mine, theirs, slack_us=(end - start) // 100)
    assert bool(found.findings) == (end > ONSET_US + 10 * _MINUTE_US)


def _told(found: Found) -> dict[str, Any]:
    """A finding, as far as the order of adding up does not matter."""
    names = ("expected", "lift", "p", "q", "share")
    rounded = {name: f"{getattr(found, name):.9g}" for name in names}
    same = sorted(sorted(where.items()) for where in found.indistinguishable)
    return {
        **rounded,
        "where": dict(found.where),
        "fingerprint": found.fingerprint,
        "n": (found.n, found.observed, found.baseline_n, found.baseline_failed),
        "indistinguishable": same,
    }


def _whole(overall: Any) -> Any:
    return replace(overall, expected=f"{overall.expected:.9g}")


def _near(mine: Onset | None, theirs: Onset | None, *, slack_us: int) -> bool:
    """The rows of a file end with the last of them, a window where it was asked to."""
    if mine is None or theirs is None:
        return mine is theirs
    pairs = ((mine.at, theirs.at), (mine.low, theirs.low), (mine.high, theirs.high))
    return all(abs(one - other * 1_000_000) <= slack_us for one, other in pairs)
