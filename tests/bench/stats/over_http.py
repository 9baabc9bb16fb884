"""The same over HTTP: a real gunicorn with one web process on the database, one client."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import requests

from tests.bench.report import Row
from tests.bench.stats.place import Filled, Place
from tests.bench.stats.timing import Effort, timed
from tests.support.pages import start_web

#: Address, and what its answer is called.
_PATHS: Final = {
    "GET /healthz": "/healthz",
    "GET /api/v1/stats": "/api/v1/stats",
    "GET /api/monitor/stats": "/api/monitor/stats",
    "GET /api/v1/stats?from=24h": "/api/v1/stats?from={day}",
    "GET /api/v1/stats/series?from=24h": "/api/v1/stats/series?from={day}",
    "GET /stats": "/stats",
    "GET /api/v1/tasks": "/api/v1/tasks",
    "GET /api/v1/tasks?query=status:failed": "/api/v1/tasks?query=status:failed",
    "GET /tasks": "/tasks",
    "GET /api/v1/attempts": "/api/v1/attempts",
    "GET /attempts?q=outcome:failure": "/attempts?q=outcome:failure",
}
_DAY_S: Final = 86_400


def measure(where: Place, filled: Filled, effort: Effort) -> dict[str, Row]:
    """A row for each address; `/healthz`, which reads no database, tells what HTTP itself takes."""
    day = f"{filled.end / 1e6 - _DAY_S:.0f}"
    return asked(where, effort, {name: path.format(day=day) for name, path in _PATHS.items()})


def asked(where: Place, effort: Effort, paths: Mapping[str, str]) -> dict[str, Row]:
    """A row for each address, by what its answer is called."""
    rows: dict[str, Row] = {}
    with where.home() as home, requests.Session() as session:
        web = start_web(home)
        with_web = replace(effort, pids=(*effort.pids, web.pid))
        for name, path in paths.items():
            answer, times = timed(partial(session.get, home.url + path, timeout=60), with_web)
            answer.raise_for_status()
            rows[name] = {**times.row(), "kB": round(len(answer.content) / 1000, 1)}
    return rows
