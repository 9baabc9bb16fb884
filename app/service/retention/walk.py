"""The walk of retention: everything that has had its time, once, batch by batch, gently.

A look reads some hundred entries of an index and finds what of them may go; what it found is then
removed in short transactions. How much one of them holds is learnt from how long the last one took,
so that nobody waits for the writer's lock for more than a moment, on a slow disk either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from app.service.core import Core
from app.service.retention.removal import Removed, remove
from app.service.retention.rules import Rule
from app.service.retention.sift import Batch, Sifted, sift
from app.store import retention
from app.store.database import Connection
from app.store.retention import AgedTask, DeletedText

#: Seconds that a transaction should take.
TARGET_S: Final = 0.1
#: Seconds of rest after a step, at least.
LEAST_PAUSE_S: Final = 0.05
#: What a transaction may weigh: a segment is 1, and everything else about a task as much as this.
#: Below the least it would take no less: its statements cost more than their rows.
TASK_WEIGHT: Final = 20
LEAST, FIRST, MOST = 10 * TASK_WEIGHT, 50 * TASK_WEIGHT, 500 * TASK_WEIGHT
#: Entries of an index that one look reads at most.
LOOK: Final = 500
#: Where a walk stands: (submitted_at, id) of the last task, (deleted_at, id) of the last text.
Place = tuple[int, int]
START: Final[Place] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What goes together: a task; of the rule `deleted` a text and its tasks."""

    tasks: tuple[AgedTask, ...]
    text: DeletedText | None = None

    @property
    def weight(self) -> int:
        """How much work it is to remove."""
        segments = sum(task.segment_count or 0 for task in self.tasks)
        return TASK_WEIGHT * max(1, len(self.tasks)) + segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A look.

    Attributes:
        units: What has had its time.
        looked_at: How many entries of the index were read.
        then: Where to go on; None: nothing is left to look at.
    """

    units: Sequence[Unit]
    looked_at: int
    then: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A look, or a removal: what went of a kind, and how many seconds the transaction took."""

    kind: str
    removed: Removed
    took_s: float = 0.0


class Walk:
    """One pass over all rules; `step` until it says None.

    Args:
        core: What it works with; its actor is who the ledger names.
        rules: What may go, in the order in which it is walked.
        keeps_unsent: Whether spans that wait are sent some day: their tasks stay until then.
    """

    def __init__(self, core: Core, rules: Sequence[Rule], *, keeps_unsent: bool) -> None:
        self._core = core
        self._rules = list(rules)
        self._keeps_unsent = keeps_unsent
        self._place: Place | None = START
        self._found: list[Unit] = []
        self._weight = FIRST

    def step(self) -> Step | None:
        """Removes some of what was found, or looks on; None where all is walked.

        Raises:
            DatabaseBusyError: The lock could not be had; the next call tries the same again.
        """
        if not self._found and self._place is None:
            del self._rules[0]
            self._place = START
        if not self._rules:
            return None
        return self._remove(self._rules[0]) if self._found else self._look(self._rules[0])

    def _look(self, rule: Rule) -> Step:
        with self._core.database.read() as conn:
            page = look(conn, rule, self._place or START)
            sifted = sift(conn, rule, batch_of(page.units), keeps_unsent=self._keeps_unsent)
        self._found = [going for unit in page.units if (going := _going(unit, sifted)) is not None]
        self._place = page.then
        return Step(kind=rule.kind, removed=Removed(held=sifted.held))

    def _remove(self, rule: Rule) -> Step:
        n = fitting([unit.weight for unit in self._found], self._weight)
        batch = batch_of(self._found[:n])
        removed, took_s = remove(self._core, rule, batch, keeps_unsent=self._keeps_unsent)
        del self._found[:n]
        self._weight = next_weight(self._weight, took_s)
        return Step(kind=rule.kind, removed=removed, took_s=took_s)


def _going(unit: Unit, sifted: Sifted) -> Unit | None:
    """What of a unit may go; None: nothing."""
    tasks = tuple(task for task in unit.tasks if task.id in sifted.tasks)
    text_goes = unit.text is not None and unit.text.id in sifted.text_ids
    return Unit(tasks=tasks, text=unit.text) if tasks or text_goes else None


def pause_s(step: Step) -> float:
    """Seconds to rest after a step, so that others write for two thirds of the time."""
    return max(LEAST_PAUSE_S, 2 * step.took_s)


def next_weight(weight: int, took_s: float) -> int:
    """What the next one may weigh: half after a long one, a quarter more after a short one."""
    if took_s > TARGET_S:
        return max(LEAST, weight // 2)
    return min(MOST, weight + weight // 4) if took_s < TARGET_S / 2 else weight


def fitting(weights: Sequence[int], most: int) -> int:
    """How many of the first weigh no more than `most` together; one at least."""
    within = sum(total <= most for total in accumulate(weights))
    return max(1, within)


def batch_of(units: Iterable[Unit]) -> Batch:
    """The units as what is sifted and removed together."""
    found = list(units)
    return Batch(
        tasks=[task for unit in found for task in unit.tasks],
        texts=[unit.text for unit in found if unit.text is not None],
    )


def look(conn: Connection, rule: Rule, place: Place) -> Page:
    """The next entries of a rule; reads `LOOK` of its index at most."""
    if rule.status is None:
        return _look_at_texts(conn, rule, place)
    # what was submitted since the moment ended after it, too
    found = retention.ended(conn, rule.status, before=rule.before, after=place, limit=LOOK)
    due = [task for task in found if _may_go(task) and (task.finished_at or 0) < rule.before]
    return Page(
        units=[Unit(tasks=(task,)) for task in due],
        looked_at=len(found),
        then=None if len(found) < LOOK else (found[-1].submitted_at, found[-1].id),
    )


def _look_at_texts(conn: Connection, rule: Rule, place: Place) -> Page:
    found = retention.deleted_texts(conn, before=rule.before, after=place, limit=LOOK)
    made_for: dict[int, list[AgedTask]] = {one.id: [] for one in found}
    for task in retention.of_texts(conn, made_for):
        made_for[task.text_id].append(task)
    is_over = len(found) < LOOK
    return Page(
        units=[Unit(tasks=tuple(filter(_may_go, made_for[one.id])), text=one) for one in found],
        looked_at=len(found),
        then=None if is_over else (found[-1].deleted_at, found[-1].id),
    )


def _may_go(task: AgedTask) -> bool:
    return task.finished_at is not None and task.source != "canary"
