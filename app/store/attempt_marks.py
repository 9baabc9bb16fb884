"""When the attempts of some predicates ended, and which of them are its cases: one walk for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    case,
    literal,
    or_,
    select,
    true,
)

from app.domain.query.query import Query
from app.store import attempt_filter
from app.store.attempt_filter import Sides
from app.store.counted_attempts import COUNTED
from app.store.lists.columns import ATTEMPT, table_by
from app.store.lists.terms import Asking
from app.store.packed import Integers, columns_of

_INDEX: Final = "ix_task_attempt_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """What is looked for: a predicate, and which selected attempts of it are its cases.

    Attributes:
        fits: What holds for its attempts.
        cases: What holds, beside the selection, for its cases.
    """

    fits: Query
    cases: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Attempts of one predicate in the order of their ends.

    Attributes:
        at: When each ended, microseconds.
        is_case: Whether it is a case.
    """

    at: Integers
    is_case: NDArray[np.bool_]


def read(conn: Connection, sides: Sides, wanted: Sequence[Marked]) -> list[Marks]:
    """The attempts of each predicate; repeats are left out.

    By ix_task_attempt_ended; reads each row of the window once.
    """
    asking = Asking(dialect=conn.dialect.name, now_us=sides.now_us)
    fits = [_all(one.fits, asking) for one in wanted]
    selected = _all(sides.selection, asking)
    cases = [
        and_(fit, selected, _all(one.cases, asking)) for fit, one in zip(fits, wanted, strict=True)
    ]
    rows = (
        select(
            ATTEMPT["finished_at"].label("at"),
            _bits(fits).label("fits"),
            _bits(cases).label("cases"),
        )
        .select_from(table_by("task_attempt", _INDEX, conn.dialect.name))
        .where(
            COUNTED,
            ATTEMPT["finished_at"] >= sides.start,
            ATTEMPT["finished_at"] < sides.end,
            or_(*fits),  # first: what stands far back in a row takes long to read
            *attempt_filter.conditions(sides.within, asking),
            ~ATTEMPT["is_repeat"],
        )
        .subquery()
    )
    at, fit, is_case = columns_of(conn, rows, ("at", "fits", "cases"))
    order = np.argsort(at, kind="stable")
    at, fit, is_case = at[order], fit[order], is_case[order]
    found: list[Marks] = []
    for place in range(len(wanted)):
        mine = (fit >> place & 1).astype(np.bool_)
        found.append(Marks(at=at[mine], is_case=(is_case[mine] >> place & 1).astype(np.bool_)))
    return found


def _all(query: Query, asking: Asking) -> ColumnElement[bool]:
    return and_(true(), *attempt_filter.conditions(query, asking))


def _bits(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[int]:
    """A number with the bit of each place at which a condition holds."""
    bits: ColumnElement[int] = literal(0, Integer)
    for place, holds in enumerate(conditions):
        bits = bits + case((holds, 1 << place), else_=0)
    return bits
