"""The verdict and its duty: what is checked when, what it says, what it costs, what may go."""

import json

import pytest
from sqlalchemy import text

from app.domain.window import HOUR_US, floor_to
from app.duties.recount import WATCH_S, Recount
from app.service.core import Core
from app.service.recounts import rounds
from app.service.recounts.reconcile import reconcile
from app.service.recounts.verdict import SHOWN, STALE_US, Verdict, verdict
from app.service.stats.request import Asked
from app.service.stats.stats_report import stats
from app.store import recount_counters, recount_rows, retention
from tests.support import planted
from tests.support.home import Home
from tests.support.statements import plan, recorded
from tests.support.task_rows import START_US
from tests.support.wait import wait_until


@pytest.fixture
def core(any_home: Home) -> Core:
    """A core on each database, with one text."""
    with any_home.core.database.write() as conn:
        planted.put_text(conn)
    return any_home.core


def _read(core: Core, *, later_us: int = 0) -> Verdict:
    with core.database.read() as conn:
        return verdict(conn, core.database.now_us(conn) + later_us)


def _put(core: Core, *ended_at: int) -> None:
    """Tasks that ended at these moments."""
    with core.database.write() as conn:
        planted.put(conn, *({"submitted": at, "finished": at} for at in ended_at))


def _now(core: Core) -> int:
    with core.database.read() as conn:
        return core.database.now_us(conn)


def test_verdict_is_pending_until_every_closed_hour_was_counted(core: Core) -> None:
    """What waits is told, the newest hour is counted first, one at a time, then the totals."""
    assert (_read(core).state, _read(core).last_checked_at) == ("pending", None)
    hours = [START_US, START_US + HOUR_US, START_US + 5 * HOUR_US]
    _put(core, *hours, _now(core))
    duty = Recount(core, share=1, least_rest_s=0)
    for left in (2, 1, 0):
        duty.step()
        told = _read(core)
        assert (told.checked_count, told.waiting_count) == (3 - left, left)
        assert told.state == ("pending" if left else "ok")
        with core.database.read() as conn:
            checked = conn.execute(text("SELECT min(start) FROM stat_check")).scalar_one()
        assert checked == hours[left]
    assert json.loads(duty.state()) == {"checks": 3, "drifts": 0, "rounds": 0}
    duty.step()
    assert json.loads(duty.state())["checks"] == 4


def test_verdict_is_stale_once_nobody_looks(core: Core) -> None:
    """It tells its age, and half an hour after the last check it says nothing any more."""
    _put(core, START_US)
    reconcile(core)
    told = _read(core, later_us=60_000_000)
    assert told.state == "ok"
    assert told.age_us is not None
    assert told.age_us >= 60_000_000
    assert _read(core, later_us=STALE_US).state == "stale"


def test_duty_rests_as_its_share_asks(core: Core) -> None:
    """Of a hundredth of a core: after a check it rests a hundred times as long, a second at least.

    A turn in between does nothing and shows that it lives.
    """
    _put(core, START_US)
    duty = Recount(core)
    assert 1.0 <= duty.step() <= WATCH_S
    for _ in range(3):
        assert 0 < duty.step() <= WATCH_S
    assert json.loads(duty.state())["checks"] == 1


def test_duty_counts_an_hour_once_it_is_over(core: Core) -> None:
    """Not the hour that goes on, nor one that ended this minute: late commits may come."""
    now = _now(core)
    _put(core, now, now + 5 * HOUR_US, floor_to(now, HOUR_US) - HOUR_US)
    assert rounds.hours(core).going[0] >= floor_to(now, HOUR_US) - HOUR_US
    last = rounds.waiting(core)
    is_over = now - floor_to(now, HOUR_US) >= 120_000_000
    assert last == ([floor_to(now, HOUR_US) - HOUR_US] if is_over else [])


def hours_of(core: Core, *, again_us: int) -> list[int]:
    """The hours that a round counts anew."""
    found = [check().scope.start for check in rounds.one_round(core, again_us=again_us)]
    return [start for start in found if start is not None]


def test_round_leaves_out_what_was_just_counted(core: Core) -> None:
    """An hour is counted again after its time only, those that wait longest first."""
    _put(core, START_US, START_US + HOUR_US)
    reconcile(core)
    assert hours_of(core, again_us=3_600_000_000) == []
    assert hours_of(core, again_us=0) == [START_US, START_US + HOUR_US]


def test_row_deleted_by_hand_is_noted_and_no_drift(core: Core) -> None:
    """All-time numbers keep it, the ledger of retention knows nothing of it: told, not wrong."""
    _put(core, START_US, START_US + 1)
    with core.database.write() as conn:
        conn.execute(text("DELETE FROM task WHERE finished_at = :at"), {"at": START_US})
    found = reconcile(core)
    assert (found.is_equal, found.drifts) == (True, ())
    told = _read(core)
    assert (told.state, told.drifts) == ("ok", ())
    [note] = told.notes
    assert (note.place, note.expected, note.got) == ("archive", 0, 1)
    assert note.name == "all time removed completed beyond the ledger n"


