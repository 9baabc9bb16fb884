"""The log of a task: lines about it, kept in rows beside it, the newest of them.

A line that is true once a transaction commits (a claim, a verdict) is told with `tell`: its row is
part of the transaction, and it is logged when that has committed, never where it was rolled back.
Every other line waits in `KEPT` for the next transaction of its task.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from app.domain.errors import ErrorKind, NotFoundError, StoreError
from app.domain.records import LogLineRecord, TaskRecord
from app.logs.kept import KEPT
from app.logs.line import LEVELS, LOGGER_CHARS, Line, clean_fields, clean_message
from app.logs.logger import logger_of
from app.service import database_clock
from app.service.core import Core
from app.store import task_log, tasks
from app.store.database import Connection
from telemetry import otel_context

#: Levels that can be asked for.
LEVEL_NAMES: Final[Mapping[str, str]] = MappingProxyType({name: name for name in LEVELS})
#: Lines that one answer holds at most.
MAX_LINES: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A line that is true once its transaction has committed.

    Attributes:
        span_id: The span that it tells of, in the task's trace; None for the one that is live,
            and where none is, for the task's own.
        logger: Name of the module that tells it.
    """

    task: TaskRecord
    logger: str
    event: str
    level: int = logging.INFO
    attempt: int | None = None
    span_id: str | None = None
    fields: Mapping[str, object]


def tell(core: Core, conn: Connection, told: Told, now: int) -> None:
    """Keeps a line in the transaction in hand, which holds the task's row, and logs it after."""
    if _keeps(core, told.level):
        task_log.add(conn, [_told_row(core, told, now)])
        task_log.prune(conn, told.task.id, core.settings.task_log_lines)
    core.database.after_commit(conn, partial(_log, told))


def _keeps(core: Core, level: int) -> bool:
    least = max(logging.INFO, LEVELS[core.settings.log_level.lower()])
    return core.settings.task_log_lines > 0 and level >= least


def _log(told: Told) -> None:
    fields: dict[str, Any] = {**told.fields, "task_id": told.task.id, "attempt": told.attempt}
    if told.span_id is not None or otel_context.current() is None:
        span_id = told.span_id or told.task.span_id
        fields |= {"trace_id": told.task.trace_id, "span_id": span_id}
    logger_of(told.logger).log(told.level, told.event, is_told=True, **fields)


def _told_row(core: Core, told: Told, now: int) -> dict[str, Any]:
    return _row(
        core,
        Line(
            at_us=now,
            level=told.level,
            logger=told.logger[:LOGGER_CHARS],
            message=clean_message(told.event),
            fields=clean_fields(told.fields),
            task_id=told.task.id,
            attempt=told.attempt,
            span_id=told.span_id or _own_span_id(told.task),
        ),
    )


def _own_span_id(task: TaskRecord) -> str:
    """The live span, where it is one of the task's trace; else the task's."""
    live = otel_context.current()
    is_own = live is not None and live.trace_id_hex == task.trace_id
    return live.span_id_hex if live is not None and is_own else task.span_id


def _row(core: Core, line: Line) -> dict[str, Any]:
    return {
        "task_id": line.task_id,
        "attempt": line.attempt,
        "at": line.at_us,
        "level": line.level,
        "logger": line.logger,
        "message": line.message,
        "fields": json.dumps(dict(line.fields), ensure_ascii=False),
        "program": KEPT.program,
        "host": core.host[:255],
        "pid": os.getpid(),
        "span_id": line.span_id,
    }


def write(
    core: Core, conn: Connection, task_id: int, lines: Sequence[Line], *, offset_us: int
) -> None:
    """Writes lines of a task and removes the oldest above the bound; none where it is gone.

    Args:
        core: Whose lines they are.
        conn: A transaction that happens anyway, or one of its own.
        task_id: The task of all of them.
        lines: Oldest first.
        offset_us: What to add to this host's clock to get the database's.
    """
    trace_id = task_log.hold(conn, task_id)
    if trace_id is None:
        return
    rows = [_row(core, line) for line in lines]
    for row, line in zip(rows, lines, strict=True):
        row["at"] += offset_us
        row["span_id"] = line.span_id if line.trace_id == trace_id else None
    task_log.add(conn, rows)
    task_log.prune(conn, task_id, core.settings.task_log_lines)


def write_waiting(core: Core) -> int:
    """Writes every line that waits in this process, a transaction for each task; returns how many.

    Raises:
        StoreError: The database did not take them; where it is busy they wait again.
    """
    written = 0
    for task_id in KEPT.task_ids():
        lines = KEPT.of_task(task_id)
        try:
            core.database.run(partial(_write_one, core, task_id=task_id, lines=lines))
        except StoreError as error:
            if error.kind is ErrorKind.RETRYABLE:
                KEPT.give_back(lines)
            raise
        written += len(lines)
    return written


def _write_one(core: Core, conn: Connection, *, task_id: int, lines: Sequence[Line]) -> None:
    _, offset_us = database_clock.measured(core, conn)
    write(core, conn, task_id, lines, offset_us=offset_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Lines of a task, oldest first.

    Attributes:
        last_id: Where to go on: the last line's id, or what was asked for.
        is_final: Whether the task was over when they were read.
        total: Lines that are kept of the task.
    """

    lines: Sequence[LogLineRecord]
    last_id: int
    is_final: bool
    total: int


def page(
    core: Core,
    task_id: int,
    *,
    after_id: int | None = 0,
    level: str = "info",
    attempt: int | None = None,
    limit: int = MAX_LINES,
) -> LogPage:
    """Lines of a task from a level on, after an id; with None the last ones of all.

    Raises:
        NotFoundError: No such task.
    """
    least = LEVELS[level]
    with core.database.read() as conn:
        task = tasks.get(conn, task_id)
        if task is None:
            message = f"task {task_id} does not exist"
            raise NotFoundError(message)
        if after_id is None:
            found = task_log.newest(conn, task_id, level=least, attempt=attempt, limit=limit)
        else:
            found = task_log.page(
                conn, task_id, after_id=after_id, level=least, attempt=attempt, limit=limit
            )
        total = task_log.count(conn, task_id)
    last_id = found[-1].id if found else after_id or 0
    return LogPage(lines=found, last_id=last_id, is_final=task.is_final, total=total)
