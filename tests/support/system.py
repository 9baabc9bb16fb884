"""A start of everything for acceptance tests: killed, started again, asked process by process."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support.home import Home, Program
from tests.support.running import (
    PATIENCE_S,
    get,
    kill_everything,
    start_up,
    stats,
    web_processes,
)
from tests.support.wait import wait_until

_HEALTH = "/api/v1/health"


@dataclass(slots=True)
class System:
    """`voxtrace up` on a home, with four web processes."""

    home: Home
    up: Program

    def restart(self) -> None:
        """Kill -9 of every process, and a new start on the same home."""
        kill_everything(self.up)
        self.up = start_up(self.home)

    def revive(self) -> None:
        """Starts it again where it has ended."""
        if self.up.popen.poll() is not None:
            self.restart()

    def limit(self, value: int) -> None:
        """`voxtrace limit N`."""
        done = self.home.run("limit", str(value))
        assert done.returncode == 0, done.stderr

    def tidy(self) -> None:
        """Takes back everything that waits or runs."""
        for name in ("pending", "processing"):
            for found in get(self.home, f"/api/v1/tasks?status={name}&limit=200").json()["tasks"]:
                requests.post(
                    f"{self.home.url}/api/v1/tasks/{found['id']}/cancel",
                    json={"everyone": True},
                    timeout=PATIENCE_S,
                )
        wait_until(lambda: stats(self.home)["active_tasks"] == 0, PATIENCE_S, what="nothing runs")

    def web(self) -> list[int]:
        """Pids of the four web processes."""
        return web_processes(self.up, 4)

    def connection_to(self, pid: int) -> requests.Session:
        """A connection that this web process serves; the server keeps it for 5 s of silence."""
        session = requests.Session()
        with only(pid, self.web()):
            answer = get(self.home, _HEALTH, session=session)
        assert answer.json()["web"]["pid"] == pid
        return session

    def ask_each(self, path: str) -> dict[int, requests.Response]:
        """The answer of every web process to a GET, by its pid; each tells that it is the one."""
        answers = {}
        for pid in self.web():
            with self.connection_to(pid) as connection:
                answers[pid] = get(self.home, path, session=connection)
                told = get(self.home, _HEALTH, session=connection).json()["web"]["pid"]
            assert told == pid, f"web process {told} answered for {pid}"
        return answers


@contextmanager
def only(pid: int, among: list[int]) -> Iterator[None]:
    """Stands the other web processes still (SIGSTOP), so that this one must answer.

    None of them stands still with a lock of SQLite that shuts others out: a process has one for
    moments while it reads, too, and whoever then wants it is refused after ten seconds ("locking
    protocol"); the write lock would stop every heartbeat.
    """
    others = [other for other in among if other != pid]
    try:
        wait_until(
            lambda: _stood_still(others), PATIENCE_S, what="others stand still, no lock held"
        )
        yield
    finally:
        _signal_each(others, signal.SIGCONT)


def _stood_still(pids: list[int]) -> bool:
    """Stops these processes; lets them go on again where one holds a lock alone."""
    _signal_each(pids, signal.SIGSTOP)
    wait_until(lambda: all(map(_stands, pids)), PATIENCE_S, what="every thread stands still")
    if not _lock_alone(pids):
        return True
    _signal_each(pids, signal.SIGCONT)
    return False


def _stands(pid: int) -> bool:
    """Whether every thread of a process is stopped: it stops a moment after the signal."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(_state_of(one) in {"T", None} for one in threads)


def _state_of(stat: Path) -> str | None:
    """The letter of a thread's state (proc(5)); None where it has just ended."""
    try:
        return stat.read_text().rpartition(") ")[2][0]
    except OSError:
        return None


def _lock_alone(pids: list[int]) -> bool:
    """Whether any of these processes has an exclusive lock on any file."""
    locks = Path("/proc/locks").read_text(encoding="ascii")
    # "1: POSIX  ADVISORY  WRITE 4711 fe:00:1234 120 120": those who wait have "->" after the number
    held = (line.split()[1:] for line in locks.splitlines())
    return any(lock[2] == "WRITE" and int(lock[3]) in pids for lock in held if lock[0] == "POSIX")


def _signal_each(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)
