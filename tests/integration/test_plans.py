"""Query plans: no statement of the hot paths reads the whole task table."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, text

from app.service import claim, presence, reap, task_list
from app.service.submit import SubmitRequest, submit
from app.store import attempts, recount_rows, reports, task_log, tasks, workers
from tests.support.home import Home
from tests.support.statements import plan, recorded, walks

if TYPE_CHECKING:
    from app.service.core import Core

HOT: dict[str, Callable[[Connection], object]] = {
    "has_due": lambda conn: tasks.has_due(conn, 1),
    "claim_next": lambda conn: tasks.claim_next(
        conn, worker_id="w", worker_name="w", host="h", release="r", now=1
    ),
    "flag_deadline": lambda conn: tasks.flag_deadline(conn, 1, 1, 1),
    "progress": lambda conn: tasks.progress(conn, 1, 1, now=1, phase="speak", permille=1),
    "owned_by": lambda conn: tasks.owned_by(conn, "w"),
    "settled from outside": lambda conn: attempts.settled_from_outside(conn, [(1, 1), (2, 1)]),
    "lost": lambda conn: tasks.lost(conn, 1),
    "overdue": lambda conn: tasks.overdue(conn, 1),
    "expired": lambda conn: tasks.expired(conn, 1),
    "count_processing": tasks.count_processing,
    "live_of_key": lambda conn: tasks.live_of_key(conn, "k"),
    "finished_of_key": lambda conn: tasks.finished_of_key(conn, "k"),
    "of_text": lambda conn: tasks.of_text(conn, 1),
    "place of a task": lambda conn: tasks.place_of(conn, 9),
    "waits": lambda conn: reports.waits(conn, 1),
    "live workers": workers.live,
    "latest workers": workers.latest,
    "old workers": lambda conn: workers.old(conn, 1, 9),
    "lines of a task": lambda conn: task_log.page(
        conn, 1, after_id=1, level=20, attempt=None, limit=9
    ),
    "last lines": lambda conn: task_log.newest(conn, 1, level=20, attempt=1, limit=9),
    "last line of each": lambda conn: task_log.last_ids(conn, [1, 2]),
    "count of lines": lambda conn: task_log.count(conn, 1),
    "bound of lines": lambda conn: task_log.prune(conn, 1, 200),
    "hold for lines": lambda conn: task_log.hold(conn, 1),
    "recount of an hour": lambda conn: recount_rows.ended(conn, 1, 2),
    "recount of what lives": lambda conn: [
        recount_rows.live(conn, status) for status in ("pending", "processing")
    ],
    "recount of buckets": lambda conn: recount_rows.durations(conn, "wait", 1, 2),
}


#: Those that go along ids, and pass over canaries only.
STEPS = {"place of a task"}


@pytest.mark.parametrize("name", HOT)
def test_hot_statement_scans_no_table(home: Home, name: str) -> None:
    """SQLite's plan scans no table without an index, and walks through no index of all tasks."""
    with home.core.database.write() as conn:
        with recorded(conn.engine) as statements:
            HOT[name](conn)
        for sql, values in statements:
            for line in plan(conn, sql, values):
                is_scan = line.startswith("SCAN ") and "USING" not in line
                assert not is_scan or "CONSTANT ROW" in line, f"{line}\n{sql}"
            assert name in STEPS or not walks(conn, sql, values), sql
    assert statements


def test_idle_round_of_the_reaper_writes_nothing(home: Home) -> None:
    """While all is well, a round of the reaper opens no writing transaction."""
    core: Core = home.core
    presence.register(core, pid=1)
    with core.database.write():
        assert not reap.reap(core).any


def test_sweep_without_work_takes_no_lock(home: Home) -> None:
    """A look for work that finds nothing does not wait for the writer's lock."""
    core = home.core
    worker = presence.register(core, pid=1)
    with core.database.write():
        assert claim.claim_next(core, worker_id=worker) is None
    result = submit(core, SubmitRequest(content="x", source="api", engine="tone"))
    assert task_list.get(core, result.task.id).status == "pending"
    with core.database.read() as conn:
        assert conn.execute(text("SELECT 1")).scalar_one() == 1
