"""The PostgreSQL of the benchmark: kept from run to run, with memory and disk as in earnest."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy.engine import make_url

from tests.bench.stats.place import ROOT, Place
from tests.support.postgres import PostgresServer, programs

#: A share of the machine's memory, and the most that it takes, in megabytes.
_MEMORY_SHARE: Final = 8
_MEMORY_MAX_MB: Final = 2048
_LONGEST_PATH: Final = 80
_MISSING: Final = "NO POSTGRESQL: not measured on it (apt-get install postgresql)"


def folder() -> Path:
    """Where the cluster lies.

    PostgreSQL refuses to run as root, and another user cannot come to a home that is root's only;
    and the path of a socket has little room.
    """
    inside = ROOT / "cluster"
    if os.geteuid() != 0 and len(str(inside)) <= _LONGEST_PATH:
        return inside
    name = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    return Path(f"/var/tmp/voxtrace-bench-{name}")  # noqa: S108 - a kept place; its name is ours


def server_pids(where: Place) -> tuple[int, ...]:
    """The process of the server that works for a place; none on SQLite."""
    if where.kind == "sqlite":
        return ()
    host = make_url(where.url).query["host"]
    return (int((Path(str(host)) / "data/postmaster.pid").read_text().partition("\n")[0]),)


def missing() -> str | None:
    """Why there is no PostgreSQL here; None where there is one."""
    return None if programs() else _MISSING


@contextlib.contextmanager
def running(*, is_safe: bool) -> Iterator[PostgresServer]:
    """The cluster, made where there is none.

    Args:
        is_safe: Whether what is committed survives a power cut, as in earnest; a fill needs it not.
    """
    bin_dir = programs()
    if bin_dir is None:
        raise RuntimeError(_MISSING)
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    switch = "on" if is_safe else "off"
    settings = {
        "fsync": switch,
        "synchronous_commit": switch,
        "full_page_writes": switch,
        "shared_buffers": f"{min(_MEMORY_MAX_MB, memory_mb // _MEMORY_SHARE)}MB",
        "effective_cache_size": f"{memory_mb // 2}MB",
        "maintenance_work_mem": f"{min(512, memory_mb // 16)}MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "30min",
        "wal_level": "minimal",
        "max_wal_senders": "0",
    }
    home = folder()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        server = PostgresServer(bin_dir, home=home, settings=settings)
    except pytest.skip.Exception as error:
        raise RuntimeError(str(error)) from error
    try:
        yield server.start()
    finally:
        server.stop()
