"""The benchmark of statistics: what it fills in is counted right, and it leaves it as it was."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.service import presence
from app.store import trigger_state
from tests.bench.stats import fill, measure, place, sides
from tests.bench.stats.place import Filled, Place
from tests.bench.stats.sides import SIDES, Traces
from tests.bench.stats.timing import Effort
from tests.bench.stats.writer import Order, Writer
from tests.support import cube_rows, recount
from tests.support.postgres import shared_server

_COUNT = 1500


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def where(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """A place of its own, filled; each test leaves it as it was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, "ROOT", tmp_path_factory.mktemp("stats"))
        found = place.on_sqlite(_COUNT)
        if request.param == "postgres":
            found = Place(kind="postgres", count=_COUNT, url=shared_server().create_database())
        fill.ensure(found)
        yield found


@pytest.fixture
def filled(where: Place) -> Filled:
    """What the place holds."""
    found = place.known(where)
    assert found is not None
    return found


def _counted(where: Place) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What the rows say, and what the counters say; of tasks and requests, and of attempts."""
    core = where.core()
    try:
        with core.database.read() as conn:
            return (
                (recount.from_rows(conn), cube_rows.from_rows(conn)),
                (recount.kept(conn), cube_rows.kept(conn)),
            )
    finally:
        core.database.close()


def test_fill_is_counted_right_by_the_triggers(where: Place, filled: Filled) -> None:
    """Every counter says what the rows say; every status is there, and a second run keeps it."""
    from_rows, kept = _counted(where)
    assert from_rows == kept
    of_tasks, of_attempts = from_rows
    assert {status for _, status in of_tasks["stat_total"]} == {
        "pending", "processing", "completed", "failed", "timeout", "cancelled",
    }  # fmt: skip
    assert sum(sums.n for sums in of_tasks["stat_total"].values()) <= _COUNT
    assert len({key[-2] for key in of_attempts}) > 20
    assert {key[-1] for key in of_attempts} == {0, 1}
    assert fill.ensure(where) == filled


def test_answers_are_what_the_rows_say(where: Place, filled: Filled) -> None:
    """Each measured answer is compared with SQL over the rows; a wrong one fails the benchmark."""
    once = Effort(calls=1, seconds=0, warm=0)
    # without kept histograms each hour of ninety days is counted: seconds, and nothing new
    rows = measure.measure(where, filled, once, is_chosen=lambda name: "90 d" not in name)
    assert {row["equal"] for row in rows.values()} == {"yes"}


def test_wrong_answer_fails_it(where: Place, filled: Filled) -> None:
    """A counter that was changed by hand is found, and the answer that it spoils is named."""
    once = Effort(calls=1, seconds=0, warm=0)
    _add_to_failed(where, 1)
    with pytest.raises(measure.WrongError, match=r"report, all time: expected .'failed'"):
        measure.measure(where, filled, once, is_chosen=lambda name: name == "report, all time")
    _add_to_failed(where, -1)


def _add_to_failed(where: Place, n: int) -> None:
    core = where.core()
    with core.database.write() as conn:
        conn.execute(
            text("UPDATE stat_total SET n = n + :n WHERE status = 'failed' AND shard ="
                 " (SELECT min(shard) FROM stat_total WHERE status = 'failed')"), {"n": n},
        )  # fmt: skip
    core.database.close()


def test_writes_are_taken_away_again(where: Place) -> None:
    """After rounds with and without triggers, by both ways, the counters are those of before."""
    before = _counted(where)
    core = where.core("migrate")
    worker_id = presence.register(core, pid=1)
    traces = Traces(core.database)
    writer = Writer(core, 0, worker_id)
    for side in SIDES:
        sides.switch(core.database, side)
        with traces.of(side):
            for way in ("statements", "services", "attempts"):
                took = writer.run(Order(way=way, tasks=2))
                assert {len(times) for times in took.steps_s.values()} == {2}
    traces.remove([worker_id])
    with core.database.read() as conn:
        assert trigger_state.faults(conn) == {}
    core.database.close()
    assert _counted(where) == before
