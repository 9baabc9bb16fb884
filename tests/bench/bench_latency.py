"""How soon a submitted task begins, and how many pass: voxtrace beside stock Celery on Redis.

    python -m tests.bench.bench_latency

Both have one worker of two children and tasks with nothing to do, in one run: first a burst that
lay in the queue before the worker started, then single tasks in turn on idle workers. voxtrace is
on SQLite with synchronous=FULL: what it has accepted survives a power cut. Redis holds its queue in
memory here, as it comes.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from celery import Celery

from app.process import child_environment, set_parent_death_signal
from app.service.submit import SubmitRequest, submit
from app.store import attempts
from tests.bench import report
from tests.bench.stock_celery import app, noop
from tests.support.home import CLEAN, Home, Program, free_port
from tests.support.wait import wait_until

_BURST = 400
_SINGLES = 80
_CHILDREN = 2
_ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Start:
    """One task: when it was sent and when it began, in nanoseconds; how long the sending took."""

    sent_ns: int
    began_ns: int
    submit_ms: float = 0.0

    @property
    def wait_ms(self) -> float:
        """From just before it was sent to its first line."""
        return (self.began_ns - self.sent_ns) / 1e6


@dataclass(slots=True)
class Ours:
    """Tasks of voxtrace; they begin where the child notes itself on the attempt's row."""

    home: Home
    ids: list[int] = field(default_factory=list)

    def send(self) -> float:
        """Submits a new text; the milliseconds it took."""
        request = SubmitRequest(content=f"Text {len(self.ids)}.", source="api", engine="tone")
        begun_ns = time.perf_counter_ns()
        self.ids.append(submit(self.home.core, request).task.id)
        return (time.perf_counter_ns() - begun_ns) / 1e6

    def start_worker(self) -> Program:
        """Starts the worker."""
        return _start(self.home, [sys.executable, "-m", "tests.bench.noop_worker"], {})

    def begins_ns(self) -> list[int]:
        """When each of the first tasks that have ended began, in the order of submission."""
        found: list[int] = []
        with self.home.core.database.read() as conn:
            for task_id in self.ids:
                rows = attempts.of_task(conn, task_id)
                if not rows or rows[-1].finished_at is None or rows[-1].begun_at is None:
                    break
                found.append(rows[-1].begun_at * 1000)
        return found

    def single(self) -> Start:
        """One task on an idle worker, sent and seen to its end."""
        sent_ns = time.time_ns()
        took_ms = self.send()
        last = self.ids[-1]

        def began() -> int | None:
            with self.home.core.database.read() as conn:
                rows = attempts.of_task(conn, last)
            return rows[-1].begun_at if rows and rows[-1].finished_at is not None else None

        begun_at = wait_until(began, 20, every_s=0.02)
        return Start(sent_ns, (begun_at or 0) * 1000, took_ms)


@dataclass(slots=True)
class Stock:
    """Tasks of stock Celery; they begin with the first line of the task's function."""

    home: Home
    broker: str
    count: int = 0

    @property
    def starts(self) -> Path:
        """Where its tasks note their beginnings."""
        return self.home.path / "starts.txt"

    def send(self) -> float:
        """Publishes a message; the milliseconds it took."""
        begun_ns = time.perf_counter_ns()
        noop.delay(time.time_ns())
        self.count += 1
        return (time.perf_counter_ns() - begun_ns) / 1e6

    def start_worker(self) -> Program:
        """Starts the worker."""
        arguments = ["-A", "tests.bench.stock_celery", "worker", "-c", str(_CHILDREN)]
        command = [sys.executable, "-m", "celery", *arguments, "--loglevel", "warning"]
        environ = {"BENCH_BROKER": self.broker, "BENCH_STARTS": str(self.starts)}
        return _start(self.home, command, environ)

    def begins_ns(self) -> list[int]:
        """When its tasks began, as they noted it."""
        return [start.began_ns for start in self._noted()]

    def _noted(self) -> list[Start]:
        lines = self.starts.read_text().splitlines() if self.starts.exists() else []
        return [Start(*map(int, line.split())) for line in lines if line.count(" ") == 1]

    def single(self) -> Start:
        """One task on an idle worker, sent and seen to begin."""
        took_ms = self.send()
        wait_until(lambda: len(self._noted()) == self.count, 20, every_s=0.02)
        start = self._noted()[-1]
        return Start(start.sent_ns, start.began_ns, took_ms)


def _start(home: Home, command: list[str], environ: dict[str, str]) -> Program:
    log = home.path / f"bench.{len(home.programs)}.log"
    with log.open("wb") as output:
        popen = subprocess.Popen(
            command,
            cwd=_ROOT,
            env={**child_environment(CLEAN), **home.environ, **environ},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=set_parent_death_signal,  # noqa: PLW1509 - one prctl, no lock
        )
    program = Program(" ".join(command[1:4]), popen, log)
    home.programs.append(program)
    return program


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis of our own on a free port; its URL."""
    port = free_port()
    command = [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    server = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        preexec_fn=set_parent_death_signal,  # noqa: PLW1509 - one prctl, no lock
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)


def _burst(side: Ours | Stock) -> float:
    """Tasks a second, between the first beginning and the last, of tasks that lay ready."""
    for _ in range(_BURST):
        side.send()
    side.start_worker()
    begins = wait_until(
        lambda: found if len(found := side.begins_ns()) == _BURST else [], 60, every_s=0.2
    )
    return (_BURST - 1) / ((max(begins) - min(begins)) / 1e9)


def _row(singles: list[Start], per_s: float) -> dict[str, float]:
    waits = [start.wait_ms for start in singles]
    submits = [start.submit_ms for start in singles]
    return {
        "start_p50_ms": round(report.percentile(waits, 50), 2),
        "start_p95_ms": round(report.percentile(waits, 95), 2),
        "submit_p50_ms": round(report.percentile(submits, 50), 2),
        "tasks_per_s": round(per_s, 1),
    }


def measure() -> report.Result:
    """Ratios first: voxtrace over stock Celery (below 1 is better, but for tasks_per_s)."""
    if shutil.which("redis-server") is None:
        return report.skipped("NO REDIS: nothing to compare with (apt-get install redis-server)")
    with (
        tempfile.TemporaryDirectory() as folder,
        redis(Path(folder)) as broker,
        Home.make(Path(folder) / "home", VOXTRACE_MAX_CONCURRENT=str(_CHILDREN)) as home,
    ):
        _use(app, broker)
        ours, stock = Ours(home), Stock(home, broker)
        ours_per_s, stock_per_s = _burst(ours), _burst(stock)
        pairs = [(ours.single(), stock.single()) for _ in range(_SINGLES)]
    rows = {
        "voxtrace": _row([pair[0] for pair in pairs], ours_per_s),
        "Celery on Redis": _row([pair[1] for pair in pairs], stock_per_s),
    }
    ratio = {
        name: round(value / rows["Celery on Redis"][name], 2)
        for name, value in rows["voxtrace"].items()
    }
    return {"ratio": ratio, **rows}


def _use(celery: Celery, broker: str) -> None:
    celery.conf.broker_url = broker
    os.environ["BENCH_BROKER"] = broker


if __name__ == "__main__":
    report.main(measure)
