"""Arms: the indexes that a list walks, each in the order of the list, and what they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, text

from app.domain.query.query import Query, Term
from app.store.lists.columns import TASK
from app.store.lists.conditions import TASK_ROWS
from app.store.lists.spans import Span, common, span_of
from app.store.lists.terms import Asking, Rows

LISTED: Final = text("task.source <> 'canary'")
LIVE: Final = text("task.finished_at IS NULL")
ENDED: Final = text("task.finished_at IS NOT NULL")
ALL: Final = Span()
SUBMITTED: Final = (TASK["submitted_at"], TASK["id"])


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
        rest: What must be looked at in each of its rows.
        table: Whose index it is.
    """

    index: str | None
    where: tuple[Any, ...]
    key: tuple[ColumnElement[int], ...]
    span: Span = ALL
    is_never: bool | None = None
    rest: tuple[ColumnElement[bool], ...] = ()
    table: str = TASK_ROWS.table


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The arms that together hold every row that a list may show, and what must be looked at.

    Attributes:
        rest: Terms that the arms do not answer.
        is_short: Whether the arms hold few rows by nature, so that nothing limits the looking.
        rows: What the rows are.
    """

    arms: tuple[Arm, ...]
    rest: tuple[Term, ...]
    is_short: bool = False
    rows: Rows = TASK_ROWS

    @property
    def is_looked_at(self) -> bool:
        """Whether rows of long arms must be looked at, of which few may be in the list."""
        return not self.is_short and bool(self.rest or any(arm.rest for arm in self.arms))


def rest_of(query: Query, answered: Sequence[Term]) -> tuple[Term, ...]:
    """The terms of a filter that are not answered."""
    return tuple(term for term in query.terms if not any(term is one for one in answered))


def span_by(query: Query, names: Sequence[str], asking: Asking) -> tuple[Span, list[Term]]:
    """What terms of one value ask of a column, and which they are."""
    terms = [
        term
        for term in query.terms
        if term.name in names and not term.is_negated and len(term.values) == 1
    ]
    return common(span_of(term.name, term.values[0], asking.now_us) for term in terms), terms
