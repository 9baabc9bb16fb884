"""What was removed is in no row: counters that say the same mend each other, or nobody can."""

# ruff: noqa: S608 - statements of this module

import pytest
from sqlalchemy import text

from app.service.core import Core
from app.service.health import HealthProbe
from app.service.recounts.reconcile import reconcile
from app.service.recounts.verdict import verdict
from tests.support import planted, recount
from tests.support.home import Home
from tests.support.task_rows import HOUR_US, START_US

_DAY = f"grain = 'day' AND start = {START_US}"
_HOUR = f"grain = 'hour' AND start = {START_US}"
_NEXT = f"grain = 'hour' AND start = {START_US + HOUR_US}"
_FIRST = f"run_us = 1000000 AND finished_at < {START_US + HOUR_US}"
_V0 = "archived = 1 AND status = 'completed' AND voice = 'v0'"
_V1 = _V0.replace("v0", "v1")
#: What two others agree on; each alone.
_MENDED = (
    "DELETE FROM stat_period WHERE archived = 1",
    f"DELETE FROM stat_period WHERE archived = 1 AND {_HOUR}",
    "DELETE FROM stat_total WHERE archived = 1",
    "UPDATE stat_total SET run_ms = run_ms - 9 WHERE archived = 1",
    f"UPDATE stat_cube SET n = n + 1, run_ms = run_ms + 7 WHERE {_V0} AND {_HOUR}",
    f"DELETE FROM stat_cube WHERE archived = 1 AND {_HOUR}",
    f"UPDATE stat_cube SET n = n + 1 WHERE {_V0} AND {_DAY}",
    f"DELETE FROM stat_cube WHERE archived = 1 AND {_DAY}",
    "UPDATE stat_cube SET n = n - 1 WHERE archived = 1 AND grain = 'all' AND voice = 'v0'",
    "DELETE FROM stat_cube WHERE archived = 1 AND grain = 'all'",
    f"UPDATE stat_submission SET n = n + 1 WHERE archived = 1 AND {_DAY}",
    "DELETE FROM stat_submission WHERE archived = 1 AND grain = 'all'",
    f"UPDATE stat_submission SET audio_ms = 5 WHERE archived = 1 AND {_HOUR}",
)
#: More than one is wrong, and others are left that agree.
_MENDED_TOO = tuple(
    f"UPDATE stat_cube SET n = n + 1 WHERE {_V1} AND {when}; "
    "DELETE FROM stat_period WHERE archived = 1"
    for when in (_DAY, "grain = 'all'", f"grain = 'hour' AND start = {START_US - 2 * HOUR_US}")
)
#: Of two that contradict each other nobody knows which is right.
_LEFT = (
    "UPDATE stat_hist SET n = n + 1 WHERE archived = 1 AND measure = 'run'",
    (
        f"UPDATE stat_cube SET n = n + 1 WHERE {_V1} AND {_HOUR}; "
        "DELETE FROM stat_period WHERE archived = 1"
    ),
)


@pytest.fixture
def core(any_home: Home) -> Core:
    """See `filled`."""
    return filled(any_home)


def filled(any_home: Home) -> Core:
    """Tasks of three hours in two days, of which some were removed; requests of one hour, too."""
    core = any_home.core
    with core.database.write() as conn:
        planted.put_text(conn)
        planted.some(conn)
        planted.asked(conn)
        for statement in (
            f"DELETE FROM submission WHERE task_id IN (SELECT id FROM task WHERE {_FIRST})",
            f"DELETE FROM task WHERE {_FIRST}",
            "DELETE FROM task WHERE run_us = 2000000",
        ):
            conn.execute(text(statement))
    assert reconcile(core).drifts == ()
    return core


def _do(core: Core, statements: str) -> None:
    with core.database.write() as conn:
        for statement in statements.split("; "):
            assert conn.execute(text(statement)).rowcount, statement


def _counters(core: Core) -> recount.Counted:
    with core.database.read() as conn:
        return recount.kept(conn)


def test_counters_of_what_was_removed_mend_each_other(core: Core) -> None:
    """Whatever is lost or changed comes back exactly, out of what the others say."""
    before = _counters(core)
    for damage in (*_MENDED, *_MENDED_TOO):
        _do(core, damage)
        rebuilt = reconcile(core, rebuild=True)
        assert rebuilt.drifts, damage
        assert (damage, list(rebuilt.left)) == (damage, [])
        assert (damage, _counters(core)) == (damage, before)
    _do(core, _MENDED[0])
    found = reconcile(core)
    assert (found.is_equal, found.lost) == (False, 0)
    rebuilt = reconcile(core, rebuild=True)
    assert (rebuilt.drifts, rebuilt.drift_count) == (found.drifts, found.drift_count)


@pytest.mark.parametrize("damage", _LEFT, ids=["buckets", "cube and sums"])
def test_what_nobody_can_mend_is_told_so_and_can_be_accepted(any_home: Home, damage: str) -> None:
    """No command is named that does not help; what is accepted is told, and no drift any more."""
    core = filled(any_home)
    _do(core, damage)
    assert reconcile(core, rebuild=True).left
    damaged = _counters(core)
    found = reconcile(core)
    assert found.lost == found.drift_count > 0
    done = any_home.run("reconcile")
    assert done.returncode == 1
    assert "no command mends that. Restore a backup" in done.stdout
    check = HealthProbe(core).read().checks["recount"]
    assert (check.level, "rows" in check.said.en) == ("bad", False)
    assert "--accept" in check.fix.en
    done = any_home.run("reconcile", "--rebuild", "--accept")
    assert (done.returncode, "  accepted: stat_" in done.stdout) == (0, True), done.stdout
    assert _counters(core) == damaged
    for again in (reconcile(core), reconcile(core, rebuild=True)):
        assert (again.drifts, len(again.accepted)) == ((), found.drift_count)
    with core.database.read() as conn:
        told = verdict(conn, core.database.now_us(conn))
    assert (told.state, len(told.notes) >= 1) == ("ok", True)
    _do(core, "UPDATE stat_total SET run_ms = run_ms + 1 WHERE archived = 1")
    assert not reconcile(core).is_equal
    with core.database.write() as conn:
        conn.execute(text("DELETE FROM task WHERE run_us = 4000000"))
    assert reconcile(core, rebuild=True).is_equal


def test_acceptance_is_of_everything(home: Home) -> None:
    """Without a rebuild, or of some hours only, nobody knows what is left."""
    for options in (["--accept"], ["--accept", "--rebuild", "--since", "2h"]):
        done = home.run("reconcile", *options)
        assert done.returncode == 2
        assert "--accept is of what --rebuild leaves of everything" in done.stderr
