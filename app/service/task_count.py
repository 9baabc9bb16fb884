"""How many rows a filter holds for: from counters where they know, else counted up to a bound."""

from dataclasses import dataclass
from typing import Final

from app.domain.query.order import Cursor, Order
from app.domain.query.query import Query
from app.domain.query.value import Word
from app.domain.task import FINAL, Status
from app.service.task_walk import Walked, Walker
from app.store import totals
from app.store.database import Connection
from app.store.lists import statements

#: Where counting stops.
MAX_COUNT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many rows there are: exactly `n`, or at least.

    Attributes:
        removed: Rows that would be in the list, too, and that retention has removed; None: only
            their rows could have told.
    """

    n: int
    is_exact: bool
    removed: int | None = None


def count(walker: Walker, query: Query, order: Order) -> Count:
    """The tasks of a list: from counters where they know.

    Else up to `MAX_COUNT`, among as many as the walker looks at where its path leaves terms.
    """
    return from_counters(walker.conn, query, order) or _of_rows(walker, order)


def of_walk(walker: Walker, begin: Cursor, walked: Walked) -> Count:
    """The rows of a list of which a page was walked: those of the page where it holds all."""
    if walked.next is None and not begin.key:
        return Count(n=len(walked.keys), is_exact=True)
    return _of_rows(walker, begin.order)


def _of_rows(walker: Walker, order: Order) -> Count:
    """The rows of a walk, up to `MAX_COUNT`, among as many as the walker looks at."""
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


def from_counters(conn: Connection, query: Query, order: Order) -> Count | None:
    """The tasks of no filter, or of statuses alone; None for other filters."""
    statuses = _only_statuses(query)
    if statuses is None:
        return None
    if order.sort.is_duration:
        statuses &= FINAL
    counted = [one for one in totals.of_tasks(conn) if one.status in statuses]
    return Count(
        n=sum(one.sums.n for one in counted if not one.is_archived),
        is_exact=True,
        removed=sum(one.sums.n for one in counted if one.is_archived),
    )


def _only_statuses(query: Query) -> set[Status] | None:
    """The statuses that a filter asks for where it asks for nothing else; None: it does."""
    wanted = set(Status)
    for term in query.terms:
        if term.name != "status":
            return None
        named = {Status(value.text) for value in term.values if isinstance(value, Word)}
        wanted = wanted - named if term.is_negated else wanted & named
    return wanted
