"""Resend: spans that were sent go once more; a task span that is no longer there is made again.

For a backend that lost what a collector had acknowledged. Sending twice is harmless: the same span
is the same bytes, whoever makes it and however often. Everything happens in short transactions, so
a resend of many rows stops nobody, and one that is killed is half done and may be repeated.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from app.domain.records import TaskRecord
from app.service import spans
from app.service.core import Core
from app.store import tasks as task_store
from app.store import traces as trace_store
from app.store.database import Connection
from telemetry import outbox, provider
from telemetry.outbox import Renewed

#: Tasks that one transaction looks at.
_TASKS_PER_CALL: Final = 100
#: Tasks that one read returns.
_TASKS_PER_READ: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """What goes once more.

    Attributes:
        rows: Rows of the outbox that are new again.
        spans: Spans in them.
        rebuilt_tasks: Tasks whose span lay in the outbox no longer, and was made from their row;
            the spans of their attempts are gone.
        task_ids: Tasks that all these tell of.
    """

    rows: int = 0
    spans: int = 0
    rebuilt_tasks: int = 0
    task_ids: frozenset[int] = field(default=frozenset(), repr=False)

    def __add__(self, other: "Resent") -> "Resent":
        """Both together."""
        return Resent(
            rows=self.rows + other.rows,
            spans=self.spans + other.spans,
            rebuilt_tasks=self.rebuilt_tasks + other.rebuilt_tasks,
            task_ids=self.task_ids | other.task_ids,
        )


def tasks(core: Core, task_ids: Iterable[int]) -> Resent:
    """Sends again what was sent of these tasks, and makes task spans that are gone.

    What waits, and what is quarantined, stays as it is. An id that no task has is passed over.
    Cost: an index look-up for each task, and each row written once.
    """
    until_us = _now(core)
    total = Resent()
    for ids in _chunks(sorted(set(task_ids))):
        total += _until_none(core, partial(_again, ids=ids, until_us=until_us))
        total += core.database.run(partial(_complete, core, ids=ids, until_us=until_us))
    return total


def window(core: Core, *, since_us: int, until_us: int | None = None) -> Resent:
    """Sends again what was sent in [since, until), and task spans of what ended then and are gone.

    Args:
        core: Where to write.
        since_us: Microseconds since the epoch.
        until_us: The same; None: now. Later than now counts as now, or it would chase itself.
    """
    now_us = _now(core)
    end_us = now_us if until_us is None else min(until_us, now_us)
    total = _until_none(
        core, lambda conn: _of(outbox.resend(conn, since_us=since_us, until_us=end_us))
    )
    for found in _finished(core, since_us, end_us):
        for ids in _chunks([task.id for task in found]):
            total += core.database.run(partial(_rebuild, core, ids=ids))
    return total


def poison(
    core: Core,
    *,
    task_ids: Sequence[int] | None = None,
    since_us: int = 0,
    until_us: int | None = None,
) -> Resent:
    """Sends again what the collector refused and is quarantined, once its cause is mended.

    Args:
        core: Where to write.
        task_ids: Only what tells of these tasks; None: everything.
        since_us: Only rows made at this moment or later,
        until_us: and before this one; None: however late.
    """
    release = partial(
        outbox.release_poison, task_ids=task_ids, since_us=since_us, until_us=until_us
    )
    total, last_id = Resent(), 0
    while (renewed := core.database.run(partial(release, after_id=last_id))).rows:
        total, last_id = total + _of(renewed), renewed.last_id
    return total


def _again(conn: Connection, *, ids: Sequence[int], until_us: int) -> Resent:
    return _of(outbox.resend_tasks(conn, ids, until_us=until_us))


def _complete(core: Core, conn: Connection, *, ids: Sequence[int], until_us: int) -> Resent:
    """The requests that made these tasks, which may be filed under another; and what is gone."""
    traces = sorted({task.trace_id for task in task_store.many(conn, list(ids))})
    requests = _of(outbox.resend_requests(conn, traces, until_us=until_us))
    return requests + _rebuild(core, conn, ids=ids)


def _rebuild(core: Core, conn: Connection, *, ids: Sequence[int]) -> Resent:
    """Makes the task spans that the outbox has in no state, of those tasks that have ended."""
    if not provider.is_enabled():
        return Resent()
    gone = sorted(set(ids) - outbox.with_task_span(conn, ids))
    ended = [task for task in task_store.many(conn, gone) if task.is_final]
    for task in sorted(ended, key=lambda task: task.id):
        spans.ended(conn, task, core.database.now_us(conn))
    return Resent(rebuilt_tasks=len(ended), task_ids=frozenset(task.id for task in ended))


def _finished(core: Core, since_us: int, until_us: int) -> Iterator[list[TaskRecord]]:
    """Tasks that ended in [since, until), in reads that each hold a snapshot for a moment only."""
    after = (since_us - 1, 2**62)
    while True:
        with core.database.read() as conn:
            found = trace_store.ended_between(
                conn, after, until_us, limit=_TASKS_PER_READ, with_canaries=True
            )
        if not found:
            return
        yield found
        after = (found[-1].finished_at or since_us, found[-1].id)


def _until_none(core: Core, step: Callable[[Connection], Resent]) -> Resent:
    """A bounded step in transactions of its own, until it finds no more rows."""
    total = Resent()
    while (found := core.database.run(step)).rows:
        total += found
    return total


def _of(renewed: Renewed) -> Resent:
    return Resent(rows=renewed.rows, spans=renewed.spans, task_ids=renewed.task_ids)


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _TASKS_PER_CALL):
        yield ids[start : start + _TASKS_PER_CALL]


def _now(core: Core) -> int:
    with core.database.read() as conn:
        return core.database.now_us(conn)
