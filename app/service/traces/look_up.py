"""Look-up: sees in Jaeger whether a finished task's trace is there, and sends again what is not.

An acknowledgement is no proof: a collector and a Jaeger that were killed in turn had acknowledged
traces that were gone. So each trace is looked for half a minute after it left, until it was seen
once. One that stays away is sent and looked for at growing intervals, then left to `verify`.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from app.domain.records import TaskRecord
from app.service import pieces
from app.service.core import Core
from app.service.traces import resend, trace_compare, trace_rows
from app.service.traces.resend import Resent
from app.service.traces.trace_compare import Compared, Match
from app.service.traces.trace_rows import TraceRows
from app.store import events, tasks, traces
from app.store.database import Connection
from telemetry import outbox
from telemetry.jaeger import JaegerClient, JaegerTrace
from telemetry.outbox import Look

#: Traces that one call looks for, one after the other.
LOOKS_PER_CALL = 50
#: Times that a trace is sent again before it is left alone.
MAX_RESENDS = 10
#: Microseconds between two times; they double up to the longest.
_FIRST_PAUSE_US = 30_000_000
_LONGEST_PAUSE_US = 3_600_000_000
#: Traces of one sample; the share of Jaeger's time in which it surely still has them.
_SAMPLE = 3
_SURELY_KEPT = 0.9
#: Other spans of a task may leave a little later than the task's own.
_EARLY_US = 15_000_000
#: Tasks whose spans one transaction makes new again.
_BATCH = 100
#: Kind of the event that tells of it.
EVENT_RESENT = "trace_resent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one call saw: traces that are there, that were sent again, that were given up."""

    seen: int = 0
    resent: int = 0
    given_up: int = 0
    is_full: bool = False

    @property
    def total(self) -> int:
        """How many were looked for."""
        return self.seen + self.resent + self.given_up


def look(core: Core, jaeger: JaegerClient, *, limit: int = LOOKS_PER_CALL) -> Looked:
    """Looks for the traces that are due.

    Where Jaeger does not answer nothing is judged, and all stays due.

    Raises:
        JaegerError: Jaeger does not answer.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        due = outbox.due(conn, now, limit=limit)
        if not due:
            return Looked()
        sought = tasks.many(conn, sorted({one.task_id for one in due}))
        rows = trace_rows.read(conn, [task for task in sought if task.is_final])
    plan = _plan(core, [(one, one_trace(core, jaeger, one)) for one in rows], now)
    send_again(core, plan.again)
    core.database.run(lambda conn: _note(conn, due, plan))
    return Looked(
        seen=len(plan.seen),
        resent=len(plan.again),
        given_up=len(plan.given_up),
        is_full=len(due) >= limit,
    )


def sample(core: Core, jaeger: JaegerClient, dice: random.Random) -> bool:
    """Looks again for a few traces that were seen, anywhere in the time that Jaeger keeps them.

    Where one is gone, Jaeger has lost what it had (its disk was wiped or put back): then every
    trace is sought again, and sent again where it is missing. Returns whether that is so.

    Raises:
        JaegerError: Jaeger does not answer.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        kept_us = round(core.settings.jaeger_retention_h * 3_600_000_000 * _SURELY_KEPT)
        start = traces.first_finish(conn, now - kept_us)
        if start is None:
            return False
        seen = traces.seen_after(conn, dice.randint(start - 1, now), limit=_SAMPLE)
        seen = seen or traces.seen_after(conn, start - 1, limit=_SAMPLE)
    if all(jaeger.trace(task.trace_id) is not None for task in seen):
        return False
    while core.database.run(lambda conn: outbox.look_now(conn, now)):
        continue
    return True


def seek_again(core: Core, task_ids: Sequence[int]) -> None:
    """Has these traces sought again at once."""
    core.database.run(
        lambda conn: outbox.look_now(conn, core.database.now_us(conn), task_ids=task_ids)
    )


def one_trace(core: Core, jaeger: JaegerClient, rows: TraceRows) -> Compared:
    """Compares a task with its trace.

    Raises:
        JaegerError: Jaeger does not answer.
    """
    return judge(core, rows, jaeger.trace(rows.task.trace_id))


