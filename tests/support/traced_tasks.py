"""Tasks on a home that sends to a real collector: until they are over, or killed in the middle."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.domain.records import AttemptRecord, TaskRecord
from app.service import task_list
from app.store import attempts, segments
from tests.support.backends import Pair
from tests.support.home import Home
from tests.support.wait import wait_until

#: Seconds that anything may take here.
SOON_S: Final = 60.0


def traced_home(pair: Pair, path: Path, database: str | None = None, **environ: str) -> Home:
    """A home that sends to the pair, for four tasks at once; nothing runs yet."""
    settings = {
        **pair.environ,
        "VOXTRACE_WORKER_CONCURRENCY": "4",
        "VOXTRACE_MAX_CONCURRENT": "4",
        "VOXTRACE_BACKOFF_S": "0.05",
        **environ,
    }
    return Home.make(path / "home", database, **settings)


def attempts_of(home: Home, task_id: int) -> list[AttemptRecord]:
    """All attempts of a task, the first first."""
    with home.core.database.read() as conn:
        return attempts.of_task(conn, task_id)


def until_over(home: Home, task_ids: Sequence[int]) -> list[TaskRecord]:
    """The tasks, once all of them are over."""

    def look() -> list[TaskRecord] | None:
        rows = [task_list.get(home.core, task_id) for task_id in task_ids]
        return rows if all(row.is_final for row in rows) else None

    found = wait_until(look, SOON_S, what="all tasks are over", every_s=0.2)
    assert found is not None
    return found


def until_made(home: Home, task_id: int) -> AttemptRecord:
    """The first attempt of a task, once it has committed a segment."""

    def look() -> bool:
        with home.core.database.read() as conn:
            return any(piece.span_id for piece in segments.of_task(conn, task_id))

    wait_until(look, SOON_S, what=f"task {task_id} has a segment", every_s=0.02)
    return attempts_of(home, task_id)[0]


def kill_process(attempt: AttemptRecord) -> None:
    """SIGKILL for the process of an attempt that has begun."""
    assert attempt.pid is not None, attempt
    os.kill(attempt.pid, signal.SIGKILL)
