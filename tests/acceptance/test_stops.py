"""Each part is stopped, one at a time, and named within half a minute by all who are asked.

`voxtrace web`, `worker --without-duties` and `duties` are programs of their own, the collector and
Jaeger are real. Four services side by side, so that the waits overlap.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from app.service.canaries import canary
from app.service.health import HealthProbe
from app.service.submit import SubmitRequest, submit
from tests.support.backend import Backend
from tests.support.backends import Backends, Collector, Jaeger
from tests.support.home import Home, Program
from tests.support.wait import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

#: Seconds within which what was stopped must be named.
NAMED_S: Final = 30.0
#: Seconds that a start, or getting well again, may take on a busy machine.
PATIENCE_S: Final = 60.0

Json = dict[str, Any]


@dataclass(slots=True)
class Service:
    """Web, worker and duties of one home, each a program of its own, and how long naming took."""

    home: Home
    web: Program
    worker: Program
    duties: Program
    named_after_s: dict[str, float] = field(default_factory=dict)

    def ask(self, path: str) -> tuple[int, Json]:
        """Status and parts of a health address; (0, {}) where nothing answers."""
        try:
            answer = requests.get(f"{self.home.url}{path}", timeout=15)
        except requests.RequestException:
            return 0, {}
        return answer.status_code, answer.json()["checks"]

    def until_well(self) -> None:
        """Waits until both addresses say that nothing is bad."""

        def look() -> bool:
            full, checks = self.ask("/healthz?full=1")
            told = {name: one["detail"] for name, one in checks.items() if not one["ok"]}
            return full == 200 and self.ask("/readyz")[0] == 200 and not told

        wait_until(look, PATIENCE_S, what=f"{self.home.path} is well", every_s=0.25)

    def stopped(self, what: str, *names: str, stop: Callable[[], None]) -> None:
        """Stops something, and holds that it is named: by an address, and by `doctor`.

        Args:
            what: What is stopped, for the report.
            names: The parts that must be bad; the required ones make /readyz say 503.
            stop: Stops it.
        """
        stop()
        begun_s = time.monotonic()
        found: Json = {}

        def is_named() -> bool:
            nonlocal found
            found = self.ask("/healthz?full=1")[1]
            return bool(found) and all(not found[name]["ok"] for name in names)

        wait_until(is_named, NAMED_S, what=f"{what}: {names} named", every_s=0.25)
        self.named_after_s[what] = round(time.monotonic() - begun_s, 1)
        for name in names:
            assert found[name]["detail"], name
            assert found[name]["fix"], name
            assert found[name]["since"], name
        ready, _ = self.ask("/readyz")
        assert ready == (503 if any(found[name]["required"] for name in names) else 200), what
        self.is_told_by_doctor(names)

    def is_told_by_doctor(self, names: tuple[str, ...]) -> None:
        """`doctor` ends with 1, and names them too."""
        done = self.home.run("doctor", "--json")
        told = json.loads(done.stdout)
        assert done.returncode == 1
        assert all(told[name]["level"] == "bad" for name in names), done.stdout


def _home(path: Path, **environ: str) -> Home:
    """A home; made one after the other, since a migration is not for threads."""
    settings = {
        "VOXTRACE_WEB_PROCESSES": "1",
        "VOXTRACE_WORKER_CONCURRENCY": "1",
        "VOXTRACE_DRAIN_S": "0",
        **environ,
    }
    return Home.make(path, **settings)


@contextmanager
def _service(made: Home) -> Iterator[Service]:
    """A service that is well."""
    with made as home:
        web, duties = home.start("web"), home.start_duties()
        service = Service(home, web, home.start_worker(), duties)
        service.until_well()
        yield service


def _stop_worker(home: Home) -> dict[str, float]:
    """The worker is killed, then stands still; then the reaper's loop waits for a lock."""
    with _service(home) as service:
        service.stopped("worker killed", "workers", stop=service.worker.kill)
        worker = home.start_worker()
        service.until_well()
        stand_still = _signals(worker, signal.SIGSTOP)
        service.stopped("worker stands still", "workers", stop=stand_still)
        worker.kill()
        home.start_worker()
        service.until_well()
        with home.core.database.write():
            service.stopped("reaper locked", "database", "reaper", stop=lambda: None)
        service.until_well()
        return service.named_after_s


