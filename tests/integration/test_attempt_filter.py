"""The filter of attempts on real databases: conditions, cells, durations, as rows have them."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, example, given, settings
from sqlalchemy import select

from app.domain.correlation.dimensions import DIMENSIONS, ROW_DIMENSIONS
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.parse import parse
from app.domain.query.query import Query
from app.store import attempt_filter
from app.store.attempt_filter import Sides
from app.store.counted_attempts import COUNTED
from app.store.database import Database
from app.store.lists.attempts import BY_END
from app.store.lists.columns import table_by
from app.store.lists.terms import Asking
from tests.conftest import KINDS, database_url
from tests.support.attempt_rows import DAY_US, NOW_US, Listed, holds, listed, populate, value_of
from tests.support.queries import queries
from tests.support.statements import plan, recorded

START_US = NOW_US - 2 * DAY_US
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A database with attempts, and what is in it."""

    database: Database
    rows: Sequence[Listed]

    def of(self, sides: Sides) -> list[tuple[Listed, bool]]:
        """What is looked at, and whether it is selected."""
        return [
            (one, holds(sides.selection, one, sides.now_us))
            for one in self.rows
            if sides.start <= one.ended_at < sides.end and holds(sides.within, one, sides.now_us)
        ]


@pytest.fixture(scope="module", params=KINDS)
def table(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Table]:
    """Some attempts on each database."""
    url = database_url(request.param, tmp_path_factory.mktemp("attempts"))
    database = Database(url, role="web", pool_size=1)
    with database.write() as conn:
        populate(conn, count=150, seed=7)
        rows = list(listed(conn))
    yield Table(database=database, rows=rows)
    database.close()


def _sides(within: str = "", selection: str = "outcome:failure") -> Sides:
    return Sides(
        start=START_US,
        end=NOW_US - DAY_US // 2,
        within=parse(within, ATTEMPTS),
        selection=parse(selection, ATTEMPTS),
        now_us=NOW_US,
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=queries(ATTEMPTS))
@example(query=parse('worker:"",w1,"w 3" -voice:*,"" length:100-499,<100', ATTEMPTS))
@example(query=parse("hour:00,07,13 -hour:07", ATTEMPTS))
@example(query=parse('-outcome:failure is:late -fp:v2:* type:"" error:""', ATTEMPTS))
@example(query=parse('is:repeat 太短,"A_B" -engine:volc dur:>1m ended:2026-02-27', ATTEMPTS))
@example(query=parse(f"trace:{3:032x} task:>=2 attempt:1..2 -chars:<100", ATTEMPTS))
def test_any_filter_holds_for_what_it_says(table: Table, query: Query) -> None:
    """Each filter of attempts finds what a naive look at the rows finds, excluded ones too."""
    dialect = "sqlite" if table.database.is_sqlite else "postgresql"
    asking = Asking(dialect=dialect, now_us=NOW_US)
    statement = (
        select(*BY_END)
        .select_from(table_by("task_attempt", None, dialect))
        .where(COUNTED, *attempt_filter.conditions(query, asking))
    )
    with table.database.read() as conn:
        found = {tuple(row) for row in conn.execute(statement)}
    assert found == {one.key for one in table.rows if holds(query, one)}


@pytest.mark.parametrize(
    ("within", "selection"),
    [
        ("", "outcome:failure"),
        ("engine:tone,volc -worker:w1", "fp:v2:0000000000000001"),
        ("length:<100,100-499", "dur:>=3m outcome:completed"),
        ("", "-source:api"),
    ],
)
@pytest.mark.parametrize("with_hour", [False, True])
def test_cells_share_out_the_rows(
    table: Table, within: str, selection: str, *, with_hour: bool
) -> None:
    """Cells count each attempt of the window once: selected, or not, or a repeat, by its values."""
    sides = _sides(within, selection)
    names = ROW_DIMENSIONS if with_hour else DIMENSIONS
    expected: Counter[tuple[object, ...]] = Counter()
    for one, is_selected in table.of(sides):
        kind = "repeat" if one.row.is_repeat else is_selected
        values = tuple(value_of(name, one) for name in names)
        expected[values, one.row.fingerprint, kind] += 1
    with table.database.read() as conn:
        cells = attempt_filter.cells_of_rows(conn, sides, with_hour=with_hour)
    found = {
        (cell.values, cell.failure, kind): n
        for cell in cells
        for kind, n in ((True, cell.selected), (False, cell.others), ("repeat", cell.repeats))
        if n
    }
    assert found == dict(expected)
    assert len({(cell.values, cell.failure) for cell in cells}) == len(cells)


def test_moments_and_bins_are_those_of_the_rows(table: Table) -> None:
    """Moments come in order, without repeats; bins count all that ended in each step."""
    sides = _sides("-host:h2")
    rows = table.of(sides)
    with table.database.read() as conn:
        moments = attempt_filter.moments(conn, sides)
        bins = attempt_filter.bins(conn, sides, HOUR_US)
    assert sorted(moments) == sorted(
        (one.ended_at, is_selected) for one, is_selected in rows if not one.row.is_repeat
    )
    assert [at for at, _ in moments] == sorted(at for at, _ in moments)
    steps = Counter((one.ended_at - sides.start) // HOUR_US for one, _ in rows)
    selected = Counter((one.ended_at - sides.start) // HOUR_US for one, is_it in rows if is_it)
    assert bins == [(step, steps[step], selected[step]) for step in sorted(steps)]


@pytest.mark.parametrize("quantile", [0.01, 0.5, 0.95, 1.0])
def test_duration_is_the_exact_quantile(table: Table, quantile: float) -> None:
    """It is the least duration that so large a part of the completed attempts do not exceed."""
    sides = _sides("engine:tone")
    ran = sorted(one.dur_ms for one, _ in table.of(sides) if one.row.outcome == "completed")
    with table.database.read() as conn:
        found = attempt_filter.duration_ms(conn, sides, quantile)
        none = attempt_filter.duration_ms(conn, _sides("engine:nobody"), quantile)
    assert found == ran[math.ceil(quantile * len(ran)) - 1]
    assert none is None


def test_counting_stops_at_its_bound(table: Table) -> None:
    """Rows are counted up to a bound, those of a filter alone where there is one."""
    for within in ("", "engine:tone"):
        sides = _sides(within)
        n = len(table.of(sides))
        with table.database.read() as conn:
            assert attempt_filter.count_up_to(conn, sides, n + 5) == n
            assert attempt_filter.count_up_to(conn, sides, 3) == 3


def test_rows_are_read_by_the_index_of_ends(table: Table) -> None:
    """Whatever is asked of a window, its rows alone are read, by ix_task_attempt_ended."""
    sides = _sides("engine:tone")
    with table.database.read() as conn, recorded(conn.engine) as statements:
        attempt_filter.cells_of_rows(conn, sides)
        attempt_filter.count_up_to(conn, sides, 10)
        attempt_filter.moments(conn, sides)
        attempt_filter.bins(conn, sides, HOUR_US)
        attempt_filter.duration_ms(conn, sides, 0.9)
    sent = [(sql, values) for sql, values in statements if "task_attempt" in sql]
    assert len(sent) == 5
    with table.database.read() as conn:
        if not table.database.is_sqlite:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for sql, values in sent:
            told = "\n".join(plan(conn, sql, values))
            assert "ix_task_attempt_ended" in told, told
