"""A start of everything for acceptance tests: killed, started again, asked process by process."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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

    For moments, and reads alone: one that stands still may hold the database's write lock, since a
    process keeps the span of a request after it has answered. Held for seconds, the lock stops
    every heartbeat, and the tasks of a worker that is not heard are given to another.
    """
    others = [other for other in among if other != pid]
    for other in others:
        os.kill(other, signal.SIGSTOP)
    try:
        yield
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)
