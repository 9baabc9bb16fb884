"""The way to a page: which indexes a list walks, in its own order, and what is left to look at.

SQLite is told the index; PostgreSQL's planner finds it, for its condition and its order fit.
Without a term that an index answers, a list walks the index of its order alone.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, text

from app.domain.query.order import NEVER_US, Begun, Order, Sort
from app.domain.query.query import Query, Term
from app.domain.query.value import Range, Word
from app.domain.task import Status
from app.store.lists.arms import ENDED, LISTED, LIVE, SUBMITTED, Arm, Path, rest_of, span_by
from app.store.lists.columns import TASK
from app.store.lists.conditions import TASK_ROWS
from app.store.lists.ends import Ends, by_end
from app.store.lists.terms import Asking

#: Values of one term that are walked each by its index, at most; more are looked at in rows.
MAX_ARMS: Final = 8
#: Of a list that is no walk: nothing has ended since.
_NOTHING_SINCE: Final = Ends(begun=Begun(at=NEVER_US - 1, oldest=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows that a search has found: all that its terms hold for, and perhaps some more.

    Attributes:
        where: Conditions that name them by their keys.
        terms: The terms that this answers, with nothing left to look at.
    """

    where: tuple[ColumnElement[bool], ...]
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """A term that an index answers; the lower the rank the fewer rows it is likely to hold."""

    rank: int
    term: Term
    arms: tuple[tuple[str, tuple[Any, ...]], ...]


def path_of(
    query: Query,
    order: Order,
    asking: Asking,
    found: Found | None = None,
    *,
    ends: Ends | None = None,
) -> Path:
    """The way to the tasks of a filter in an order; `ends`: of a list by ends, how it is walked."""
    ends = ends or _NOTHING_SINCE
    short = _short(query, order, asking, found, ends)
    if short is not None:
        return short
    match order.sort:
        case Sort.SUBMITTED:
            return _by_submission(query, asking)
        case Sort.ENDED:
            return by_end(query, asking, ends)
        case _:
            return _by_duration(query, order, asking)


def _short(
    query: Query, order: Order, asking: Asking, found: Found | None, ends: Ends
) -> Path | None:
    """Rows that a key or a search names: few, so they are sorted, not walked."""
    if found is not None:
        where: tuple[Any, ...] = found.where
        answered = found.terms
    else:
        term = next((one for one in query.terms if _names_rows(one)), None)
        if term is None:
            return None
        where, answered = (TASK_ROWS.condition(term, asking),), (term,)
    # + 0: no index gives this order, so no planner walks one in vain
    key = tuple(column + 0 for column in _key(order.sort, ends))
    if order.sort.is_duration:
        where = (*where, ENDED)
    arm = Arm(index=None, where=(*where, LISTED), key=key)
    return Path(arms=(arm,), rest=rest_of(query, answered), is_short=True)


def _key(sort: Sort, ends: Ends) -> tuple[ColumnElement[int], ...]:
    if sort is Sort.SUBMITTED:
        return SUBMITTED
    if sort is Sort.ENDED:
        return ends.key
    return (TASK_ROWS.columns[sort], TASK["id"])


def _names_rows(term: Term) -> bool:
    if term.is_negated:
        return False
    if term.name == "trace":
        return True
    return term.name == "id" and all(
        isinstance(one, Range) and one.low is not None and one.low == one.high
        for one in term.values
    )


def _by_submission(query: Query, asking: Asking) -> Path:
    span, times = span_by(query, ("submitted", "since", "until"), asking)
    starts = [start for term in query.terms if (start := _start(term)) is not None]
    best = min(starts, key=lambda start: start.rank, default=None)
    ways = (("ix_task_submitted", ()),) if best is None else best.arms
    answered = times if best is None else [*times, best.term]
    arms = tuple(
        Arm(index=index, where=(LISTED, *where), key=SUBMITTED, span=span) for index, where in ways
    )
    return Path(arms=arms, rest=rest_of(query, answered))


def _start(term: Term) -> _Start | None:
    """How an index answers a term; None where none does."""
    words = [one.text for one in dict.fromkeys(term.values) if isinstance(one, Word)]
    if term.is_negated or len(words) < len(set(term.values)) or len(words) > MAX_ARMS:
        return None
    if term.name in _NAMED:
        rank, index, rows = _NAMED[term.name]
        where = (text(rows),) if rows else ()
        column = TASK_ROWS.columns[term.name]
        arms = tuple((index, (*where, column == word)) for word in words)
        return _Start(rank=rank, term=term, arms=arms)
    if term.name == "status":
        arms = tuple(_status_arm(Status(word)) for word in words)
        return _Start(rank=7 if Status.COMPLETED in words else 4, term=term, arms=arms)
    if term.name == "is" and len(words) == 1 and words[0] in _FLAG_ARMS:
        return _Start(rank=3, term=term, arms=(_FLAG_ARMS[words[0]],))
    return None


#: Qualifier -> rank, index, and which rows the index holds.
_NAMED: Final[dict[str, tuple[int, str, str]]] = {
    "fingerprint": (2, "ix_task_fingerprint", "task.fingerprint IS NOT NULL"),
    "worker": (5, "ix_task_worker_name", "task.worker_name IS NOT NULL"),
    "engine": (6, "ix_task_engine", ""),
}
_FLAG_ARMS: Final[dict[str, tuple[str, tuple[Any, ...]]]] = {
    "live": ("ix_task_live", (LIVE,)),
    "late": ("ix_task_late", (text("task.timed_out_at IS NOT NULL"),)),
    "rescued": ("ix_task_rescued", (text("task.rescued_at IS NOT NULL"),)),
}


def _status_arm(status: Status) -> tuple[str, tuple[Any, ...]]:
    is_status = text(f"task.status = '{status}'")
    match status:
        case Status.PENDING:
            return "ix_task_live", (LIVE, is_status)
        case Status.PROCESSING:
            return "ix_task_processing", (is_status,)
        case _:
            return f"ix_task_{status}", (is_status,)


_DURATIONS: Final = {
    Sort.DUR: "ix_task_run_ms",
    Sort.WAIT: "ix_task_wait_ms",
    Sort.TOTAL: "ix_task_total_ms",
}


def _by_duration(query: Query, order: Order, asking: Asking) -> Path:
    span, answered = span_by(query, (order.sort,), asking)
    key = (TASK_ROWS.columns[order.sort], TASK["id"])
    arm = Arm(index=_DURATIONS[order.sort], where=(LISTED, ENDED), key=key, span=span)
    return Path(arms=(arm,), rest=rest_of(query, answered))
