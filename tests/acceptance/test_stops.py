"""Each part is stopped, one at a time, and named within half a minute by all who are asked.

`voxtrace web`, `worker --without-duties` and `duties` are programs of their own, the collector and
Jaeger are real. Seven services side by side, for both tests, so that the waits overlap.
"""

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.wait import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

#: Seconds within which what was stopped must be named.
NAMED_S: Final = 30.0
#: Seconds that a start, or getting well again, may take on a busy machine.
PATIENCE_S: Final = 60.0

Json = dict[str, Any]
#: Seconds until it was named, by what was stopped.
Took = dict[str, float]


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
        return _ask(self.home, path)

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


def _ask(home: Home, path: str) -> tuple[int, Json]:
    try:
        answer = requests.get(f"{home.url}{path}", timeout=15)
    except requests.RequestException:
        return 0, {}
    return answer.status_code, answer.json()["checks"]


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


def _stop_worker(home: Home) -> Took:
    """The worker is killed, then stands still."""
    with _service(home) as service:
        service.stopped("worker killed", "workers", stop=service.worker.kill)
        worker = home.start_worker()
        service.until_well()
        stand_still = _signals(worker, signal.SIGSTOP)
        service.stopped("worker stands still", "workers", stop=stand_still)
        worker.kill()
        home.start_worker()
        service.until_well()
        return service.named_after_s


def _stop_reaper(home: Home) -> Took:
    """The reaper's loop waits for a lock; then the web goes."""
    with _service(home) as service:
        with home.core.database.write():
            service.stopped("reaper locked", "database", "reaper", stop=lambda: None)
        service.until_well()
        service.web.kill()
        probe = HealthProbe(service.home.core, exports=False)
        wait_until(
            lambda: probe.read().checks["web"].level == "bad", NAMED_S, what="the web is named"
        )
        service.is_told_by_doctor(("web",))
        service.home.start("web")
        service.until_well()
        done = service.home.run("doctor")
        assert done.returncode == 0, done.stdout
        return service.named_after_s


def _stop_duties(home: Home) -> Took:
    """The duties are killed, then stand still: no reaper, and no forwarder."""
    with _service(home) as service:
        names = ("duties", "reaper", "forwarder")
        service.stopped("duties killed", *names, stop=service.duties.kill)
        duties = service.home.start_duties()
        service.until_well()
        stand_still = _signals(duties, signal.SIGSTOP)
        service.stopped("duties stand still", "duties", "reaper", stop=stand_still)
        duties.signal(signal.SIGCONT)
        service.until_well()
        return service.named_after_s


def _stop_collector(home: Home, collector: Collector) -> Took:
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


def _stop_jaeger(home: Home, jaeger: Jaeger) -> Took:
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


# The loop of one duty alone ----------------------------------------------------------------------


def _bad(checks: Json) -> set[str]:
    return {name for name, one in checks.items() if not one["ok"]}


def _stand_still(made: Home, duty: str) -> tuple[set[str], float]:
    """What became bad when the loop of a duty stood still, and after how many seconds."""
    with made as home:
        once = home.path / "stands"
        home.start("web")
        home.start(
            "duties", module="tests.support.standing_duties", STANDS=duty, STANDS_ONCE=str(once)
        )

        def checks() -> Json:
            return _ask(home, "/healthz?full=1")[1]

        wait_until(
            lambda: checks().get(duty, {}).get("level") == "ok",
            PATIENCE_S,
            what=f"the {duty} does its rounds",
        )
        before = _bad(checks())
        once.touch()
        begun_s = time.monotonic()
        wait_until(
            lambda: duty in _bad(checks()), NAMED_S, what=f"the {duty} is named", every_s=0.25
        )
        took_s = time.monotonic() - begun_s
        found = checks()
        assert re.match(rf"the {duty} is silent for \d+", found[duty]["detail"])
        assert found[duty]["fix"]
        assert found[duty]["since"]
        page = requests.get(f"{home.url}/system?lang=en", timeout=15).text
        assert f'id="part-{duty}" data-live data-level="bad"' in page
        assert f"the {duty} is silent for" in page
        return _bad(found) - before, took_s


# All of them -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """What the services tell in the end: those that are stopped, the two whose loop stands."""

    stops: list[Future[Took]]
    reaper: Future[tuple[set[str], float]]
    forwarder: Future[tuple[set[str], float]]


@pytest.fixture(scope="module")
def runs(backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Everything, begun at once."""
    path = tmp_path_factory.mktemp("stops")
    with (
        Jaeger(backends.jaeger, path / "jaeger") as jaeger,
        Collector(backends.otelcol, path / "collector", jaeger) as collector,
        Collector(backends.otelcol, path / "other", jaeger) as other,
        OtlpReceiver() as receiver,
        ThreadPoolExecutor(7) as threads,
    ):
        sends = {"OTEL_EXPORTER_OTLP_ENDPOINT": other.http_endpoint}
        waits = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_endpoint,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "600000",
        }
        looks = {"VOXTRACE_JAEGER_URL": jaeger.url, "VOXTRACE_CANARY_MIN": "0.05", **sends}
        receives = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        names = ("duties", "worker", "reaper", "forwarder", "traces", "reaper loop", "sender loop")
        environs: tuple[dict[str, str], ...] = (sends, {}, {}, waits, looks, {}, receives)
        homes = {
            name: _home(path / name, **environ)
            for name, environ in zip(names, environs, strict=True)
        }
        yield Runs(
            stops=[
                threads.submit(_stop_duties, homes["duties"]),
                threads.submit(_stop_worker, homes["worker"]),
                threads.submit(_stop_reaper, homes["reaper"]),
                threads.submit(_stop_collector, homes["forwarder"], collector),
                threads.submit(_stop_jaeger, homes["traces"], jaeger),
            ],
            reaper=threads.submit(_stand_still, homes["reaper loop"], "reaper"),
            forwarder=threads.submit(_stand_still, homes["sender loop"], "forwarder"),
        )


def test_each_stop_is_named_within_half_a_minute(runs: Runs) -> None:
    """Worker, web, reaper, duties, forwarder, collector, Jaeger: each is named, then well again.

    By /healthz?full=1 and `doctor`, with cause, since when and what to do; by /readyz where the
    service cannot work without it, and only there.
    """
    took = {what: seconds for run in runs.stops for what, seconds in run.result().items()}
    print("named after (s):", took)
    assert len(took) == 9
    assert max(took.values()) <= NAMED_S


def test_loop_that_stands_still_is_named_within_half_a_minute(runs: Runs) -> None:
    """By /healthz?full=1 and the page /system: the reaper (and that nobody leads), the forwarder.

    The process of a loop that stands still lives, and its other loops go on; nothing else is
    called bad.
    """
    assert runs.reaper.result()[0] == {"reaper", "duties"}
    assert runs.forwarder.result()[0] == {"forwarder"}
    print("named after (s):", runs.reaper.result()[1], runs.forwarder.result()[1])
