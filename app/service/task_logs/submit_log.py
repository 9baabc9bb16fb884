"""What the log of a task tells of those who want it: submitted, followed, taken back, given up."""

import logging
from collections.abc import Mapping
from functools import partial

from app.domain.records import TaskRecord
from app.logs.logger import logger_of
from app.service.core import Core
from app.service.task_logs.task_log import Told, tell
from app.store.database import Connection

log = logger_of(__name__)


def submitted(core: Core, conn: Connection, task: TaskRecord, now: int) -> None:
    """A new task waits for a worker."""
    fields = {
        "text_id": task.text_id,
        "source": task.source,
        "engine": task.engine,
        "voice": task.voice,
        "format": task.format,
        "characters": task.char_count,
        "retry_of": task.retry_of,
    }
    tell(core, conn, _told(core, task, "submitted", fields), now)


def followed(core: Core, conn: Connection, task: TaskRecord, text_id: int, now: int) -> None:
    """Another request wants the same content: the task answers for both."""
    told = _told(core, task, "followed by the same content", {"text_id": text_id})
    tell(core, conn, told, now)


def skipped(core: Core, conn: Connection, task: TaskRecord, text_id: int) -> None:
    """The audio of a finished task answers. Not kept: its log is of how the task was done."""
    event = partial(
        log.info,
        "the same content is there: its audio answers",
        is_told=True,
        task_id=task.id,
        text_id=text_id,
    )
    core.database.after_commit(conn, event)


def withdrawn(core: Core, conn: Connection, task: TaskRecord, wanted_by: int, now: int) -> None:
    """A request was taken back; others still want the task."""
    told = _told(core, task, "a request was taken back", {"still_wanted_by": wanted_by})
    tell(core, conn, told, now)


def cancelled(core: Core, conn: Connection, task: TaskRecord, now: int) -> None:
    """The last request was taken back while the task waited."""
    tell(core, conn, _told(core, task, "cancelled while it waited", {}), now)


def expired(core: Core, conn: Connection, task: TaskRecord, now: int) -> None:
    """It waited longer than it may."""
    fields = {"error_type": task.error_type, "error": task.error_message}
    told = _told(core, task, "gave up waiting: it will not run", fields, logging.ERROR)
    tell(core, conn, told, now)


def _told(
    core: Core,
    task: TaskRecord,
    event: str,
    fields: Mapping[str, object],
    level: int = logging.INFO,
) -> Told:
    said = {**fields, "by": core.actor}
    return Told(task=task, logger=__name__, event=event, level=level, fields=said)
