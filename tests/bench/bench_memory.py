"""Memory of each process after few tasks and after many, side by side.

    python -m tests.bench.bench_memory [TASKS…]            (1000 100000)

Tasks come in over HTTP and go through a worker that speaks one of twenty and completes the others
at once; the pages, lists, statistics and streams of the web are asked all along. Before a measure
all tasks are over. A pool child is replaced only above `MAX_CHILD_KIB`, a web process never: where
pids are others than before, the row says so. `of_first` is the ratio to the first measure.
The queue is what takes the time (an hour and more): with TMPDIR in memory it passes sooner.
"""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Final

import requests

from tests.bench import report
from tests.support.home import Home, children_of
from tests.support.memory import Memory, memory_of
from tests.support.wait import wait_until

_TASKS: Final = (1_000, 100_000)
_CHILDREN: Final = 2
_WEB_PROCESSES: Final = 2
#: Clients at once; tasks that may wait; submissions between two questions to the web; streams of
#: each kind at once.
_ASKERS: Final = 4
_BACKLOG: Final = 200
_ASK_EVERY: Final = 5
#: First submissions, with each of which the web is asked: what it keeps of pages that were asked
#: for, however many tasks there are, must be there at the first measure.
_WARMING: Final = 1000
_STREAMS: Final = 2
_PATHS: Final = (
    "/api/v1/stats",
    "/api/v1/stats?by=worker&from=1h",
    "/api/v1/stats/series",
    "/api/monitor/stats",
    "/api/v1/tasks?limit=50",
    "/api/v1/tasks?query=status:completed+engine:tone&limit=50&count=1",
    "/api/v1/tasks/{id}",
    "/api/v1/monitor",
    "/metrics",
    "/tasks",
    "/tasks/{id}",
    "/stats",
    "/monitor",
    "/",
)
_STREAMED: Final = ("/api/v1/monitor/stream", "/api/v1/tasks/{id}/stream")


class LongRun:
    """Web, worker and duties on a home, and those who ask them.

    Args:
        home: Where they run.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._web = home.start("web")
        self._worker = home.start("worker", module="tests.bench.sparing_worker")
        self._duties = home.start("duties")
        self._paths = cycle(_PATHS)
        self._last_id = 1
        self._submitted = 0
        self._over = threading.Event()
        wait_until(self._is_up, 120, what="web and worker are up", every_s=0.2)
        for path in _STREAMED * _STREAMS:
            threading.Thread(target=self._stream, args=(path,), daemon=True).start()

    def _is_up(self) -> bool:
        children = [(self._web, _WEB_PROCESSES), (self._worker, _CHILDREN)]
        try:
            requests.get(f"{self._home.url}/healthz", timeout=5)
        except requests.RequestException:
            return False
        return all(len(children_of(program.pid)) >= n for program, n in children)

    def stop(self) -> None:
        """Ends the streams."""
        self._over.set()

    def reach(self, tasks: int) -> None:
        """Brings it to so many tasks, all of them over."""
        with ThreadPoolExecutor(_ASKERS) as pool:
            for _ in pool.map(self._go_on, range(self._submitted, tasks)):
                """An error of any of them is raised here."""
        self._submitted = tasks
        wait_until(lambda: self._waiting() == 0, 600, what="every task is over", every_s=0.5)

    def _go_on(self, number: int) -> None:
        if number % _BACKLOG == 0:
            wait_until(lambda: self._waiting() < _BACKLOG, 600, every_s=0.5)
        if number < _WARMING or number % _ASK_EVERY == 0:
            self._ask(next(self._paths))
        self._submit(number)

    def _waiting(self) -> int:
        told = requests.get(f"{self._home.url}/api/v1/stats", timeout=60).json()["by_status"]
        assert told["failed"] == told["timeout"] == 0, told
        return int(told["pending"] + told["processing"])

    def _submit(self, number: int) -> None:
        body = {"content": f"Text {number}.", "engine": "tone"}
        answer = requests.post(f"{self._home.url}/api/v1/texts", json=body, timeout=60)
        assert answer.status_code == 201, answer.text
        self._last_id = answer.json()["task"]["id"]

    def _ask(self, path: str) -> None:
        answer = requests.get(self._home.url + self._at(path), timeout=60)
        assert answer.ok, f"{answer.url}: {answer.status_code} {answer.text[:200]}"

    def _stream(self, path: str) -> None:
        """Listens, and again where the stream has ended."""
        while not self._over.is_set():
            try:
                with requests.get(
                    self._home.url + self._at(path), stream=True, timeout=60
                ) as found:
                    for _ in found.iter_content(65536):
                        if self._over.is_set():
                            return
            except requests.RequestException:
                continue
            finally:
                self._over.wait(1)

    def _at(self, path: str) -> str:
        return path.format(id=self._last_id)

    def memory(self) -> dict[str, Memory]:
        """The memory of each kind of process, on average."""
        kinds = {
            "web master": [self._web.pid],
            "web process": children_of(self._web.pid),
            "worker parent": [self._worker.pid],
            "worker child": children_of(self._worker.pid),
            "duties": [self._duties.pid],
        }
        return {kind: memory_of(pids) for kind, pids in kinds.items()}


def _rows(n: int, now: Mapping[str, Memory], first: Mapping[str, Memory]) -> report.Result:
    return {f"{kind}, {n} tasks": _row(one, first[kind]) for kind, one in now.items()}


def _row(now: Memory, first: Memory) -> report.Row:
    return {
        "rss_mib": round(now.rss_kib / 1024, 1),
        "pss_mib": round(now.pss_kib / 1024, 1),
        "anonymous_mib": round(now.anonymous_kib / 1024, 1),
        "rss_of_first": round(now.rss_kib / first.rss_kib, 3),
        "pss_of_first": round(now.pss_kib / first.pss_kib, 3),
        "replaced": len(set(now.pids) - set(first.pids)),
    }


def measure(counts: Sequence[int]) -> report.Result:
    """Rows by kind of process, one for each number of tasks."""
    settings = {
        "VOXTRACE_WEB_PROCESSES": str(_WEB_PROCESSES),
        "VOXTRACE_WORKER_CONCURRENCY": str(_CHILDREN),
        "VOXTRACE_MAX_CONCURRENT": str(_CHILDREN),
    }
    found: list[dict[str, Memory]] = []
    rows: dict[str, report.Row] = {}
    with tempfile.TemporaryDirectory() as folder, Home.make(Path(folder), **settings) as home:
        run = LongRun(home)
        for n in counts:
            begun_s = time.monotonic()
            run.reach(n)
            found.append(run.memory())
            new = _rows(n, found[-1], found[0])
            rows |= new
            print(f"{time.monotonic() - begun_s:.0f} s\n{report.table(new)}", file=sys.stderr)
        run.stop()
    return dict(sorted(rows.items(), key=lambda row: row[0].partition(",")[0]))


def main() -> None:
    """Prints tables, or with `--json` one line of JSON."""
    counts = [int(word) for word in sys.argv[1:] if word.isdecimal()] or _TASKS
    result = measure(counts)
    print(json.dumps(result) if "--json" in sys.argv else report.table(result))


if __name__ == "__main__":
    main()
