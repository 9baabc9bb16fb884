"""The walk of retention: everything that has had its time, once, batch by batch, gently.

A batch is one short transaction. How much it may hold is learnt from how long the last one took,
so that nobody waits for the writer's lock for more than a moment, on a slow disk either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from app.service.core import Core
from app.service.retention.removal import Removed, remove
from app.service.retention.rules import Rule
from app.service.retention.sift import Batch, sift
from app.store import retention
from app.store.database import Connection
from app.store.retention import AgedTask

#: Seconds that a transaction should take.
TARGET_S: Final = 0.1
#: Seconds of rest after a look, at least.
LEAST_PAUSE_S: Final = 0.05
#: What a batch may weigh: a segment is 1, and everything else about a task as much as this.
TASK_WEIGHT: Final = 20
LEAST, FIRST, MOST = TASK_WEIGHT, 50 * TASK_WEIGHT, 500 * TASK_WEIGHT
#: Entries of an index that one look reads at most.
LOOK: Final = 500
#: Where a walk stands: the last id, or (deleted_at, id) of the last text.
Place = tuple[int, int]
START: Final[Place] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One look: what went of a kind, and how many seconds it took to remove it."""

    kind: str
    removed: Removed
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A look.

    Attributes:
        batch: What has had its time.
        looked_at: How many entries of the index were read.
        then: Where to go on; None: nothing is left to look at.
    """

    batch: Batch
    looked_at: int
    then: Place | None


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
        self._place = START
        self._weight = FIRST

    def step(self) -> Step | None:
        """Looks at the next entries and removes what of them may go; None where all is walked.

        Raises:
            DatabaseBusyError: The lock could not be had; the next call tries the same again.
        """
        if not self._rules:
            return None
        rule = self._rules[0]
        with self._core.database.read() as conn:
            page = look(conn, rule, self._place, weight=self._weight)
            # what is held needs no lock to be seen
            sifted = sift(conn, rule, page.batch, keeps_unsent=self._keeps_unsent)
        removed, took_s = Removed(held=sifted.held), 0.0
        if sifted.tasks or sifted.text_ids:
            batch = Batch(tasks=list(sifted.tasks.values()), texts=page.batch.texts)
            found, took_s = remove(self._core, rule, batch, keeps_unsent=self._keeps_unsent)
            removed += found
            self._weight = next_weight(self._weight, took_s)
        self._go_on(page.then)
        return Step(kind=rule.kind, removed=removed, took_s=took_s)

    def _go_on(self, then: Place | None) -> None:
        if then is None:
            del self._rules[0]
        self._place = then or START


def pause_s(step: Step) -> float:
    """Seconds to rest after a step, so that others write for two thirds of the time."""
    return max(LEAST_PAUSE_S, 2 * step.took_s)


def next_weight(weight: int, took_s: float) -> int:
    """What the next batch may weigh: half after a long one, a quarter more after a short one."""
    if took_s > TARGET_S:
        return max(LEAST, weight // 2)
    return min(MOST, weight + weight // 4) if took_s < TARGET_S / 2 else weight


def look(conn: Connection, rule: Rule, place: Place, *, weight: int) -> Page:
    """The next entries of a rule that weigh no more than `weight`, one at least."""
    limit = min(LOOK, max(1, weight // TASK_WEIGHT))
    if rule.status is None:
        return _look_at_texts(conn, rule, place, limit=limit, weight=weight)
    found = retention.ended(conn, rule.status, after_id=place[1], limit=limit)
    taken = found[: fitting([_weight(task) for task in found], weight)]
    # ids follow the moments of submission: what comes later was submitted, so it ended, later
    is_over = len(found) < limit or found[-1].submitted_at >= rule.before
    then = None if is_over and len(taken) == len(found) else (0, taken[-1].id)
    due = [task for task in taken if _may_go(task) and (task.finished_at or 0) < rule.before]
    return Page(batch=Batch(tasks=due), looked_at=len(taken), then=then)


def _look_at_texts(conn: Connection, rule: Rule, place: Place, *, limit: int, weight: int) -> Page:
    found = retention.deleted_texts(conn, before=rule.before, after=place, limit=limit)
    made_for: dict[int, list[AgedTask]] = {one.id: [] for one in found}
    for task in retention.of_texts(conn, made_for):
        made_for[task.text_id].append(task)
    weights = [TASK_WEIGHT + sum(map(_weight, made_for[one.id])) for one in found]
    texts = found[: fitting(weights, weight)]
    is_over = len(found) < limit and len(texts) == len(found)
    then = None if is_over else (texts[-1].deleted_at, texts[-1].id)
    tasks = [task for one in texts for task in made_for[one.id] if _may_go(task)]
    return Page(batch=Batch(tasks=tasks, texts=texts), looked_at=len(texts), then=then)


def _weight(task: AgedTask) -> int:
    return TASK_WEIGHT + (task.segment_count or 0)


def _may_go(task: AgedTask) -> bool:
    return task.finished_at is not None and task.source != "canary"


def fitting(weights: Sequence[int], most: int) -> int:
    """How many of the first weigh no more than `most` together; one at least."""
    within = sum(total <= most for total in accumulate(weights))
    return max(1, within)
