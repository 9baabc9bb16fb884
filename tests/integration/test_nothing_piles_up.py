"""Nothing piles up: a process that served and spoke more holds no more objects than before."""

import gc
import logging
from collections import Counter
from collections.abc import Callable

import pytest

from app.service.core import Core
from app.web import state
from telemetry import provider
from tests.support.documented import web_client
from tests.support.home import Home
from tests.support.service import claimed, run, spoken, start_worker, submitted
from tests.support.wait import wait_until

_PATHS = (
    "/api/v1/stats",
    "/api/v1/stats?by=worker&from=1h",
    "/api/v1/stats/series?step=hour",
    "/api/monitor/stats",
    "/api/v1/tasks?limit=50&count=1",
    "/api/v1/tasks?query=status:completed+engine:tone+dur:>0s",
    "/api/v1/tasks/1",
    "/api/v1/monitor",
    "/api/task/stream/1",
    "/metrics",
    "/tasks",
    "/tasks/1",
    "/stats",
    "/monitor",
    "/",
)
#: Rounds before the first count: caches are full then. And between the two counts.
_WARM, _MORE = 4, 8
#: Objects of a type that may come to stay, of which each round or task would leave one at least.
_MOST = _MORE - 1


def _kept(
    work: Callable[[], None], *, is_settled: Callable[[], bool] = lambda: True
) -> Counter[str]:
    """Objects that are there after more rounds of work and were not before them, by type."""

    def count() -> Counter[str]:
        wait_until(is_settled, 10, what="what was worked on is let go")
        gc.collect()
        kinds = (type(one) for one in gc.get_objects())
        names = Counter(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
        del names["weakref.ReferenceType"]  # a SQLite connection drops those of 200 cursors at once
        return names

    for _ in range(_WARM):
        work()
    before = count()
    for _ in range(_MORE):
        work()
    return count() - before


def test_web_keeps_nothing_of_a_request(home: Home) -> None:
    """Statistics, lists, pages and streams, again and again: no object stays for any of them."""
    spoken(home.core, "Spoken.")
    with web_client(home.settings) as client:

        def ask_all() -> None:
            for path in _PATHS:
                answer = client.get(path, headers={"Accept": "text/html"}, buffered=True)
                assert answer.status_code == 200, path

        kept = _kept(ask_all)
        assert state.of(client.application).holds.held == 0
    assert max(kept.values(), default=0) <= _MOST, kept.most_common(20)


def test_worker_keeps_nothing_of_a_task(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks that are spoken or fail: no object stays for any of them in the process that does."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's keep every line
    core = home.core
    pipeline = provider.worker_pipeline(release="1")  # one for a process, as in a child
    monkeypatch.setattr(provider, "worker_pipeline", lambda **_: pipeline)
    worker = start_worker(core)
    numbers = iter(range(10_000))

    def speak() -> None:
        _run(core, worker, f"Spoken, {next(numbers)}.")
        _run(core, worker, f"@fail permanent no\n{next(numbers)}")

    # the timer forgets what has ended within a second
    kept = _kept(speak, is_settled=lambda: pipeline.deadlines.stats().heap_size == 0)
    assert max(kept.values(), default=0) <= _MOST, kept.most_common(20)


def _run(core: Core, worker: str, content: str) -> None:
    submitted(core, content, engine="scripted")
    run(core, claimed(core, worker))
