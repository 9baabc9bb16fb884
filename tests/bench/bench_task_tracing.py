"""What tracing costs a task: its last transaction, and the whole of it, with and without spans.

    python -m tests.bench.bench_task_tracing

Tasks run in this process as in a worker's child, with OTEL_SDK_DISABLED on and off in turn, on
SQLite with synchronous=FULL. The transaction is the one that ends a task: the task's and the
attempt's row, an event, the totals, and with tracing the task span and the attempt's spans in the
outbox. The two of a pair follow each other; the medians of their ratios and differences count.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from app import bootstrap
from app.service import claim, execute, presence
from app.service.attempt import Attempt
from app.service.core import Core
from app.service.submit import SubmitRequest, submit
from app.worker.child import Child
from tests.bench import report
from tests.bench.noop_worker import finish, replace_work
from tests.support.home import Home

_ROUNDS = 60
#: About twenty seconds of speech.
_TEXT = "The quick brown fox jumps over the lazy dog, and then it sleeps for an hour. " * 4
_SWITCH = "OTEL_SDK_DISABLED"


class _Timed:
    """Calls `run`, and keeps how long each call took, in milliseconds."""

    def __init__(self, run: Callable[[Attempt], str]) -> None:
        self._run = run
        self.times_ms: list[float] = []

    def __call__(self, attempt: Attempt) -> str:
        """Runs an attempt to its end."""
        start_ns = time.perf_counter_ns()
        status = self._run(attempt)
        self.times_ms.append((time.perf_counter_ns() - start_ns) / 1e6)
        return status


def _task(core: Core, worker_id: str, pool_child: Child, content: str) -> float:
    """One task from its submission to its end; milliseconds."""
    start_ns = time.perf_counter_ns()
    submit(core, SubmitRequest(content=content, source="api", engine="tone"))
    claimed = claim.claim_next(core, worker_id=worker_id)
    assert claimed is not None
    pool_child.run(claimed.to_json())
    return (time.perf_counter_ns() - start_ns) / 1e6


def _sides(home: Home) -> dict[str, Child]:
    """A pool child without tracing, and one with it."""
    sides = {}
    for value in ("true", "false"):
        os.environ[_SWITCH] = value
        sides[value] = Child(home.settings)
    return sides


def measure() -> report.Result:
    """Ratios first: with tracing over without."""
    ending = {value: _Timed(finish) for value in ("true", "false")}
    whole: dict[str, list[float]] = {"true": [], "false": []}
    with tempfile.TemporaryDirectory() as folder, Home.make(Path(folder) / "home") as home:
        sides = _sides(home)
        core = bootstrap.make_core(home.settings, role="attempt", actor="bench")
        worker_id = presence.register(core, pid=os.getpid())
        for number in range(_ROUNDS):
            for value, side in sides.items():
                os.environ[_SWITCH] = value
                replace_work(ending[value])
                _task(core, worker_id, side, f"{value} {number}.")
                replace_work(execute.execute)
                content = f"{value} {number}. {_TEXT}"
                whole[value].append(_task(core, worker_id, side, content))
        core.database.close()
    return {
        "last transaction": _row(ending["false"].times_ms, ending["true"].times_ms),
        "whole task (tone, mp3)": _row(whole["false"], whole["true"]),
    }


def _row(on_ms: list[float], off_ms: list[float]) -> report.Row:
    pairs = list(zip(on_ms, off_ms, strict=True))
    return {
        "ratio": round(median(on / off for on, off in pairs), 3),
        "added_ms": round(median(on - off for on, off in pairs), 2),
        "with_ms": round(median(on_ms), 2),
        "without_ms": round(median(off_ms), 2),
    }


if __name__ == "__main__":
    report.main(measure)
