"""`voxtrace up`: web, worker and duties on this machine, started, watched, and stopped as one."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from app import bootstrap, clock, process
from app.config.settings import Settings
from app.logs.logger import logger_of

log = logger_of(__name__)

#: Seconds in which everything must answer after the start.
READY_S = 60.0
#: Seconds for which every answer must be yes: each web process keeps a no for a moment.
STEADY_S = 0.4
#: Seconds a program may take to stop beyond the drain before it is killed.
STOP_S = 8.0
#: Seconds that a second Ctrl-C leaves for handing back.
AT_ONCE_S = 1.0


@dataclass(slots=True, kw_only=True)
class Program:
    """One program of ours: how it is started, and how it fares."""

    name: str
    arguments: list[str]
    running: subprocess.Popen[bytes] | None = None
    started_at_s: float = 0.0
    restart_at_s: float = 0.0
    wait_s: float | None = None

    def start(self) -> None:
        """Starts it by exec, in a session of its own: a Ctrl-C reaches `up` alone."""
        self.started_at_s = clock.monotonic_s()
        self.running = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "app", *self.arguments],
            env=process.child_environment(),
            start_new_session=True,
        )

    def signal(self, signum: int) -> None:
        """Sends a signal where it runs."""
        if self.running is not None and self.running.poll() is None:
            self.running.send_signal(signum)


@dataclass(slots=True)
class Supervisor:
    """Starts the programs, starts again what ends, and stops all."""

    settings: Settings
    programs: list[Program] = field(default_factory=list)
    wake: threading.Event = field(default_factory=threading.Event)
    interrupts: int = 0

    def run(self) -> int:
        """Runs until it is stopped; returns the exit code."""
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self._interrupt)
        self.programs = [
            Program(name="web", arguments=["web"]),
            Program(name="worker", arguments=["worker", "--without-duties"]),
            Program(name="duties", arguments=["duties"]),
        ]
        for program in self.programs:
            program.start()
        if not self._wait_ready():
            return self._stop(code=0 if self.interrupts else 1)
        self._say_ready()
        while not self.interrupts:
            self.wake.wait(0.5)
            self._restart_ended()
        return self._stop(code=0)

    def _interrupt(self, _signum: int, _frame: object) -> None:
        self.interrupts += 1
        self.wake.set()

    def _wait_ready(self) -> bool:
        """Waits until /readyz says yes; False where a program ends or the time is over."""
        until_s = clock.monotonic_s() + READY_S
        last = ""
        since_s: float | None = None
        while not self.interrupts and clock.monotonic_s() < until_s:
            ended = [p for p in self.programs if p.running and p.running.poll() is not None]
            if ended:
                code = ended[0].running.returncode if ended[0].running else None
                click.echo(
                    f"voxtrace: {ended[0].name} ended at its start with code {code}", err=True
                )
                return False
            is_ready, last = self._ask_ready()
            since_s = (since_s or clock.monotonic_s()) if is_ready else None
            if since_s is not None and clock.monotonic_s() - since_s >= STEADY_S:
                return True
            self.wake.wait(0.1)
        if not self.interrupts:
            click.echo(f"voxtrace: not ready after {READY_S:g} s: {last}", err=True)
        return False

    def _ask_ready(self) -> tuple[bool, str]:
        asked = urllib.request.Request(f"{self.settings.local_url}/readyz")  # noqa: S310 - ours
        if self.settings.api_token is not None:
            # only who shows the token is told what is not well
            asked.add_header("Authorization", f"Bearer {self.settings.api_token}")
        try:
            with urllib.request.urlopen(asked, timeout=2) as answer:  # noqa: S310 - our own web
                return answer.status == 200, ""
        except urllib.error.HTTPError as error:
            return False, error.read().decode("utf-8", "replace")[:500]
        except OSError as error:
            return False, str(error)

    def _say_ready(self) -> None:
        host = "localhost" if self.settings.is_loopback else self.settings.bind_host
        click.echo(
            f"voxtrace is ready: http://{host}:{self.settings.bind_port}/\n"
            f"  data in {self.settings.home}, engines {', '.join(self.settings.engines)}, "
            f"{self.settings.worker_concurrency} tasks at once\n"
            "  Ctrl-C stops it (running tasks go on at the next start), twice at once"
        )

    def _restart_ended(self) -> None:
        now_s = clock.monotonic_s()
        for program in self.programs:
            if program.running is not None and program.running.poll() is not None:
                ran_s = now_s - program.started_at_s
                program.wait_s = process.restart_wait_s(program.wait_s, ran_s)
                log.warning(
                    "a program ended: it is started again",
                    name=program.name,
                    code=program.running.returncode,
                    ran_s=round(ran_s, 1),
                    in_s=program.wait_s,
                )
                program.running = None
                program.restart_at_s = now_s + program.wait_s
            if program.running is None and now_s >= program.restart_at_s:
                program.start()

    def _stop(self, *, code: int) -> int:
        """Worker first (it drains), then web and duties, which show and settle what happens.

        A second Ctrl-C ends all of them: the worker hands back what it can in a second.
        """
        click.echo(
            f"voxtrace: stopping; running tasks get {self.settings.drain_s:g} s, then they are "
            "handed back at their last segment (Ctrl-C again: at once)"
        )
        self._signal("worker")
        self._wait_end("worker", within_s=self.settings.drain_s + STOP_S)
        is_hasty = self.interrupts > 1
        for name in ("worker", "web", "duties") if is_hasty else ("web", "duties"):
            self._signal(name)
        self._wait_end("worker", "web", "duties", within_s=AT_ONCE_S if is_hasty else STOP_S)
        for program in self.programs:
            program.signal(signal.SIGKILL)
            if program.running is not None:
                program.running.wait()
        process.kill_marked(os.environ[process.RUN_MARK])
        click.echo("voxtrace: stopped")
        return code

    def _signal(self, name: str) -> None:
        for program in self.programs:
            if program.name == name:
                program.signal(signal.SIGTERM)

    def _wait_end(self, *names: str, within_s: float) -> None:
        """Waits until the programs have ended, the time is over, or another Ctrl-C comes."""
        until_s, interrupts = clock.monotonic_s() + within_s, self.interrupts
        while any(self._is_running(name) for name in names) and clock.monotonic_s() < until_s:
            self.wake.clear()
            if self.interrupts > interrupts:
                return
            self.wake.wait(0.05)

    def _is_running(self, name: str) -> bool:
        return any(
            program.running is not None and program.running.poll() is None
            for program in self.programs
            if program.name == name
        )


def up(settings: Settings) -> int:
    """Migrates, starts everything, prints the address when all answer, and stays."""
    bootstrap.make_home(settings)
    killed = process.kill_leftovers(settings.home)
    if killed:
        click.echo(f"voxtrace: killed {killed} processes that an earlier start had left")
    problem = port_problem(settings)
    if problem:
        click.echo(f"voxtrace: {problem}", err=True)
        return 1
    with held_home(settings) as holder:
        if holder:
            click.echo(f"voxtrace: {settings.home} is in use by {holder}; stop that", err=True)
            return 1
        os.environ[process.RUN_MARK] = process.new_run_mark(settings.home)
        before, after = bootstrap.migrate(settings)
        if before != after:
            click.echo(f"voxtrace: database is now at {after} (was {before or 'empty'})")
        return Supervisor(settings).run()


@contextmanager
def held_home(settings: Settings) -> Iterator[str | None]:
    """Holds the home for one `up`; gives None, or who holds it already, in words.

    The lock goes with the process, however that ends.
    """
    path = bootstrap.run_dir(settings) / "up.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            yield f"another `voxtrace up` (pid {lock.read().strip() or 'unknown'})"
            return
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield None


def port_problem(settings: Settings) -> str | None:
    """What holds the address that the web wants, in words; None where it is free."""
    family = socket.AF_INET6 if ":" in settings.bind_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.bind_host, settings.bind_port))
        except OSError as error:
            holder = process.holder_of_port(settings.bind_port)
            by = f" by {holder}" if holder else ""
            return (
                f"{settings.bind} is taken{by} ({error.strerror}); stop that, or choose another "
                "address with VOXTRACE_BIND"
            )
    return None
