"""One failure group: its counts, where and when it failed, attempts to look at, what happened."""

from collections.abc import Iterable
from typing import Any, Final

from app.domain.correlation.dimensions import DIMENSIONS
from app.domain.errors import NotFoundError
from app.domain.records import FailureGroupRecord
from app.domain.window import EVER_US
from app.service.core import Core
from app.service.correlate import links, profiles
from app.service.failures import counting, reading, states, unstarted
from app.service.failures.asked import Asked, is_plain
from app.service.failures.views import Exemplar, Group, GroupView
from app.store import failure_cells, failure_counts, failure_exemplars, failure_groups
from app.store.database import Connection
from app.store.failure_counts import Bins, Told

#: Events that are shown, attempts and tasks that are counted, those among which the slowest is.
EVENTS: Final = 200
TASKS: Final = 10_000
SLOWEST_OF: Final = 2_000
_NO_BINS: Final = Bins(at=0, step_us=EVER_US)


def group(core: Core, fingerprint: str, asked: Asked) -> GroupView:
    """Everything about a group, from one snapshot; of what is asked the window counts.

    Raises:
        NotFoundError: Nothing has failed so.
        AskedError: The window is empty, or in the future.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        row = required(conn, fingerprint)
        start, end = asked.window(now)
        known = profiles.of_database(core.database)
        days = reading.of_one(conn, fingerprint)
        told = Told(names=DIMENSIONS, where=asked.where)
        wanted = reading.Wanted(keys=(fingerprint,), told=told, profiles=known, days=days)
        found = reading.read(conn, start, end, now, wanted)
        unstarted.add(conn, [row], found, told)
        everywhere = Told(names=DIMENSIONS, where={})
        ever = counting.of_cube(days, known.of(conn, days.ids), everywhere, _NO_BINS, 0)
        all_time = counting.counts(ever.get(fingerprint) or counting.none(DIMENSIONS, 0))
        kept = failure_counts.kept(conn, fingerprint, TASKS)
        ended = failure_counts.tasks_ended(conn, fingerprint, TASKS)
        return GroupView(
            group=shown(conn, row, failure_groups.last_at(conn, fingerprint), now),
            window=found.window,
            where=asked.where,
            all_time=all_time,
            in_window=counting.counts(found.of(fingerprint, told)),
            text_count=all_time.texts,
            kept_count=kept.attempts,
            task_count=kept.tasks,
            ended_count=ended,
            is_kept_count_capped=max(kept.attempts, ended) >= TASKS,
            exemplars=tuple(_exemplars(core, conn, fingerprint, now)),
            events=tuple(failure_groups.events_of(conn, fingerprint, EVENTS)),
            now=now,
        )


def required(conn: Connection, fingerprint: str, *, lock: bool = False) -> FailureGroupRecord:
    """The row of a group; raises NotFoundError where there is none."""
    row = failure_groups.get(conn, fingerprint, lock=lock) if is_plain(fingerprint) else None
    if row is None:
        message = f"failure group {fingerprint[:60]!r} does not exist"
        raise NotFoundError(message)
    return row


def shown(conn: Connection, row: FailureGroupRecord, last_at: int | None, now: int) -> Group:
    """A group as it is shown; `last_at` is when it was last seen, as its rows say."""
    if last_at is None:  # retention has removed its rows; the cube knows the hour
        last_at = failure_cells.last_hour(conn, row.fingerprint)
    return states.group(row, last_at, now)


def _exemplars(core: Core, conn: Connection, fingerprint: str, now: int) -> Iterable[Exemplar]:
    keys = {
        "newest": failure_exemplars.newest(conn, fingerprint),
        "first": failure_exemplars.first(conn, fingerprint),
        "slowest": failure_exemplars.slowest(conn, fingerprint, SLOWEST_OF),
    }
    for which, key in keys.items():
        row = None if key is None else failure_exemplars.get(conn, *key)
        if row is not None:
            yield _exemplar(core, which, row, now)


def _exemplar(core: Core, which: str, row: dict[str, Any], now: int) -> Exemplar:
    seen_at, ended_at = row.pop("trace_seen_at"), row.pop("task_ended_at")
    jaeger_url = links.jaeger_url(
        core, trace_id=row["trace_id"], seen_at=seen_at, ended_at=ended_at or row["at"], now=now
    )
    url = links.attempt_url(row["task_id"], row["attempt"])
    return Exemplar(which=which, url=url, jaeger_url=jaeger_url, **row)
