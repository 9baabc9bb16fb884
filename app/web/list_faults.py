"""What is wrong with an address of task lists, its filter aside, in the words of the page."""

from collections.abc import Mapping
from typing import Final

from app.domain.errors import RequestError
from app.domain.query.order import Cursor, Order, Sort, cursor_of, order_of, usual_order
from app.domain.query.query import Query
from app.domain.task import Status
from app.web import filters
from app.web.query_words import Fault
from app.web.words import Words

#: Longest part of an address that is repeated.
_SHOWN: Final = 40


def of_status(args: Mapping[str, str], t: Words) -> Fault | None:
    """A status that is none."""
    status = args.get("status")
    if not status or status in set(Status):
        return None
    return _fault(t, "status", got=status, allowed=", ".join(Status))


def of_place(args: Mapping[str, str], query: Query, t: Words) -> Fault | None:
    """An order that is none, or a place that is none in it."""
    sort, cursor, before = (args.get(name) or None for name in ("sort", "cursor", "before"))
    order = _order_of(sort) if sort is not None else usual_order(query)
    if order is None:
        return _fault(t, "sort", got=sort or "", allowed=", ".join(Sort))
    start = _cursor_of(cursor) if cursor is not None else None
    if cursor is not None and start is None:
        return _fault(t, "cursor", got=cursor)
    if before is not None and not filters.id_of(before):
        return _fault(t, "before", got=before)
    if before is not None:
        return _of_before(start, order, t)
    if start is not None and sort is not None and start.order != order:
        return _fault(t, "other_order", cursor=str(start.order), sort=str(order))
    return None


def _of_before(start: Cursor | None, order: Order, t: Words) -> Fault | None:
    if start is not None:
        return _fault(t, "two_places")
    if order != Order():
        return _fault(t, "before_order", sort=str(order), allowed=str(Order()))
    return None


def _order_of(sort: str) -> Order | None:
    try:
        return order_of(sort)
    except RequestError:
        return None


def _cursor_of(cursor: str) -> Cursor | None:
    try:
        return cursor_of(cursor)
    except RequestError:
        return None


def _fault(t: Words, reason: str, **values: str) -> Fault:
    shown = {name: value if name == "allowed" else value[:_SHOWN] for name, value in values.items()}
    return Fault(says=t(f"tasks.fault.{reason}", **shown))
