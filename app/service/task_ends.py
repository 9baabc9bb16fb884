"""Walks through lists by ends: the moment that a walk keeps, so that the places of tasks stay."""

from typing import Final

from app.domain.query.order import Begun, Cursor, Sort
from app.store.database import Connection
from app.store.lists import ends
from app.store.lists.ends import Ends

#: Microseconds after which an end is surely committed: a walk begins so long ago. An end that was
#: committed later, with an earlier moment, would be shown twice.
SETTLED_US: Final = 5_000_000
#: Tasks that have ended since a walk began, above which they are not sorted for each of its pages.
MAX_SORTED: Final = 10_000


def begun(conn: Connection, cursor: Cursor, now: int) -> Begun | None:
    """When the walk began that goes on here; None in an order in which no task moves."""
    if cursor.order.sort is not Sort.ENDED or cursor.begun is not None:
        return cursor.begun
    at = now - SETTLED_US
    found = (ends.oldest_living(conn), ends.oldest_ended(conn, at))
    return Begun(at=at, oldest=min([at, *(one for one in found if one is not None)]))


def ends_of(conn: Connection, cursor: Cursor) -> Ends | None:
    """How a list by ends is walked from a cursor on; None for other lists."""
    if cursor.begun is None:
        return None
    count = ends.count_ended(conn, cursor.begun.at, MAX_SORTED + 1)
    return Ends(begun=cursor.begun, is_far=count > MAX_SORTED)
