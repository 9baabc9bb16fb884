"""Askers: several clients that ask a web for its statistics all the time, each time anew."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

from tests.support.home import Home
from tests.support.monotone import Answer
from tests.support.stats_told import READERS, Json

#: What is asked for; the whole of all time most often.
ADDRESSES: Final = (
    "/api/v1/stats",
    "/api/monitor/stats",
    "/api/v1/stats?by=engine",
    "/api/v1/stats",
    "/api/v1/stats/series?step=hour",
    "/api/monitor/stats",
    "/api/v1/stats?by=worker&from={begun}",
    "/api/v1/stats",
    "/api/v1/stats/series?step=day&by=voice",
    "/api/monitor/stats",
    "/api/v1/stats?from=48h",
    "/api/v1/monitor",
)
_TIMEOUT_S: Final = 60.0
#: Seconds between two questions of a client, and while the web is being started again.
_PAUSE_S: Final = 0.02
_ABSENT_S: Final = 0.2
_COUNTED: Final = ("/api/v1/stats", "/api/v1/stats/series", "/api/monitor/stats")


class LostError(Exception):
    """The web process was killed before it had answered, or (`AbsentError`) before it was asked."""


class AbsentError(LostError):
    """Nobody listens: the web is being started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer over HTTP; `pid` is the web process's, None where it has ended since."""

    status: int
    body: Json
    pid: int | None


class Askers:
    """Clients, each in a thread, from entering to leaving the context.

    Args:
        home: Whose web is asked.
        master: Tells the pid of gunicorn's master.
        clients: How many ask at once.
    """

    def __init__(self, home: Home, master: Callable[[], int], *, clients: int) -> None:
        self.answers: list[Answer] = []
        self.faults: list[str] = []
        self.lost = 0
        #: Answers by path, and those of each web process that ever was.
        self.by_path: Counter[str] = Counter()
        self.by_pid: Counter[int | None] = Counter()
        self._home, self._master = home, master
        #: Before anything happened.
        self._begun = int(time.time()) - 60
        self._numbers = count()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    @property
    def count(self) -> int:
        """Answers with statistics so far."""
        return sum(self.by_path[path] for path in _COUNTED)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(_TIMEOUT_S)

    def _run(self) -> None:
        while not self._over.wait(_PAUSE_S):
            address = ADDRESSES[next(self._numbers) % len(ADDRESSES)]
            begun_s = time.monotonic()
            try:
                reply = self.ask(address)
            except AbsentError:
                self._over.wait(_ABSENT_S)
            except LostError:
                with self._lock:
                    self.lost += 1
            else:
                self._note(address, reply, begun_s, time.monotonic())

    def ask(self, address: str) -> Reply:
        """One question over a connection of its own.

        Raises:
            LostError: No whole answer came.
            AbsentError: The web is not there.
        """
        host, _, port = self._home.environ["VOXTRACE_BIND"].rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT_S)
        try:
            connection.request("GET", address.format(begun=self._begun))
            answer = connection.getresponse()
            body = json.loads(answer.read())
            own_port = connection.sock.getsockname()[1]
            return Reply(
                status=answer.status, body=body, pid=_served_by(own_port, int(port), self._master())
            )
        except ConnectionRefusedError as error:
            raise AbsentError from error
        except (OSError, http.client.HTTPException) as error:
            raise LostError from error
        finally:
            connection.close()

    def _note(self, address: str, reply: Reply, begun_s: float, ended_s: float) -> None:
        path = address.partition("?")[0]
        told, faults = READERS[path]
        by = f"{reply.pid} {address}"
        with self._lock:
            self.by_path[path] += 1
            self.by_pid[reply.pid] += 1
            if reply.status != 200:
                self.faults.append(f"{by}: {reply.status} {reply.body}")
                return
            self.faults += [f"{by}: {fault}" for fault in faults(reply.body)]
            self.answers.append(
                Answer(begun_s=begun_s, ended_s=ended_s, by=by, told=told(reply.body))
            )


def _served_by(client_port: int, server_port: int, master: int) -> int | None:
    """The child of a master that has the other end of a connection within this host."""
    inode = _inode(f":{server_port:04X}", f":{client_port:04X}")
    children = _read(f"/proc/{master}/task/{master}/children").split()
    for pid in map(int, children):
        if inode is not None and inode in _sockets(pid):
            return pid
    return None


def _inode(local: str, remote: str) -> str | None:
    """The socket with these ports, as the kernel lists it (proc(5), /proc/net/tcp)."""
    for line in _read("/proc/net/tcp").splitlines():
        words: list[Any] = line.split()
        if words[1].endswith(local) and words[2].endswith(remote):
            return str(words[9])
    return None


def _sockets(pid: int) -> set[str]:
    """The sockets that a process has open, as far as they can be seen before it ends."""
    found: set[str] = set()
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            target = str(entry.readlink())
            found.add(target.removeprefix("socket:[").removesuffix("]"))
    return found


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