def judge(core: Core, rows: TraceRows, trace: JaegerTrace | None) -> Compared:
    """Compares a task with the trace that Jaeger has (None: it has none)."""
    is_kept = trace_compare.lacks_parent(rows, trace) and parent_is_kept(core, rows)
    return trace_compare.compare(rows, trace, parent_is_kept=is_kept)


def parent_is_kept(core: Core, rows: TraceRows) -> bool:
    """Whether the outbox has the span of the request that made the task."""
    with core.database.read() as conn:
        payloads = outbox.of_trace(conn, rows.task.trace_id)
    return (rows.task.parent_span_id or "") in pieces.decoded(payloads, rows.task.trace_id)


def send_again(core: Core, task_ids: Sequence[int]) -> Resent:
    """Sends the spans of these tasks again, and notes on each row and as an event that it does.

    Short transactions of `_BATCH` tasks each; one that is killed between is done again.
    """
    total = Resent()
    for at in range(0, len(task_ids), _BATCH):
        batch = task_ids[at : at + _BATCH]
        resent = resend.tasks(core, batch)
        went = [task_id for task_id in batch if task_id in resent.task_ids]
        if went:
            core.database.run(partial(_note_missing, core, task_ids=went))
        total += resent
    return total


def _note_missing(core: Core, conn: Connection, *, task_ids: Sequence[int]) -> None:
    now = core.database.now_us(conn)
    traces.note_missing(conn, task_ids, now)
    for task_id in task_ids:
        events.add(conn, {"task_id": task_id, "at": now, "kind": EVENT_RESENT, "by": core.actor})


@dataclass(slots=True, kw_only=True)
class _Plan:
    """What is to be done with the tasks whose traces were looked for.

    Attributes:
        later: Task to the moment at which it is looked for again.
    """

    now: int
    seen: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    later: dict[int, int] = field(default_factory=dict)


def _plan(core: Core, found: Sequence[tuple[TraceRows, Compared]], now: int) -> _Plan:
    plan = _Plan(now=now)
    lacking = []
    for rows, compared in found:
        # a span that Jaeger has twice is there: sending it again would change nothing
        if compared.match in {Match.EQUAL, Match.DOUBLED}:
            plan.seen.append(rows.task.id)
        elif rows.task.trace_resends >= MAX_RESENDS:
            plan.given_up.append(rows.task.id)
        else:
            lacking.append(rows.task)
    young = _young(core, [task.id for task in lacking], now) if lacking else set()
    for task in lacking:
        again_at = _again_at(task)
        if task.id in young:
            plan.later[task.id] = now + outbox.LOOK_AFTER_US // 2
        elif again_at > now:
            plan.later[task.id] = again_at
        else:
            plan.again.append(task.id)
    return plan


def _young(core: Core, task_ids: Sequence[int], now: int) -> set[int]:
    """Those with spans that have not left, or may still be on their way."""
    with core.database.read() as conn:
        edge_us = outbox.settled_before(conn, now) + _EARLY_US
        return outbox.young(conn, task_ids, sent_after_us=edge_us)


def _again_at(task: TaskRecord) -> int:
    """When a trace that is not there may be sent again: at once, then after growing pauses."""
    if task.trace_missing_at is None:
        return 0
    pause_us = _FIRST_PAUSE_US << max(0, task.trace_resends - 1)
    return task.trace_missing_at + min(_LONGEST_PAUSE_US, pause_us)


def _note(conn: Connection, due: Sequence[Look], plan: _Plan) -> None:
    """One transaction: what was seen, and when what was not is looked for next.

    Rows that are sent again get their moment when they leave, which may have been just now.
    """
    traces.note_seen(conn, plan.seen, plan.now)
    open_ids = plan.later.keys() | set(plan.again)
    outbox.look_again(conn, [one.row_id for one in due if one.task_id not in open_ids], None)
    for task_id, at in plan.later.items():
        outbox.look_again(conn, [one.row_id for one in due if one.task_id == task_id], at)