def _stop_duties(home: Home) -> dict[str, float]:
    """The duties are killed, then stand still: no reaper, and no forwarder; then the web goes."""
    with _service(home) as service:
        names = ("duties", "reaper", "forwarder")
        service.stopped("duties killed", *names, stop=service.duties.kill)
        duties = service.home.start_duties()
        service.until_well()
        stand_still = _signals(duties, signal.SIGSTOP)
        service.stopped("duties stand still", "duties", "reaper", stop=stand_still)
        duties.signal(signal.SIGCONT)
        service.until_well()
        service.web.kill()
        probe = HealthProbe(service.home.core, exports=True)
        wait_until(
            lambda: probe.read().checks["web"].level == "bad", NAMED_S, what="the web is named"
        )
        service.is_told_by_doctor(("web",))
        service.home.start("web")
        service.until_well()
        done = service.home.run("doctor")
        assert done.returncode == 0, done.stdout
        return service.named_after_s


def _stop_collector(home: Home, collector: Collector) -> dict[str, float]:
    """The collector is killed; then it hangs, and so does the forwarder, which waits for it."""
    with _service(home) as service:
        service.stopped("collector killed", "collector", stop=collector.kill)
        collector.start()
        service.until_well()
        core = service.home.core

        def hang() -> None:
            collector.signal(signal.SIGSTOP)
            submit(core, SubmitRequest(content="Spans wait.", source="cli", engine="tone"))

        service.stopped("forwarder hangs", "collector", "forwarder", stop=hang)
        collector.signal(signal.SIGCONT)
        service.until_well()
        return service.named_after_s


def _stop_jaeger(home: Home, jaeger: Jaeger) -> dict[str, float]:
    """A canary comes through; then Jaeger is killed, and then stands still."""
    with _service(home) as service:
        wait_until(lambda: _is_found(service.home), PATIENCE_S, what="a canary in Jaeger")
        service.stopped("jaeger killed", "jaeger", stop=jaeger.kill)
        jaeger.start()
        service.until_well()
        stand_still = _signals(jaeger, signal.SIGSTOP)
        service.stopped("jaeger stands still", "jaeger", stop=stand_still)
        jaeger.signal(signal.SIGCONT)
        service.until_well()
        return service.named_after_s


def _is_found(home: Home) -> bool:
    row, _ = canary.newest(home.core)
    return row is not None and (row.is_ok, row.cause) == (True, "found")


def _signals(program: Program | Backend, signum: int) -> Callable[[], None]:
    return lambda: program.signal(signum)


def test_each_stop_is_named_within_half_a_minute(backends: Backends, tmp_path: Path) -> None:
    """Worker, web, reaper, duties, forwarder, collector, Jaeger: each is named, then well again.

    By /healthz?full=1 and `doctor`, with cause, since when and what to do; by /readyz where the
    service cannot work without it, and only there.
    """
    with (
        Jaeger(backends.jaeger, tmp_path / "jaeger") as jaeger,
        Collector(backends.otelcol, tmp_path / "collector", jaeger) as collector,
        Collector(backends.otelcol, tmp_path / "other", jaeger) as other,
        ThreadPoolExecutor(4) as threads,
    ):
        sends = {"OTEL_EXPORTER_OTLP_ENDPOINT": other.http_endpoint}
        waits = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_endpoint,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "600000",
        }
        looks = {"VOXTRACE_JAEGER_URL": jaeger.url, "VOXTRACE_CANARY_MIN": "0.05", **sends}
        homes = [
            _home(tmp_path / "worker"),
            _home(tmp_path / "duties", **sends),
            _home(tmp_path / "forwarder", **waits),
            _home(tmp_path / "traces", **looks),
        ]
        runs = [
            threads.submit(_stop_worker, homes[0]),
            threads.submit(_stop_duties, homes[1]),
            threads.submit(_stop_collector, homes[2], collector),
            threads.submit(_stop_jaeger, homes[3], jaeger),
        ]
        took = {what: seconds for run in runs for what, seconds in run.result().items()}
    print("named after (s):", took)
    assert len(took) == 9
    assert max(took.values()) <= NAMED_S
