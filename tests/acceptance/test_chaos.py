"""Everything is killed at random while 300 tasks run; rows and spans must agree in the end."""

import os
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from app.domain.records import TaskRecord
from app.service import limits, task_list
from app.store import tasks
from telemetry import names
from tests.conftest import KINDS, database_url
from tests.integration.test_state_machine import recount
from tests.support.chaos import Chaos, final_count, submit_all, unsent_count
from tests.support.home import Home, free_port
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.otlp_spans import ReceivedSpan
from tests.support.wait import wait_until

COUNT = int(os.environ.get("VOXTRACE_TEST_CHAOS_TASKS", "50"))
SEED = int(os.environ.get("VOXTRACE_TEST_CHAOS_SEED", "1"))
#: Seconds between two kills.
EVERY_S = 0.4
LIMIT = 4


@pytest.mark.parametrize("kind", KINDS)
def test_everything_killed_at_random_loses_nothing(tmp_path: Path, kind: str) -> None:
    """Children, workers, web and duties are SIGKILLed at random; the receiver comes and goes.

    Every task is final once, no slot is leaked, the totals are right, and each task has exactly
    one task span, equal to its row.
    """
    receiver = OtlpReceiver(free_port())
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "VOXTRACE_BACKOFF_S": "0.05",
        "VOXTRACE_MAX_CONCURRENT": str(LIMIT),
    }
    count = COUNT if kind == "sqlite" else COUNT // 3
    url = database_url(kind, tmp_path)
    with (
        Home.make(tmp_path / "home", url, **environ) as home,
        Chaos(home, seed=SEED, every_s=EVERY_S) as chaos,
    ):
        limits.set_max_concurrent(home.core, LIMIT)
        highest = _Watch(home)
        began_s = time.monotonic()
        chaos.begin()
        ids = submit_all(home, count)
        receiver.start()
        half = len(ids) // 2
        wait_until(lambda: final_count(home) >= half, 180, what="half of the tasks are over")
        receiver.stop()
        wait_until(lambda: final_count(home) >= half + half // 2, 180, what="three quarters")
        receiver.start()
        chaos.calm()
        wait_until(lambda: final_count(home) == len(set(ids)), 240, what="all tasks are over")
        highest.stop()
        wait_until(lambda: unsent_count(home) == 0, 90, what="every span is sent")
        receiver.stop()
        rows = [task_list.get(home.core, task_id) for task_id in sorted(set(ids))]
        took_s = time.monotonic() - began_s
        print(f"\n{len(rows)} tasks in {took_s:.0f} s, at most {highest.value} at once")
        print(f"kills: {dict(chaos.kills)}, ends: {dict(Counter(row.status for row in rows))}")
        assert len(rows) == count
        _check(home, rows, receiver.spans, highest.value)


class _Watch:
    """Looks at the number of running tasks as often as it can."""

    def __init__(self, home: Home) -> None:
        self.value = 0
        self._home = home
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            with self._home.core.database.read() as conn:
                self.value = max(self.value, tasks.count_processing(conn))

    def stop(self) -> None:
        """Ends the watch."""
        self._stop.set()
        self._thread.join(10)


def _check(home: Home, rows: list[TaskRecord], spans: list[ReceivedSpan], highest: int) -> None:
    assert highest <= LIMIT
    with home.core.database.read() as conn:
        assert tasks.count_processing(conn) == 0
    recount(home.core)
    by_trace: dict[str, list[ReceivedSpan]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    for row in rows:
        _check_task(row, by_trace.get(row.trace_id, []))


def _check_task(row: TaskRecord, found: list[ReceivedSpan]) -> None:
    wires = {span.wire for span in found if span.name == names.SPAN_TASK}
    assert len(wires) == 1, f"task {row.id}: {len(wires)} different task spans"
    root = next(span for span in found if span.name == names.SPAN_TASK)
    assert (root.start_ns, root.end_ns) == (row.submitted_at * 1000, (row.finished_at or 0) * 1000)
    assert root.span_id == row.span_id
    assert root.attributes[names.TASK_STATUS] == row.status
    assert root.attributes[names.TASK_ATTEMPTS] == row.attempt
    assert root.attributes.get(names.ERROR_TYPE) == (
        row.error_type if row.status in {"failed", "timeout"} else None
    )
    attempts = {span.span_id for span in found if span.name == names.SPAN_ATTEMPT}
    assert len(attempts) == row.attempt, f"task {row.id}: {len(attempts)} of {row.attempt} attempts"


pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
