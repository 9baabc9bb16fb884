"""What retention must remove, told naively from all rows: the other opinion in its tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from app.store.tables import (
    outbox_table,
    stat_check_table,
    submission_table,
    task_table,
    text_table,
)

HOUR_US: Final = 3_600_000_000
FINAL: Final = {"completed", "failed", "timeout", "cancelled"}


@dataclass(frozen=True, slots=True)
class Expected:
    """Ids of the tasks and texts that must go; all others must stay."""

    tasks: frozenset[int]
    texts: frozenset[int]


class Everything:
    """All rows that retention looks at."""

    def __init__(self, conn: Connection) -> None:
        self.tasks = {row["id"]: row for row in conn.execute(select(task_table)).mappings()}
        self.texts = {row["id"]: row for row in conn.execute(select(text_table)).mappings()}
        self.requests = conn.execute(select(submission_table)).all()
        self.checked = set(conn.scalars(select(stat_check_table.c.start)))
        waiting = select(outbox_table.c.task_id).where(outbox_table.c.state == "new")
        self.unsent = set(conn.scalars(waiting))

    def answered(self, task_id: int) -> list[Mapping[Any, Any]]:
        """The texts that a task answers for."""
        return [one for one in self.texts.values() if one["task_id"] == task_id]

    def own(self, text_id: int) -> set[int]:
        """The tasks that were made for a text."""
        return {one["id"] for one in self.tasks.values() if one["text_id"] == text_id}


def expected(conn: Connection, before: Mapping[str, int], *, keeps_unsent: bool) -> Expected:
    """What must go, where `before` has the moment of each kind that is not kept for ever."""
    rows = Everything(conn)
    going = {one for one in rows.tasks if _has_had_its_time(rows, one, before)}
    going -= {
        one
        for one in going
        if rows.tasks[one]["finished_at"] // HOUR_US * HOUR_US not in rows.checked
    }
    if keeps_unsent:
        going -= rows.unsent
    while True:
        stay = {
            one for one in going if any(rows.own(text["id"]) - going for text in rows.answered(one))
        }
        if not stay:
            break
        going -= stay
    texts = {text["id"] for one in going for text in rows.answered(one)}
    texts |= {one for one in rows.texts if _is_forgotten(rows, one, going, before)}
    return Expected(frozenset(going), frozenset(texts))


def _has_had_its_time(rows: Everything, task_id: int, before: Mapping[str, int]) -> bool:
    task = rows.tasks[task_id]
    if task["status"] not in FINAL or task["source"] == "canary":
        return False
    limit = before.get(task["status"])
    asked = [
        one.created_at
        for one in rows.requests
        if one.task_id == task_id
        and rows.texts[one.text_id]["task_id"] == task_id
        and not _was_deleted(rows.texts[one.text_id], before)
    ]
    if limit is not None and max([task["finished_at"], *asked]) < limit:
        return True
    concerned = [rows.texts[task["text_id"]], *rows.answered(task_id)]
    return all(_was_deleted(text, before) for text in concerned)


def _was_deleted(text: Mapping[Any, Any], before: Mapping[str, int]) -> bool:
    limit = before.get("deleted")
    return limit is not None and text["deleted_at"] is not None and text["deleted_at"] < limit


def _is_forgotten(
    rows: Everything, text_id: int, going: set[int], before: Mapping[str, int]
) -> bool:
    text = rows.texts[text_id]
    if not _was_deleted(text, before) or rows.own(text_id) - going:
        return False
    answering = rows.tasks.get(text["task_id"])
    return answering is None or answering["finished_at"] is not None
