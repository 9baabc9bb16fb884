"""Rows of workers: those that ended long ago go, a few at a time, and nothing else does."""

from sqlalchemy import update

from app.duties.sweeper import Sweeper
from app.service import presence
from app.service.core import Core
from app.store import workers
from app.store.tables import attempt_table, worker_table
from tests.support.home import Home
from tests.support.service import claimed, run, start_worker, submitted

DAY = 86_400_000_000


def _ended(core: Core, worker_id: str, *, days: float, state: str = "dead") -> str:
    """Moves a worker's start and end into the past."""
    with core.database.write() as conn:
        at = core.database.now_us(conn) - round(days * DAY)
        conn.execute(
            update(worker_table)
            .where(worker_table.c.id == worker_id)
            .values(state=state, started_at=at - DAY, ended_at=at, heartbeat_at=at)
        )
    return worker_id


def _left(core: Core) -> set[str]:
    with core.database.read() as conn:
        return {worker.id for worker in workers.latest(conn, 1000)}


def test_only_workers_that_ended_long_ago_are_removed(any_home: Home) -> None:
    """Dead or stopped for 30 days, and nothing open speaks of it; its attempts keep its name."""
    core = any_home.core
    worker = start_worker(core)
    submitted(core, "A text.")
    task = run(core, claimed(core, worker))
    submitted(core, "Another.")
    claimed(core, holder := start_worker(core, name="w2"))
    living = start_worker(core, name="w3")
    with core.database.write() as conn:
        conn.execute(update(worker_table).where(worker_table.c.id == living).values(started_at=DAY))
    recent = _ended(core, start_worker(core), days=29)
    old = [
        _ended(core, worker, days=31),
        _ended(core, start_worker(core), days=400, state="stopped"),
    ]
    _ended(core, holder, days=31)
    assert presence.forget_old(core) == len(old)
    assert _left(core) == {holder, living, recent}
    with core.database.read() as conn:
        kept = conn.execute(attempt_table.select().where(attempt_table.c.task_id == task.id)).one()
    assert (kept.worker_id, kept.worker_name) == (worker, "w1")
    assert presence.forget_old(core) == 0


def test_sweeper_removes_a_batch_in_a_round(home: Home) -> None:
    """A round takes a bounded number of them, so that nobody waits long for the lock."""
    core = home.core
    gone = [_ended(core, start_worker(core), days=31) for _ in range(presence.BATCH + 3)]
    duty = Sweeper(core)
    duty.step()
    assert len(_left(core) & set(gone)) == 3
    duty.step()
    assert not _left(core)
    assert f'"workers": {presence.BATCH + 3}' in duty.state()
