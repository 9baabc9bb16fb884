"""A home of voxtrace for tests: settings, a migrated database, programs that run on it."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from app import bootstrap, process
from app.config.settings import Settings, load
from app.domain.records import WorkerRecord
from app.service.core import Core
from app.store import workers
from tests.support import migrated
from tests.support.wait import wait_until

#: Environment that tests of programs start from: nothing of ours, nothing of OpenTelemetry's.
CLEAN = {
    name: value for name, value in os.environ.items() if not name.startswith(("VOXTRACE_", "OTEL_"))
}


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Program:
    """A program of ours that runs; its output is kept."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.popen.pid

    def output(self) -> str:
        """Everything it has printed."""
        return self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """Pids of its direct children that are alive."""
        return children_of(self.pid)

    def signal(self, signum: int) -> None:
        """Sends it a signal."""
        self.popen.send_signal(signum)

    def wait(self, timeout_s: float) -> int:
        """Its exit code; fails with its output where it does not end in time."""
        try:
            return self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            message = f"{self.name} still runs after {timeout_s} s:\n{self.output()[-4000:]}"
            raise AssertionError(message) from None

    def kill(self) -> None:
        """SIGKILLs it (its children die with it) and waits for its end."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait(10)


def children_of(pid: int) -> list[int]:
    """Pids whose parent is `pid`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            fields = stat.rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@dataclass(slots=True)
class Home:
    """A home in a temporary directory. Use it as a context: it ends what it started."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)
    programs: list[Program] = field(default_factory=list)
    _core: Core | None = None

    @classmethod
    def make(cls, path: Path, database_url: str | None = None, **environ: str) -> Self:
        """A migrated home; `environ` are settings, such as VOXTRACE_ENGINES='tone'."""
        values = {
            "VOXTRACE_HOME": str(path),
            "VOXTRACE_BIND": f"127.0.0.1:{free_port()}",
            "VOXTRACE_ENGINES": "tone,scripted",
            "VOXTRACE_WORKER_CONCURRENCY": "2",
            "VOXTRACE_WORKER_NAME": "w1",
            "VOXTRACE_WEB_PROCESSES": "2",
            "VOXTRACE_CANARY_MIN": "0",
            "VOXTRACE_WATCH_EVERY_S": "0",
            **({"VOXTRACE_DATABASE_URL": database_url} if database_url else {}),
            **environ,
        }
        home = cls(path, values)
        file = home.settings.home / "voxtrace.db"
        if home.settings.database_url == f"sqlite:///{file}" and not file.exists():
            bootstrap.make_home(home.settings)
            migrated.copy_to(file)
        elif migrated.is_current(home.settings.database_url):
            bootstrap.make_home(home.settings)
        else:
            bootstrap.migrate(home.settings)
        return home

    @property
    def settings(self) -> Settings:
        """The checked settings."""
        return load(self.environ)

    @property
    def url(self) -> str:
        """Where the web answers."""
        return f"http://{self.environ['VOXTRACE_BIND']}"

    @property
    def core(self) -> Core:
        """A Core of this test's process."""
        if self._core is None:
            self._core = bootstrap.make_core(self.settings, role="cli", actor="test")
        return self._core

    def start(self, *arguments: str, module: str = "app", **environ: str) -> Program:
        """Starts `voxtrace ARGUMENTS` on this home, or a module of the tests in its place."""
        name = " ".join(arguments)
        log = self.path / f"{arguments[0]}.{len(self.programs)}.log"
        with log.open("wb") as output:
            popen = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env={**CLEAN, **self.environ, process.PARENT_PID: str(os.getpid()), **environ},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        program = Program(name, popen, log)
        self.programs.append(program)
        return program

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs a `voxtrace` command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            env={**CLEAN, **self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start_worker(
        self, name: str = "w1", *arguments: str, module: str = "app", **environ: str
    ) -> Program:
        """Starts a worker and waits until it is known to be up."""
        before = {worker.id for worker in live_workers(self.core)}
        words = ("worker", "--without-duties", *arguments)
        worker = self.start(*words, module=module, VOXTRACE_WORKER_NAME=name, **environ)
        wait_until(
            lambda: (
                worker.popen.poll() is None
                and any(
                    found.name == name and found.id not in before
                    for found in live_workers(self.core)
                )
            ),
            30,
            what=f"worker {name} is up",
        )
        return worker

    def start_duties(self, **environ: str) -> Program:
        """Starts the duties of this host."""
        return self.start("duties", **environ)

    def stop_all(self) -> None:
        """Kills what is left of the programs."""
        for program in self.programs:
            program.kill()
        if self._core is not None:
            self._core.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            for program in self.programs:
                print(f"--- {program.name} (pid {program.pid})\n{program.output()[-6000:]}")
        self.stop_all()


def live_workers(core: Core) -> list[WorkerRecord]:
    """Workers that are up or draining."""
    with core.database.read() as conn:
        return workers.live(conn)


def terminate(program: Program, timeout_s: float = 30) -> int:
    """SIGTERM, then its exit code."""
    program.signal(signal.SIGTERM)
    return program.wait(timeout_s)
