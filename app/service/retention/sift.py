"""What of a few tasks may go, and what holds the others: decided from rows, in one transaction.

A task may go once it ended long enough ago, and none of the texts that it answers for asked for it
since; of the rule `deleted`, once its text and all of those were deleted long enough ago. It stays
while the hour in which it ended is not recomputed (its numbers could not be checked any more), and,
where spans are sent, while one of its own waits. Of the tasks that were made for a text, the one
that answers for it goes last: with it goes the text.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.service.retention.rules import Rule
from app.store import retention
from app.store.database import Connection
from app.store.retention import AgedTask, DeletedText
from telemetry import outbox_tasks

HOUR_US: Final = 3_600_000_000
#: Ids that one statement is given at most.
PART: Final = 500
#: Why a task stays though it has had its time.
WANTED, ANSWERS, UNCHECKED, UNSENT = "wanted", "answers", "unchecked", "unsent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some tasks that were looked at together.

    Attributes:
        tasks: Those that have had their time by the rule.
        texts: Of the rule `deleted`: the texts that were deleted, whose tasks these are.
    """

    tasks: Sequence[AgedTask]
    texts: Sequence[DeletedText] = ()

    @property
    def task_ids(self) -> list[int]:
        """Ids of the tasks."""
        return [task.id for task in self.tasks]


@dataclass(slots=True, kw_only=True)
class Sifted:
    """What may go; `held` counts the tasks that stay, by why."""

    tasks: dict[int, AgedTask]
    text_ids: set[int] = field(default_factory=set)
    held: Counter[str] = field(default_factory=Counter)


def sift(conn: Connection, rule: Rule, batch: Batch, *, keeps_unsent: bool) -> Sifted:
    """What of a batch may go, and with which texts.

    Args:
        conn: A transaction; where it is to write, the batch is locked.
        rule: Why the batch may go.
        batch: Tasks that have had their time by the rule.
        keeps_unsent: Whether spans that wait are sent some day.
    """
    sifted = Sifted(tasks={task.id: task for task in batch.tasks})
    drop_held(conn, rule, sifted, keeps_unsent=keeps_unsent)
    settle_texts(conn, sifted)
    sifted.text_ids |= left_alone(conn, batch.texts, sifted)
    return sifted


def drop_held(conn: Connection, rule: Rule, sifted: Sifted, *, keeps_unsent: bool) -> None:
    """Takes out the tasks that something holds, each looked at by itself."""
    _drop(sifted, WANTED, _wanted(conn, rule, sifted.tasks))
    hours = {task.id: _hour(task) for task in sifted.tasks.values()}
    checked = retention.checked_hours(conn, set(hours.values()))
    _drop(sifted, UNCHECKED, [one for one, hour in hours.items() if hour not in checked])
    if keeps_unsent:
        _drop(sifted, UNSENT, outbox_tasks.unsent_tasks(conn, list(sifted.tasks)))


def _wanted(conn: Connection, rule: Rule, task_ids: Collection[int]) -> Collection[int]:
    """Tasks that someone has asked for since, or whose text another one needs."""
    if rule.status is not None:
        return retention.asked_since(
            conn, task_ids, rule.before, deleted_before=rule.deleted_before
        )
    return {
        answer.task_id
        for answer in retention.answers(conn, task_ids)
        if answer.deleted_at is None or answer.deleted_at >= rule.before
    }


def _hour(task: AgedTask) -> int:
    ended_at = task.finished_at or 0
    return ended_at - ended_at % HOUR_US


def _drop(sifted: Sifted, why: str, task_ids: Collection[int]) -> None:
    for task_id in task_ids:
        if sifted.tasks.pop(task_id, None) is not None:
            sifted.held[why] += 1


def settle_texts(conn: Connection, sifted: Sifted) -> None:
    """Keeps what answers for a text of which other tasks stay; the other texts go with theirs."""
    answers = [one for ids in parts(sifted.tasks) for one in retention.answers(conn, ids)]
    made_for: dict[int, set[int]] = {}
    for ids in parts({answer.text_id for answer in answers}):
        for task in retention.of_texts(conn, ids):
            made_for.setdefault(task.text_id, set()).add(task.id)
    while True:
        stay = {text_id for text_id, ids in made_for.items() if ids - sifted.tasks.keys()}
        needed = {one.task_id for one in answers if one.text_id in stay} & sifted.tasks.keys()
        if not needed:
            break
        _drop(sifted, ANSWERS, needed)
    sifted.text_ids = {one.text_id for one in answers if one.task_id in sifted.tasks}


def parts(ids: Collection[int]) -> Iterator[list[int]]:
    """Ids in lists that a statement takes."""
    ordered = sorted(ids)
    for first in range(0, len(ordered), PART):
        yield ordered[first : first + PART]


def left_alone(conn: Connection, texts: Sequence[DeletedText], sifted: Sifted) -> set[int]:
    """Deleted texts that no task of theirs is left of, and that wait for none."""
    made_for = [
        task for ids in parts({one.id for one in texts}) for task in retention.of_texts(conn, ids)
    ]
    stay = {task.text_id for task in made_for if task.id not in sifted.tasks}
    answering = {one.task_id for one in texts if one.task_id is not None}
    lives = {one for ids in parts(answering) for one in retention.living(conn, ids)}
    return {one.id for one in texts if one.id not in stay and one.task_id not in lives}
