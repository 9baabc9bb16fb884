"""How many tasks a filter holds for: from counters where they know, else counted up to a bound."""

from dataclasses import dataclass
from typing import Final

from app.domain.query.order import Order
from app.domain.query.query import Query
from app.domain.query.value import Word
from app.domain.task import FINAL, Status
from app.service.task_walk import Walker
from app.store import totals
from app.store.database import Connection
from app.store.lists import statements

#: Where counting stops.
MAX_COUNT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many tasks there are: exactly `n`, or at least."""

    n: int
    is_exact: bool


def count(walker: Walker, query: Query, order: Order) -> Count:
    """The tasks of a list: exact from counters for no filter and for statuses alone.

    Else up to `MAX_COUNT`, among as many as the walker looks at where its path leaves terms.
    """
    statuses = _only_statuses(query)
    if statuses is not None:
        if order.sort.is_duration:
            statuses &= FINAL
        return Count(n=_counted(walker.conn, statuses), is_exact=True)
    conditions, arms = walker.conditions, walker.path.arms
    n, until = 0, None
    for after, until in walker.pieces(order, ()):
        for arm in arms:
            n += statements.count(
                walker.conn,
                arm,
                order,
                conditions,
                after=after,
                until=until,
                cap=MAX_COUNT + 1 - n,
            )
            if n > MAX_COUNT:
                return Count(n=MAX_COUNT, is_exact=False)
    return Count(n=n, is_exact=until is None)


def by_status(conn: Connection) -> dict[str, int]:
    """Tasks that are there by status, canaries left out."""
    return {one.status: one.sums.n for one in totals.of_tasks(conn) if not one.is_archived}


def _only_statuses(query: Query) -> set[Status] | None:
    """The statuses that a filter asks for where it asks for nothing else; None: it does."""
    wanted = set(Status)
    for term in query.terms:
        if term.name != "status":
            return None
        named = {Status(value.text) for value in term.values if isinstance(value, Word)}
        wanted = wanted - named if term.is_negated else wanted & named
    return wanted


def _counted(conn: Connection, statuses: set[Status]) -> int:
    counted = by_status(conn)
    return sum(counted.get(status, 0) for status in statuses)
