"""Forks children from a process that writes, beside another process that writes all the time.

Run as a program: `python -m tests.support.fork_storm URL CHILDREN`. Prints one JSON line.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from sqlalchemy import text

from app.domain.errors import VoxtraceError
from app.process import PARENT_PID, die_with_parent
from app.store import settings
from app.store.database import Database


def bump(database: Database, key: str) -> None:
    """One writing transaction."""
    with database.write() as conn:
        value = settings.get(conn, key) or 0
        settings.put(conn, key, value + 1, now=0, by="storm")


def child(url: str) -> int:
    """A forked child: it has none of its parent's connections, and commits three times."""
    inherited = [name for name in _open_files() if ".db" in name]
    if inherited:
        print("inherited", inherited, file=sys.stderr)
        return 1
    database = Database(url, role="attempt", pool_size=1)
    try:
        for _ in range(3):
            bump(database, "children")
    except VoxtraceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _open_files() -> list[str]:
    """Names of what this process has open."""
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            names.append(str(entry.readlink()))
        except OSError:
            continue
    return names


def storm(url: str, count: int) -> dict[str, int]:
    """Forks `count` children, two at a time, and writes between the forks."""
    database = Database(url, role="attempt", pool_size=1)
    failed = 0
    running: list[int] = []
    for _ in range(count):
        bump(database, "parent")
        pid = os.fork()
        if pid == 0:
            os._exit(child(url))
        running.append(pid)
        bump(database, "parent")
        if len(running) >= 2:
            failed += os.waitpid(running.pop(0), 0)[1] != 0
    failed += sum(os.waitpid(pid, 0)[1] != 0 for pid in running)
    with database.read() as conn:
        check = conn.execute(text("PRAGMA integrity_check")).scalar_one()
        return {
            "failed": failed,
            "children": settings.get(conn, "children") or 0,
            "parent": settings.get(conn, "parent") or 0,
            "whole": int(check == "ok"),
        }


def main() -> None:
    """Entry point: `storm` (default) or `writer`."""
    if sys.argv[1] == "writer":
        die_with_parent()
        database = Database(sys.argv[2], role="attempt", pool_size=1)
        pause = threading.Event()
        while not pause.wait(0.001):
            bump(database, "writer")
    url, count = sys.argv[1], int(sys.argv[2])
    environ = {**os.environ, PARENT_PID: str(os.getpid())}
    writer = subprocess.Popen(
        [
            sys.executable,
            "-m",
            __name__.replace("__main__", "tests.support.fork_storm"),
            "writer",
            url,
        ],
        env=environ,
    )
    try:
        print(json.dumps(storm(url, count)))
    finally:
        writer.kill()
        writer.wait()


if __name__ == "__main__":
    main()
