"""Why a canary waits in the queue: what keeps every worker from taking it."""

from app.domain.canary import Cause
from app.domain.records import TaskRecord
from app.service import limits
from app.service.core import Core
from app.service.task_view import is_alive
from app.store import tasks, workers
from app.store.database import Connection


def why_it_waits(core: Core, conn: Connection, task: TaskRecord, now: int) -> Cause:
    """What holds it up, the first of all that applies."""
    living = [worker for worker in workers.live(conn) if is_alive(worker, now)]
    up = [worker for worker in living if worker.state == "up"]
    if not up:
        if living:
            return Cause(code="draining", words="every worker is draining")
        return Cause(code="no_worker", words="no worker lives")
    return _by_slots(core, conn, task, sum(worker.concurrency for worker in up)) or _by_time(
        task, now
    )


def _by_slots(core: Core, conn: Connection, task: TaskRecord, offered: int) -> Cause | None:
    known = limits.in_snapshot(core, conn)
    of_engine = known.engines.get(task.engine)
    if known.max_concurrent == 0 or of_engine == 0:
        return Cause(code="paused", words="the limit of tasks at once is 0", is_fault=False)
    running = tasks.count_processing(conn)
    slots = min(known.max_concurrent, offered)
    if running >= slots or (of_engine is not None and running >= of_engine):
        words = f"other work holds every slot ({running} of {slots})"
        return Cause(code="busy", words=words, is_fault=False)
    return None


def _by_time(task: TaskRecord, now: int) -> Cause:
    if task.not_before > now and task.wait_reason == "capacity":
        return Cause(code="capacity", words="the engine's account is full", is_fault=False)
    if task.not_before > now:
        return Cause(code="backoff", words="it waits for its next try")
    return Cause(code="unclaimed", words="a worker lives and a slot is free, but none took it")
