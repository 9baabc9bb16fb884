"""Presence: a worker registers, proves each second that it lives, drains, and leaves."""

import secrets
from dataclasses import dataclass
from typing import Final

from app import process
from app.domain.ids import WorkerId
from app.service import system_events
from app.service.core import Core
from app.service.process_counts import ProcessCounts
from app.store import attempts, settings, tasks, workers
from app.store.database import Connection

#: Microseconds that the row of a worker stays after its end.
KEPT_US: Final = 30 * 86_400_000_000
#: Rows of workers that one transaction removes at most.
BATCH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A task that the database says this worker runs."""

    task_id: int
    attempt: int
    status: str


def register(core: Core, *, pid: int) -> WorkerId:
    """Makes a worker known under a new id; sets `max_concurrent` where it was never set."""
    worker_id = WorkerId(secrets.token_hex(8))

    def work(conn: Connection) -> None:
        now = core.database.now_us(conn)
        settings.put_first(
            conn,
            settings.MAX_CONCURRENT,
            core.settings.max_concurrent,
            now=now,
            by=core.actor,
        )
        workers.register(
            conn,
            {
                "id": worker_id,
                "name": core.settings.worker_name,
                "host": core.host,
                "pid": pid,
                "pid_ticks": process.start_ticks(pid),
                "release": core.settings.release,
                "concurrency": core.settings.worker_concurrency,
                "started_at": now,
                "heartbeat_at": now,
                "state": "up",
            },
        )
        system_events.worker_started(conn, core, now)

    core.database.run(work)
    return worker_id


def beat(core: Core, worker_id: str, counted: ProcessCounts) -> bool:
    """Renews the lease; False where the worker was declared dead: it kills what it runs.

    Now and then it tells what the process counts of itself, in the same transaction.
    """

    def work(conn: Connection) -> bool:
        is_mine = workers.beat(conn, worker_id, core.database.now_us(conn))
        counted.put(conn)
        return is_mine

    is_mine = core.database.run(work)
    counted.committed()
    return is_mine


def held(core: Core, worker_id: str) -> list[Held]:
    """What the database says this worker runs now."""
    with core.database.read() as conn:
        return [
            Held(task_id=task.id, attempt=task.attempt, status=task.status)
            for task in tasks.owned_by(conn, worker_id)
        ]


def settled_from_outside(core: Core, keys: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those of the attempts that someone else than their own process settled: kill them."""
    if not keys:
        return []
    with core.database.read() as conn:
        return attempts.settled_from_outside(conn, keys)


def group_of(core: Core, task_id: int, attempt: int) -> set[int]:
    """The process group that an attempt began in, if it is still the same; else nothing."""
    with core.database.read() as conn:
        row = attempts.get(conn, task_id, attempt)
    if row is None or row.pid is None:
        return set()
    ticks = process.start_ticks(row.pid)
    return {row.pid} if ticks is None or ticks == row.pid_ticks else set()


def drain(core: Core, worker_id: str) -> None:
    """Ends the worker's claims."""
    core.database.run(lambda conn: workers.drain(conn, worker_id))


def leave(core: Core, worker_id: str, reason: str) -> None:
    """Notes that the worker has stopped in an orderly way."""

    def work(conn: Connection) -> None:
        now = core.database.now_us(conn)
        ended = workers.end(conn, worker_id, now, state="stopped", reason=reason)
        if ended is not None:
            system_events.worker_stopped(conn, core, now, ended)

    core.database.run(work)


def forget_old(core: Core) -> int:
    """Removes workers that ended long ago, a small batch; returns how many.

    Attempts keep a worker's id and name; only its own row goes.
    """
    with core.database.read() as conn:
        found = workers.old(conn, core.database.now_us(conn) - KEPT_US, BATCH)
    if found:
        core.database.run(lambda conn: workers.remove(conn, found))
    return len(found)
