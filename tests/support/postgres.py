"""A throw-away PostgreSQL for tests, from the programs that Debian puts in /usr/lib/postgresql.

    server = shared_server()             # starts once in a test run; skips loudly where absent
    url = server.create_database()       # postgresql+psycopg://… of an empty database

It listens on a socket in its own directory only, so nothing can meet on a port. PostgreSQL refuses
to run as root: there it runs as the first of `postgres`, `nobody` that exists. It installs nothing;
VOXTRACE_TEST_POSTGRES_BIN names the directory of its programs where they lie elsewhere.
"""

import atexit
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest

from app.process import set_parent_death_signal

#: For tests: nothing need survive a power cut.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
}
_START_TIMEOUT_S = 60
#: A kept cluster writes what lies in its memory before it ends.
_STOP_TIMEOUT_S = 600


def programs() -> Path | None:
    """The directory of the newest `initdb`, or None where there is none."""
    named = os.environ.get("VOXTRACE_TEST_POSTGRES_BIN")
    if named:
        return Path(named)
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max(
        (path.parent for path in found), key=lambda path: float(path.parent.name), default=None
    )


class PostgresServer:
    """A cluster that runs until `stop`, or until this process ends.

    Args:
        bin_dir: Where `initdb` and `postgres` are.
        home: Its directory, which stays, and may hold a cluster; None: a temporary one.
        settings: Settings beside those of tests, or in their place.
    """

    def __init__(
        self,
        bin_dir: Path,
        *,
        home: Path | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._bin = bin_dir
        self._user = _unprivileged_user()
        self._is_kept = home is not None
        self._home = home or Path(tempfile.mkdtemp(prefix="vtpg", dir="/tmp"))
        self._settings = {**_SETTINGS, **settings}
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        """SQLAlchemy URL of a database of this server."""
        return f"postgresql+psycopg://postgres@/{database}?host={self._home}"

    def start(self) -> "PostgresServer":
        """Makes the cluster where there is none, and waits until it answers."""
        if self._user is not None:
            shutil.chown(self._home, self._user)
        data = self._home / "data"
        if not (data / "PG_VERSION").exists():
            self._run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                      "--locale=C", "--no-sync")  # fmt: skip
        settings = {**self._settings, "unix_socket_directories": str(self._home)}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (self._home / "log").open("wb") as log:
            process = subprocess.Popen(
                [self._bin / "postgres", "-D", data, *options],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self._home,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one prctl, no lock
            )
        self._process = process
        self._wait_until_ready(process)
        return self

    def create_database(self, template: str = "template1") -> str:
        """The URL of a new database; a `template` that has the tables saves making them again."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def execute(self, statement: str) -> None:
        """Runs one statement outside of any transaction."""
        self._run("psql", "-h", str(self._home), "-U", "postgres", "-d", "postgres",
                  "-v", "ON_ERROR_STOP=1", "-qc", statement)  # fmt: skip

    def stop(self) -> None:
        """Ends it: at once, and removes everything; or, where it is kept, once all is on disk."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT if self._is_kept else signal.SIGQUIT)
            process.wait(_STOP_TIMEOUT_S if self._is_kept else 30)
        if not self._is_kept:
            shutil.rmtree(self._home, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = self._try(program, *arguments)
        if done.returncode != 0:
            message = f"{program} failed: {done.stdout}{done.stderr}{self._log()}"
            raise RuntimeError(message)

    def _try(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self._bin / program), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, user=self._user, cwd=self._home, check=False
        )

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        """The socket appears some time after the start, with no event to wait for."""
        pause = threading.Event()
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while self._try("pg_isready", "-h", str(self._home)).returncode != 0:
            if process.poll() is not None or time.monotonic() > deadline_s:
                message = f"postgres did not start: {self._log()}"
                raise RuntimeError(message)
            pause.wait(0.05)

    def _log(self) -> str:
        log = self._home / "log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else ""


@cache
def shared_server() -> PostgresServer:
    """The server of this test run; skips the test where PostgreSQL is not installed."""
    bin_dir = programs()
    if bin_dir is None:
        pytest.skip("NO POSTGRESQL: not tested on it (apt-get install postgresql)")
    server = PostgresServer(bin_dir)
    atexit.register(server.stop)
    return server.start()


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return pytest.skip("NO POSTGRESQL: root cannot run it, and no user postgres or nobody exists")


def _die_with_parent() -> None:
    """SIGQUIT makes the postmaster end its children and itself at once."""
    set_parent_death_signal(signal.SIGQUIT)
