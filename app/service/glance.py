"""Glances: what those who watch see of a text, a task or the monitor, each with its version.

A version names the last event of the task, the last move of its progress and the last line of its
log. All are on rows, so that a stream resumes on another web process, and after a restart, where it
was.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from app.domain.errors import NotFoundError
from app.domain.records import EventRecord, TaskRecord
from app.domain.task import Status
from app.service.core import Core
from app.store import reports, task_log, tasks
from app.store.database import Connection
from app.store.reports import TextState

#: What a stream of a text that was deleted meanwhile ends with.
DELETED: Final = "deleted"
_VERSION: Final = re.compile(r"(\d{1,18})\.(\d{1,18})\.(\d)(?:\.\d{1,9})?(?:-\d{1,18})?")


class Key(NamedTuple):
    """What is watched: a text or a task by its id, or the monitor (id 0)."""

    kind: Literal["text", "task", "monitor"]
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """A text or a task at one moment.

    Attributes:
        state: Of the text as it shows, or the status of the task; `deleted` for a text that is.
        task: The task that answers; None for a text without one.
        event_id: The last event of the task; 0 for none.
        position: Place in the queue where it waits.
        line_id: The last line of the log of a task that is watched as such; 0 for none.
    """

    key: Key
    state: str
    task: TaskRecord | None
    audio_id: int | None
    event_id: int
    position: int | None = None
    line_id: int = 0
    now: int

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come."""
        return self.state == DELETED or Status(self.state).is_final

    @property
    def version(self) -> str:
        """Differs from another glance's exactly where there is something new to see."""
        moved = (self.task.progress_at or 0) if self.task else 0
        flagged = int(self.task is not None and self.task.timed_out_at is not None)
        place = f".{self.position}" if self.position is not None else ""
        line = f"-{self.line_id}" if self.line_id else ""
        return f"{self.event_id}.{moved}.{flagged}{place}{line}"


def event_of(version: str | None) -> int | None:
    """The event that a version (a Last-Event-ID) names; None for anything else."""
    match = _VERSION.fullmatch((version or "").strip())
    return int(match[1]) if match else None


def take(core: Core, key: Key) -> Glance:
    """One glance, now.

    Raises:
        NotFoundError: No such text or task.
    """
    with core.database.read() as conn:
        found = look(core, conn, [key], with_positions=True)
    if key not in found or found[key].state == DELETED:
        message = f"{key.kind} {key.id} does not exist"
        raise NotFoundError(message)
    return found[key]


def look(
    core: Core, conn: Connection, keys: Iterable[Key], *, with_positions: bool
) -> dict[Key, Glance]:
    """Glances of all keys in one snapshot: four statements, however many keys (primary keys).

    With positions there is one more statement for each task that waits.
    """
    wanted = [key for key in keys if key.kind != "monitor"]
    text_ids = [key.id for key in wanted if key.kind == "text"]
    states = {state.id: state for state in reports.text_states(conn, text_ids)}
    task_ids = {key.id for key in wanted if key.kind == "task"}
    lines = task_log.last_ids(conn, sorted(task_ids)) if task_ids else {}
    task_ids |= {state.task_id for state in states.values() if state.task_id is not None}
    found = {task.id: task for task in tasks.many(conn, sorted(task_ids))}
    waiting = [task for task in found.values() if task.status == "pending"]
    seen = _Seen(
        tasks=found,
        last=reports.last_events(conn, sorted(task_ids)),
        lines=lines,
        places={task.id: tasks.position(conn, task) for task in waiting if with_positions},
        now=core.database.now_us(conn),
    )
    glances = {}
    for key in wanted:
        if key.kind == "text":
            glances[key] = _of_text(key, states.get(key.id), seen)
        elif key.id in found:
            task = found[key.id]
            glances[key] = _of_task(key, task.status, task, task.audio_id, seen)
    return glances


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What one snapshot shows of all that is watched, by task id."""

    tasks: dict[int, TaskRecord]
    last: dict[int, int]
    lines: dict[int, int]
    places: dict[int, int]
    now: int


def _of_text(key: Key, text: TextState | None, seen: _Seen) -> Glance:
    if text is None:
        return _of_task(key, DELETED, None, None, seen)
    return _of_task(key, text.state, seen.tasks.get(text.task_id or 0), text.audio_id, seen)


def _of_task(
    key: Key, state: str, task: TaskRecord | None, audio_id: int | None, seen: _Seen
) -> Glance:
    return Glance(
        key=key,
        state=state,
        task=task,
        audio_id=audio_id,
        event_id=seen.last.get(task.id, 0) if task is not None else 0,
        position=seen.places.get(task.id) if task is not None else None,
        line_id=seen.lines.get(task.id, 0) if task is not None and key.kind == "task" else 0,
        now=seen.now,
    )


def placed(glance: Glance, position: int | None) -> Glance:
    """The glance with a place in the queue."""
    return replace(glance, position=position)


def missed(core: Core, glance: Glance, after_event: int) -> list[EventRecord]:
    """Events of a glance's task after one that was seen, oldest first."""
    if glance.task is None:
        return []
    with core.database.read() as conn:
        return reports.events_after(conn, glance.task.id, after_event)
