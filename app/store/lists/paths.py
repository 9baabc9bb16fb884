"""The way to a page: which indexes a list walks, in its own order, and what is left to look at.

SQLite is told the index; PostgreSQL's planner finds it, for its condition and its order fit.
Without a term that an index answers, a list walks the index of its order alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, literal, text

from app.domain.query.order import NEVER_US, Order, Sort
from app.domain.query.query import Query, Term
from app.domain.query.value import Range, Word
from app.domain.task import FINAL, Status
from app.store.lists.columns import TASK
from app.store.lists.conditions import Asking, column_of, condition
from app.store.lists.spans import Span, common, span_of

#: Values of one term that are walked each by its index, at most; more are looked at in rows.
MAX_ARMS: Final = 8
_LISTED: Final = text("task.source <> 'canary'")
_LIVE: Final = text("task.finished_at IS NULL")
_ENDED: Final = text("task.finished_at IS NOT NULL")
_ALL: Final = Span()
_SUBMITTED: Final = (TASK["submitted_at"], TASK["id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One index, walked.

    Attributes:
        index: Its name; None: few rows, found by a key and then sorted.
        where: What makes the index serve, as SQL.
        key: What the rows are sorted by.
        span: What the filter asks of the first column of the key.
        is_never: Of an order by the end: whether all of its rows, or none, have not ended; None:
            there are such and such, or the order is another.
    """

    index: str | None
    where: tuple[Any, ...]
    key: tuple[ColumnElement[int], ...]
    span: Span = _ALL
    is_never: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The arms that together hold every task that a list may show, and what must be looked at.

    Attributes:
        rest: Terms that the arms do not answer.
        is_short: Whether the arms hold few rows by nature, so that nothing limits the looking.
    """

    arms: tuple[Arm, ...]
    rest: tuple[Term, ...]
    is_short: bool = False


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


def path_of(query: Query, order: Order, asking: Asking, found: Found | None = None) -> Path:
    """The way to the tasks of a filter in an order."""
    short = _short(query, order, asking, found)
    if short is not None:
        return short
    match order.sort:
        case Sort.SUBMITTED:
            return _by_submission(query, asking)
        case Sort.ENDED:
            return _by_end(query, asking)
        case _:
            return _by_duration(query, order, asking)


def _rest(query: Query, answered: Sequence[Term]) -> tuple[Term, ...]:
    return tuple(term for term in query.terms if not any(term is one for one in answered))


def _short(query: Query, order: Order, asking: Asking, found: Found | None) -> Path | None:
    """Rows that a key or a search names: few, so they are sorted, not walked."""
    if found is not None:
        where: tuple[Any, ...] = found.where
        answered = found.terms
    else:
        term = next((one for one in query.terms if _names_rows(one)), None)
        if term is None:
            return None
        where, answered = (condition(term, asking),), (term,)
    # + 0: no index gives this order, so no planner walks one in vain
    key = tuple(column + 0 for column in _key(order.sort))
    if order.sort.is_duration:
        where = (*where, _ENDED)
    arm = Arm(index=None, where=(*where, _LISTED), key=key)
    return Path(arms=(arm,), rest=_rest(query, answered), is_short=True)


def _key(sort: Sort) -> tuple[ColumnElement[int], ...]:
    if sort is Sort.SUBMITTED:
        return _SUBMITTED
    if sort is Sort.ENDED:
        return (column_of("ended"), *_SUBMITTED)
    return (column_of(sort), TASK["id"])


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
    span, times = _span(query, ("submitted", "since", "until"), asking)
    starts = [start for term in query.terms if (start := _start(term)) is not None]
    best = min(starts, key=lambda start: start.rank, default=None)
    ways = (("ix_task_submitted", ()),) if best is None else best.arms
    answered = times if best is None else [*times, best.term]
    arms = tuple(
        Arm(index=index, where=(_LISTED, *where), key=_SUBMITTED, span=span)
        for index, where in ways
    )
    return Path(arms=arms, rest=_rest(query, answered))


def _start(term: Term) -> _Start | None:
    """How an index answers a term; None where none does."""
    words = [one.text for one in dict.fromkeys(term.values) if isinstance(one, Word)]
    if term.is_negated or len(words) < len(set(term.values)) or len(words) > MAX_ARMS:
        return None
    if term.name in _NAMED:
        rank, index, rows = _NAMED[term.name]
        where = (text(rows),) if rows else ()
        column = column_of(term.name)
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
    "live": ("ix_task_live", (_LIVE,)),
    "late": ("ix_task_late", (text("task.timed_out_at IS NOT NULL"),)),
    "rescued": ("ix_task_rescued", (text("task.rescued_at IS NOT NULL"),)),
}


def _status_arm(status: Status) -> tuple[str, tuple[Any, ...]]:
    is_status = text(f"task.status = '{status}'")
    match status:
        case Status.PENDING:
            return "ix_task_live", (_LIVE, is_status)
        case Status.PROCESSING:
            return "ix_task_processing", (is_status,)
        case _:
            return f"ix_task_{status}", (is_status,)


def _by_end(query: Query, asking: Asking) -> Path:
    span, times = _span(query, ("ended",), asking)
    statuses = _statuses(query)
    arms = []
    if span.high is None and (statuses is None or statuses - FINAL):
        never = (literal(NEVER_US).label("ended_at"), *_SUBMITTED)
        arms.append(Arm(index="ix_task_live", where=(_LISTED, _LIVE), key=never, is_never=True))
    if statuses is None or statuses & FINAL:
        arms.append(
            Arm(
                index="ix_task_finished",
                where=(_LISTED, _ENDED),
                key=(TASK["finished_at"], *_SUBMITTED),
                span=span,
                is_never=False,
            )
        )
    return Path(arms=tuple(arms), rest=_rest(query, times))


def _statuses(query: Query) -> set[Status] | None:
    """The statuses that a filter allows; None: all."""
    found: set[Status] | None = None
    for term in query.terms:
        if term.name == "status" and not term.is_negated:
            asked = {Status(one.text) for one in term.values if isinstance(one, Word)}
            found = asked if found is None else found & asked
    return found


_DURATIONS: Final = {
    Sort.DUR: "ix_task_run_ms",
    Sort.WAIT: "ix_task_wait_ms",
    Sort.TOTAL: "ix_task_total_ms",
}


def _by_duration(query: Query, order: Order, asking: Asking) -> Path:
    span, answered = _span(query, (order.sort,), asking)
    key = (column_of(order.sort), TASK["id"])
    arm = Arm(index=_DURATIONS[order.sort], where=(_LISTED, _ENDED), key=key, span=span)
    return Path(arms=(arm,), rest=_rest(query, answered))


def _span(query: Query, names: Sequence[str], asking: Asking) -> tuple[Span, list[Term]]:
    """What terms of one value ask of a column, and which they are."""
    terms = [
        term
        for term in query.terms
        if term.name in names and not term.is_negated and len(term.values) == 1
    ]
    return common(span_of(term.name, term.values[0], asking.now_us) for term in terms), terms
