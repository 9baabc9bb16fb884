"""What stands around the tasks: workers that ran them, and the limit of what runs at once."""

from sqlalchemy import insert

from app.store import settings
from app.store.tables import worker_table
from tests.bench.stats import shape
from tests.bench.stats.place import Place

#: More than the benchmark of writes has running at once, so that no claim waits for a slot.
MAX_CONCURRENT = 64


def inhabit(where: Place, end: int) -> None:
    """Writes the rows of workers (those of the newest release live on), and the limit."""
    core = where.core("migrate")
    try:
        with core.database.write() as conn:
            conn.execute(insert(worker_table), _workers(end))
            settings.put_first(
                conn, settings.MAX_CONCURRENT, MAX_CONCURRENT, now=end, by=core.actor
            )
    finally:
        core.database.close()


def _workers(end: int) -> list[dict[str, object]]:
    week_us = shape.HOURS * shape.HOUR_US // len(shape.RELEASES)
    rows: list[dict[str, object]] = []
    for number, (name, host) in enumerate(zip(shape.WORKERS, shape.HOSTS, strict=True)):
        for index, release in enumerate(shape.RELEASES):
            is_last = index == len(shape.RELEASES) - 1
            started_at = end - (len(shape.RELEASES) - index) * week_us
            rows.append(
                {
                    "id": f"{number * len(shape.RELEASES) + index:016x}",
                    "name": name,
                    "host": host,
                    "pid": 1000 + number,
                    "release": release,
                    "concurrency": 2,
                    "started_at": started_at,
                    "heartbeat_at": end if is_last else started_at + week_us,
                    "state": "up" if is_last else "stopped",
                    "ended_at": None if is_last else started_at + week_us,
                }
            )
    return rows