def test_tasks_of_sure_hours_only_may_be_removed(core: Core) -> None:
    """Not of an hour with drift, of one without a recount, nor of the one that goes on."""
    now = _now(core)
    hours = [START_US, START_US + HOUR_US, floor_to(now, HOUR_US)]

    def sure() -> set[int]:
        with core.database.read() as conn:
            return retention.checked_hours(conn, hours)

    _put(core, START_US, START_US + HOUR_US, now)
    assert sure() == set()
    reconcile(core)
    assert sure() == set(hours[:2])
    with core.database.write() as conn:
        conn.execute(
            text("UPDATE stat_period SET n = 7 WHERE grain = 'hour' AND start = :at"),
            {"at": hours[1]},
        )
    reconcile(core)
    assert sure() == set(hours[:1])
    reconcile(core, rebuild=True)
    assert sure() == set(hours[:2])


def test_verdict_costs_the_same_however_many_hours(core: Core) -> None:
    """Two statements by keys; with 3 000 hours checked and much drift no table is read through."""
    with core.database.write() as conn:
        hours = [{"at": START_US + n * HOUR_US} for n in range(3000)]
        conn.execute(
            text(
                "INSERT INTO stat_check (start, checked_at, n, drift_count) VALUES (:at, 1, 1, 1)"
            ),
            hours,
        )
        conn.execute(
            text(
                "INSERT INTO stat_drift (found_at, start, place, name, expected, got)"
                " VALUES (1, :at, 'stat_cube', 'x', 1, 2)"
            ),
            hours,
        )
    rounds.check_totals(core)
    told = _read(core)
    assert (told.drift_count, len(told.drifts)) == (3000, SHOWN)
    if not core.database.is_sqlite:
        return
    with core.database.read() as conn:
        with recorded(conn.engine) as statements:
            verdict(conn, 1)
        lines = [line for sql, values in statements for line in plan(conn, sql, values)]
    assert len(statements) == 2
    # at most 64 shards of each status and state
    few = {"SCAN stat_total", "SCAN stat_text", "SCAN below"}
    assert {line for line in lines if line.startswith("SCAN")} - few == {"SCAN stat_drift"}
    assert "ORDER BY stat_drift.id" in statements[1][0]
    assert "LIMIT" in statements[1][0]


@pytest.mark.parametrize(
    ("damage", "place", "name"),
    [
        ("UPDATE stat_total SET n = -4", "stat_total", "at least 0: completed n"),
        (
            "UPDATE stat_text SET n = -4 WHERE state = 'completed'",
            "stat_text",
            "at least 0: completed n",
        ),
    ],
    ids=["tasks", "texts"],
)
def test_count_below_zero_is_drift_at_once(core: Core, damage: str, place: str, name: str) -> None:
    """Nobody need look for it: such a number is wrong whatever the rows say, and is named."""
    _put(core, START_US)
    reconcile(core)
    with core.database.write() as conn:
        conn.execute(text(damage))
    told = _read(core)
    assert (told.state, told.drift_count) == ("drift", 1)
    assert [(one.place, one.name, one.got) for one in told.drifts] == [(place, name, -4)]
    report = stats(core, Asked())
    assert (report.check.state, report.check.drift_count) == ("drift", 1)


def test_trigger_that_does_not_count_is_drift_within_seconds(core: Core) -> None:
    """The duty looks at triggers between all its checks, and while it rests, too."""
    _put(core, START_US)
    duty = Recount(core, share=0.0001, watch_s=0)
    for _ in range(3):
        assert duty.step() <= WATCH_S
    reconcile(core)
    assert _read(core).state == "ok"
    drop, wanted = "DROP TRIGGER tr_submission_insert", "tr_submission_insert fires"
    with core.database.write() as conn:
        conn.execute(text(drop if core.database.is_sqlite else f"{drop} ON submission"))
    duty.step()
    told = _read(core)
    assert (told.state, told.drift_count) == ("drift", 1)
    assert [(one.place, one.name) for one in told.drifts] == [("trigger", wanted)]
    at = told.last_checked_at
    duty.step()
    assert _read(core).last_checked_at == at
    assert reconcile(core, rebuild=True).is_equal
    duty.step()
    assert _read(core).state == "ok"


def test_hours_are_found_by_one_entry_each(home: Home) -> None:
    """The walk from hour to hour reads an index for each, no table is read through."""
    with home.core.database.read() as conn:
        with recorded(conn.engine) as statements:
            recount_rows.hours(conn, 0, 2**62)
            recount_counters.starts(conn, "stat_cube", "hour", 0, 2**62)
        lines = [line for sql, values in statements for line in plan(conn, sql, values)]
    of_tables = [line for line in lines if "task" in line or "stat_cube" in line]
    assert len(of_tables) == 4
    assert all(line.startswith("SEARCH") for line in of_tables), of_tables


def test_duties_process_counts_by_itself(home: Home) -> None:
    """An hour that is over, and the totals, soon after the duties have begun."""
    core = home.core
    with core.database.write() as conn:
        planted.put_text(conn)
    _put(core, START_US)
    home.start_duties()
    wait_until(lambda: _read(core).state == "ok", 60, what="the hour is counted")
    assert (_read(core).checked_count, _read(core).waiting_count) == (1, 0)
