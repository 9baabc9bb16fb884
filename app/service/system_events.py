"""What changed in the system, written in the transaction of the change itself."""

from typing import Final

from app.domain.records import WorkerRecord
from app.service.core import Core
from app.store import settings, system_events
from app.store.database import Connection

#: How a limit's setting is called in events: `engine:volc` for an engine's.
_ENGINE: Final = "engine:"


def worker_started(conn: Connection, core: Core, now: int) -> None:
    """Notes that this worker has started: for the first time, again, or with another release."""
    own = core.settings
    last = system_events.last_start(conn, own.worker_name)
    before = None if last is None else last.release
    kind = "start" if last is None else "restart" if before == own.release else "release"
    system_events.add(
        conn,
        {
            "at": now,
            "kind": kind,
            "worker": own.worker_name,
            "host": core.host,
            "release": own.release,
            "before": before if kind == "release" else None,
            "by": core.actor,
        },
    )


def worker_stopped(conn: Connection, core: Core, now: int, worker: WorkerRecord) -> None:
    """Notes that a worker is no more: its `state` is `stopped` or `dead`."""
    system_events.add(
        conn,
        {
            "at": now,
            "kind": "stop",
            "worker": worker.name,
            "host": worker.host,
            "release": worker.release,
            "value": worker.state,
            "by": core.actor,
        },
    )


def limit_changed(
    conn: Connection, core: Core, now: int, *, key: str, before: int | None, value: int | None
) -> None:
    """Notes that a limit has another value; `key` is that of its setting, None is "has none"."""
    if before == value:
        return
    is_engine = key.startswith(settings.ENGINE_LIMIT)
    name = f"{_ENGINE}{key.removeprefix(settings.ENGINE_LIMIT)}" if is_engine else key
    system_events.add(
        conn,
        {
            "at": now,
            "kind": "limit",
            "name": name,
            "before": None if before is None else str(before),
            "value": None if value is None else str(value),
            "by": core.actor,
        },
    )
