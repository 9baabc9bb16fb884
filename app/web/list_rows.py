"""Rows of a task list: a task as it is drawn there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.query.order import Order, Sort
from app.domain.records import TaskRecord
from app.service.task_list import ListedTask
from app.web import task_history
from app.web.drawing import Block, progress
from app.web.visitor import Visitor
from app.web.words import voice_name

#: Fill of a progress bar by status; what runs is blue, what ended is grey.
_FILLS: Final[Mapping[str, str]] = {"processing": "processing", "completed": "completed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A task as the list draws it.

    Attributes:
        under: Why it ended badly; else empty.
        total_us: From its submission to its end, or to now.
        used_percent: How much of its limit the last attempt took; None where none has begun.
        at: The moment that the list is about: its end in a list by ends, else its submission.
    """

    task: TaskRecord
    title: str
    under: str
    voice: str
    blocks: Sequence[Block]
    waited_us: int
    ran_us: int | None
    total_us: int
    used_percent: float | None
    at: int | None


def row(one: ListedTask, order: Order, reader: Visitor) -> TaskRow:
    """A task of the list."""
    task, t = one.task, reader.t
    now_us = reader.place.now_us
    end_us = task.finished_at if task.finished_at is not None else now_us
    ran_us = task.run_us + _present_us(task, now_us)
    total = task.segment_count or 0
    return TaskRow(
        task=task,
        title=one.title,
        under=task_history.error_label(task, t),
        voice=f"{task.engine} · {voice_name(task.voice, t)}",
        blocks=progress(task.segments_done, total, _FILLS.get(task.status, "baseline"))
        if total
        else (),
        waited_us=max(0, end_us - task.submitted_at - ran_us),
        ran_us=ran_us if task.attempt else None,
        total_us=max(0, end_us - task.submitted_at),
        used_percent=_used_percent(task, now_us),
        at=task.finished_at if order.sort is Sort.ENDED else task.submitted_at,
    )


def _present_us(task: TaskRecord, now_us: int) -> int:
    """Microseconds of the attempt that runs."""
    if task.status != "processing" or task.claimed_at is None:
        return 0
    return max(0, now_us - task.claimed_at)


def _used_percent(task: TaskRecord, now_us: int) -> float | None:
    if task.claimed_at is None:
        return None
    until_us = now_us if task.status == "processing" else task.finished_at
    if until_us is None:
        return None
    return min(100.0, round(max(0, until_us - task.claimed_at) * 100 / task.timeout_us, 1))
