"""Everything is killed at random while 300 tasks run; rows and spans must agree in the end."""

import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
import requests

from app.domain.records import TaskRecord
from app.service import limits, task_list
from app.store import tasks
from telemetry import names, outbox
from tests.conftest import KINDS, database_url
from tests.integration.test_state_machine import recount
from tests.support.home import Home, children_of, free_port
from tests.support.otlp_receiver import OtlpReceiver, ReceivedSpan
from tests.support.wait import wait_until

if TYPE_CHECKING:
    from tests.support.home import Program

COUNT = int(os.environ.get("VOXTRACE_TEST_CHAOS_TASKS", "120"))
SEED = int(os.environ.get("VOXTRACE_TEST_CHAOS_SEED", "1"))
#: Seconds between two kills.
EVERY_S = 0.4
#: Seconds in which a program may start before it is killed itself (its children may die before).
YOUNG_S = 4.0
LIMIT = 4


def _text(number: int) -> dict[str, object]:
    """One of five kinds of task; each text is different."""
    kinds = [
        "@sleep 0.1",
        "Spoken at once.",
        "@fail-until-attempt 2 retryable",
        "@fail permanent on purpose",
        "@spin 60",
        "@subprocess 60",
    ]
    kind = kinds[(number * 7) % 6 if number % 10 == 0 else number % 4]
    body: dict[str, object] = {"content": f"{kind}\nText number {number}.", "engine": "scripted"}
    if "60" in kind:
        body |= {"timeout_s": 1.0}
    return body


class Chaos:
    """Programs that are killed at random and started again, as an init system would."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.dice = random.Random(SEED)  # noqa: S311 - a repeatable walk
        self.quiet = threading.Event()
        self.quiet.set()
        self.over = threading.Event()
        self.kills: Counter[str] = Counter()
        self.arguments = {
            "web": ("web", {}),
            "worker 1": ("worker --without-duties", {"VOXTRACE_WORKER_NAME": "w1"}),
            "worker 2": ("worker --without-duties", {"VOXTRACE_WORKER_NAME": "w2"}),
            "duties": ("duties", {}),
        }
        self.running: dict[str, Program] = {}
        self.started_s: dict[str, float] = {}
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self, name: str) -> None:
        """Starts one of the programs."""
        words, environ = self.arguments[name]
        self.started_s[name] = time.monotonic()
        self.running[name] = self.home.start(*words.split(), **environ)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.quiet.set()
        self.over.set()
        if self.thread.ident is not None:
            self.thread.join(30)

    def begin(self) -> None:
        """Begins to kill."""
        self.quiet.clear()

    def calm(self) -> None:
        """Ends the killing; what ended is still started again."""
        self.quiet.set()

    def _run(self) -> None:
        """Starts, kills and starts again, all in one thread.

        A program dies with the *thread* that started it (PDEATHSIG): this one lives to the end.
        """
        for name in self.arguments:
            self.start(name)
        while not self.over.wait(EVERY_S * (0.5 + self.dice.random())):
            if not self.quiet.is_set():
                self._kill_one()
            self._revive()

    def _kill_one(self) -> None:
        name = self.dice.choice(list(self.running))
        program = self.running[name]
        children = children_of(program.pid)
        is_young = time.monotonic() - self.started_s[name] < YOUNG_S
        if children and name != "duties" and (is_young or self.dice.random() < 0.6):
            os.kill(self.dice.choice(children), signal.SIGKILL)
            self.kills[f"{name.split()[0]} child"] += 1
        elif program.popen.poll() is None and not is_young:
            program.popen.kill()
            program.popen.wait(10)
            self.kills[name.split()[0]] += 1

    def _revive(self) -> None:
        for name, program in list(self.running.items()):
            if program.popen.poll() is not None:
                self.start(name)


def _submit_all(home: Home, count: int) -> list[int]:
    """Submits over HTTP; a request that a kill cut is sent again under its idempotency key."""
    ids = []
    for number in range(count):
        headers = {"Idempotency-Key": f"chaos-{number}"}

        def post(number: int = number, headers: dict[str, str] = headers) -> int | None:
            try:
                answer = requests.post(
                    f"{home.url}/api/v1/texts", json=_text(number), headers=headers, timeout=20
                )
            except requests.RequestException:
                return None
            assert answer.status_code in {200, 201, 503, 500}, answer.text
            return int(answer.json()["task"]["id"]) if answer.ok else None

        found = wait_until(post, 60, what=f"text {number} is accepted", every_s=0.1)
        assert found is not None
        ids.append(found)
    return ids


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
    with Home.make(tmp_path / "home", url, **environ) as home, Chaos(home) as chaos:
        limits.set_max_concurrent(home.core, LIMIT)
        highest = _Watch(home)
        began_s = time.monotonic()
        chaos.begin()
        ids = _submit_all(home, count)
        receiver.start()
        half = len(ids) // 2
        wait_until(lambda: _final_count(home) >= half, 180, what="half of the tasks are over")
        receiver.stop()
        wait_until(lambda: _final_count(home) >= half + half // 2, 180, what="three quarters")
        receiver.start()
        chaos.calm()
        wait_until(lambda: _final_count(home) == len(set(ids)), 240, what="all tasks are over")
        highest.stop()
        wait_until(lambda: _unsent(home) == 0, 90, what="every span is sent")
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


def _final_count(home: Home) -> int:
    with home.core.database.read() as conn:
        found = tasks.page(conn, status=None, before_id=None, limit=10_000)
    return sum(task.is_final for task in found)


def _unsent(home: Home) -> int:
    with home.core.database.read() as conn:
        return outbox.measure(conn).pending


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
