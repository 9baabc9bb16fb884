"""Retention of what is told of failures, and of attempts: rows go with time, numbers stay."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select, text

from app.duties.retention import Retention
from app.service.core import Core
from app.service.retention import records
from app.store import attempt_cube
from app.store.tables import (
    analysis_table,
    finding_table,
    system_event_table,
    webhook_delivery_table,
)
from tests.support import cube_rows
from tests.support.aged_rows import HOUR_US, AgedRows
from tests.support.home import Home

DAY_US = 24 * HOUR_US


def _put(conn: Connection, table: Table, **values: Any) -> int:
    return int(conn.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())


def _finding(conn: Connection, opened_at: int, closed_at: int | None) -> int:
    return _put(
        conn, finding_table, key=f"k{opened_at}", state="open" if closed_at is None else "closed",
        opened_at=opened_at, updated_at=opened_at, closed_at=closed_at, seen_at=opened_at,
        closed_why=None if closed_at is None else "stopped",
        predicate="{}", observed=1, expected=1.0, n=1, lift=1.0, q=0.0, answer="{}",
    )  # fmt: skip


def _delivery(conn: Connection, finding_id: int, at: int, state: str) -> int:
    return _put(
        conn, webhook_delivery_table, finding_id=finding_id, event="opened", created_at=at,
        next_at=at, state=state, ended_at=None if state == "waiting" else at + 9, body="{}",
    )  # fmt: skip


def _analysis(conn: Connection, at: int, state: str) -> int:
    return _put(
        conn, analysis_table, question="{}", asked_at=at, asked_by="t", state=state,
        finished_at=at + 9 if state in {"done", "failed", "cancelled"} else None,
    )  # fmt: skip


def _ids(core: Core, table: Table) -> list[int]:
    with core.database.read() as conn:
        return list(conn.execute(select(table.c.id).order_by(table.c.id)).scalars())


def _with(core: Core, **settings: Any) -> Core:
    return replace(core, settings=replace(core.settings, **settings))


def _round(core: Core) -> dict[str, Any]:
    duty = Retention(core, sends=False)
    while json.loads(duty.state())["next_at"] is None:
        duty.step()
    told: dict[str, Any] = json.loads(duty.state())
    return told


def test_what_is_over_goes_with_its_time(any_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is open or waits stays, whatever its age; a finding takes its deliveries with it.

    Each kind by its own setting, a few in each transaction.
    """
    core = any_home.core
    monkeypatch.setattr(records.sweep, "__kwdefaults__", {"limit": 2})
    with core.database.write() as conn:
        now = core.database.now_us(conn)
        ages = {days: now - days * DAY_US for days in (401, 399, 31, 29, 8, 6)}
        gone = [_finding(conn, ages[401] - n, ages[401] + n) for n in range(3)]
        kept = [_finding(conn, ages[401] - 9, None), _finding(conn, ages[401] - 8, ages[399])]
        late = _delivery(conn, gone[0], ages[29], "given_up")
        _delivery(conn, kept[1], ages[31], "delivered")
        told = [
            _delivery(conn, kept[1], ages[31], "waiting"),
            _delivery(conn, kept[1], ages[29], "delivered"),
        ]
        events = [
            _put(conn, system_event_table, at=at, kind="start", by="t")
            for at in (ages[401], ages[399])
        ]
        _analysis(conn, ages[8], "failed")
        asked = [_analysis(conn, ages[8], "running"), _analysis(conn, ages[6], "done")]
    state = _round(core)
    assert state["records"] == 3 + 1 + 1 + 1
    assert _ids(core, finding_table) == kept
    assert _ids(core, webhook_delivery_table) == told
    assert late not in told
    assert _ids(core, system_event_table) == events[1:]
    assert _ids(core, analysis_table) == asked
    assert records.sweep(core) == 0


_TABLES = {
    "findings": finding_table,
    "system_events": system_event_table,
    "deliveries": webhook_delivery_table,
    "analyses": analysis_table,
}


def test_zero_keeps_for_ever(home: Home) -> None:
    """A kind whose setting is 0 stays, and the others go; deliveries not without their finding."""
    for kind in _TABLES:
        core = _with(home.core, **{f"keep_{kind}_d": 0.0})
        with core.database.write() as conn:
            at = core.database.now_us(conn) - 1000 * DAY_US
            _delivery(conn, _finding(conn, at, at + 1), at, "delivered")
            _put(conn, system_event_table, at=at, kind="start", by="t")
            _analysis(conn, at, "done")
        while records.sweep(core):
            pass
        left = {name for name, table in _TABLES.items() if _ids(core, table)}
        assert left == ({kind} if kind != "deliveries" else set())
        while records.sweep(home.core):
            pass


def test_attempts_of_removed_tasks_go_on_counting(any_home: Home) -> None:
    """Their hours say the same as before, and that rows are gone; groups of failures stay."""
    core = _with(any_home.core, keep_failed_d=90.0, keep_completed_d=90.0)
    with core.database.write() as conn:
        rows = AgedRows(core, conn, core.database.now_us(conn))
        for status in ("completed", "failed", "failed"):
            rows.spoken(rows.text(2400), 2400, status)
        rows.spoken(rows.text(24), 24, "failed")
        rows.check_hours()
        conn.execute(_GROUP)
        before = cube_rows.kept(conn)
    assert _round(core)["tasks"] == 3
    with core.database.read() as conn:
        after = cube_rows.kept(conn)
        assert {key[2] for key in before} == {0}
        assert sum(n for key, n in after.items() if key[2]) == 2 * 3
        assert _together(after) == _together(before)
        assert {key: n for key, n in after.items() if not key[2]} == cube_rows.from_rows(conn)
        old = {key[1] for key in after if key[0] == "hour" and key[2]}
        hours = {key[1] for key in after if key[0] == "hour"}
        assert attempt_cube.archived_hours(conn, hours) == old
        assert conn.execute(text("SELECT count(*) FROM failure_group")).scalar_one() == 1


_GROUP = text(
    "INSERT INTO failure_group (fingerprint, error_type, template, first_at)"
    " VALUES ('v2:f', 'e', 't', 1)"
)


def _together(counted: cube_rows.Counted) -> cube_rows.Counted:
    """Archived or not."""
    found = cube_rows.Counted()
    for (grain, start, _, *profile), n in counted.items():
        found[(grain, start, *profile)] += n
    return found
