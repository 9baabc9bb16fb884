"""Fills a database with a count of tasks, through its own schema and triggers, and keeps it."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy.engine import make_url

from app import bootstrap, clock
from tests.bench.stats import cluster, cpu, inhabit, place
from tests.bench.stats.load import Loader
from tests.bench.stats.load_postgres import PostgresLoader
from tests.bench.stats.load_sqlite import SqliteLoader
from tests.bench.stats.place import Filled, Place, say

#: Bytes of a task with its text, submission, indexes and statistics, the sorting included.
TASK_BYTES: Final = 3100
#: Tasks from which each index is told.
_LARGE: Final = 1_000_000
#: What the statistics of ninety days take, however many the tasks.
FIXED_BYTES: Final = 700_000_000


class DiskFullError(Exception):
    """There is no room for the database."""


def ensure(where: Place, server_execute: Callable[[str], None] | None = None) -> Filled:
    """The database of a place: as it was left, or filled now.

    Args:
        where: The place.
        server_execute: Runs a statement on the PostgreSQL server.

    Raises:
        DiskFullError: It needs more than is free; nothing was changed.
    """
    found = place.known(where)
    if found is not None:
        say(f"{where.kind} {where.count}: kept from an earlier run")
        return found
    _check_room(where)
    place.clear(where)
    if server_execute is not None:
        name = make_url(where.url).database
        server_execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server_execute(f'CREATE DATABASE "{name}"')
    bootstrap.migrate(where.home().settings)
    end = clock.now_us() // 1_000_000 * 1_000_000
    working = (os.getpid(), *cluster.server_pids(where))
    used_s = cpu.used_s(*working)
    rows_s, indexes_s = _load(where, end)
    used_s = cpu.used_s(*working) - used_s
    inhabit.inhabit(where, end)
    filled = Filled(
        makers=place.makers(),
        count=where.count,
        end=end,
        rows_s=round(rows_s, 1),
        indexes_s=round(indexes_s, 1),
        cpu_s=round(used_s, 1),
        size_bytes=size_bytes(where),
    )
    place.tell(where, filled)
    return filled


def _check_room(where: Place) -> None:
    needed = where.count * TASK_BYTES + min(FIXED_BYTES, where.count * TASK_BYTES)
    folder = where.folder if where.kind == "sqlite" else cluster.folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    say(f"{where.kind} {where.count}: needs {needed / 1e9:.1f} GB, {free / 1e9:.0f} GB are free")
    if needed > free * 0.9:
        message = f"{needed / 1e9:.1f} GB are needed for {where.count} tasks, {free / 1e9:.1f} free"
        raise DiskFullError(message)


def _load(where: Place, end: int) -> tuple[float, float]:
    """Seconds for the rows, and for the indexes."""
    loader = _loader(where)
    try:
        begun_s = time.monotonic()
        loader.begin()
        loader.load(where.count, end, Progress(where))
        rows_s = time.monotonic() - begun_s
        loader.index(Named(where))
        indexes_s = time.monotonic() - begun_s - rows_s
    finally:
        loader.close()
    say(f"{where.kind} {where.count}: rows {rows_s:.0f} s, indexes {indexes_s:.0f} s")
    return rows_s, indexes_s


def _loader(where: Place) -> Loader:
    if where.kind == "sqlite":
        return SqliteLoader(where.folder / "voxtrace.db")
    return PostgresLoader(where.url)


def size_bytes(where: Place) -> int:
    """Bytes that the database takes on disk."""
    if where.kind == "sqlite":
        return Path(where.folder / "voxtrace.db").stat().st_size
    with psycopg.connect(place.plain_url(where.url)) as conn:
        row = conn.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0


class Named:
    """Says what is made, where that takes a while."""

    def __init__(self, where: Place) -> None:
        self._where = where

    def __call__(self, name: str) -> None:
        """Told what is made next."""
        if self._where.count >= _LARGE:
            say(f"{self._where.kind} {self._where.count}: {name}")


class Progress:
    """Says how far a fill is, at most every fifteen seconds."""

    def __init__(self, where: Place) -> None:
        self._where = where
        self._begun_s = self._said_s = time.monotonic()

    def __call__(self, done: int) -> None:
        """Told how many tasks are in."""
        now_s = time.monotonic()
        if now_s - self._said_s < 15:
            return
        self._said_s = now_s
        took_s = now_s - self._begun_s
        left_s = took_s / done * (self._where.count - done)
        rate = done / took_s
        say(
            f"{self._where.kind} {self._where.count}: {done / self._where.count:.0%},"
            f" {rate:.0f} tasks a second, {left_s:.0f} s to go"
        )
