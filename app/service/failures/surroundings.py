"""What stands around a group: releases of its window, the success most like a failure of it."""

from dataclasses import dataclass

from app.domain.query.query import Query, Term
from app.domain.query.value import Range
from app.service import attempt_list
from app.service.attempt_list import ListedAttempt
from app.service.core import Core
from app.service.correlate import exemplars
from app.service.correlate.exemplars import Wanted
from app.service.correlate.question import FAILED
from app.store import system_events
from app.store.attempt_filter import Sides
from app.store.system_events import SystemEvent

__all__ = ["SystemEvent", "Twin", "releases", "twin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """The success most like a failure, in which dimensions they differ, where both are compared."""

    attempt: ListedAttempt
    differs: tuple[str, ...]
    compare_url: str


def releases(core: Core, start: int, end: int) -> list[SystemEvent]:
    """Starts of workers with another release than before, the oldest first."""
    with core.database.read() as conn:
        return system_events.between(conn, start, end, kinds=("release",))


def twin(core: Core, fingerprint: str, start: int, end: int) -> Twin | None:
    """The success most like the newest failure of a group between two moments; None: none near."""
    with core.database.read() as conn:
        sides = Sides(
            start=start,
            end=end,
            within=Query(),
            selection=FAILED,
            now_us=core.database.now_us(conn),
        )
        wanted = Wanted(where={}, fingerprint=fingerprint, onset_at=None, sides=sides)
        found = exemplars.find(core, conn, wanted)
    pair = max((one for one in found if one.success), key=lambda one: one.failure.at, default=None)
    if pair is None or pair.success is None or pair.compare_url is None:
        return None
    listed = attempt_list.page(core, _just(pair.success.task_id, pair.success.attempt), limit=1)
    if not listed.attempts:
        return None
    return Twin(attempt=listed.attempts[0], differs=pair.differs, compare_url=pair.compare_url)


def _just(task_id: int, attempt: int) -> Query:
    numbers = (("task", task_id), ("attempt", attempt))
    return Query(
        terms=tuple(Term(name=name, values=(Range(low=n, high=n),)) for name, n in numbers)
    )
