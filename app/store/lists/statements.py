"""The statements of a list: keys of a page, how far the looking goes, and how many there are.

Each reads one index from where a page begins, in order, at most `limit` or so many entries.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, tuple_

from app.domain.query.order import NEVER_US, Key, Order
from app.store.lists.arms import Arm
from app.store.lists.columns import table_by
from app.store.lists.spans import Span, common

Conditions = Sequence[ColumnElement[bool]]
Rows = Select[*tuple[Any, ...]]


def keys(
    conn: Connection,
    arm: Arm,
    order: Order,
    conditions: Conditions,
    *,
    after: Key,
    until: Key | None = None,
    limit: int,
) -> list[Key]:
    """The keys of rows after a key, or from the first, down to another at most, in order."""
    statement = _walk(conn, arm, order, after, until)
    if statement is None:
        return []
    statement = _sorted(statement.where(*arm.rest, *conditions), arm, order).limit(limit)
    return [tuple(int(part) for part in row) for row in conn.execute(statement)]


def horizon(conn: Connection, arm: Arm, order: Order, *, after: Key, count: int) -> Key | None:
    """The key of entry number `count` after a key; None where there are fewer."""
    statement = _walk(conn, arm, order, after, None)
    if statement is None:
        return None
    row = conn.execute(_sorted(statement, arm, order).offset(count - 1).limit(1)).first()
    return None if row is None else tuple(int(part) for part in row)


def count(
    conn: Connection,
    arm: Arm,
    order: Order,
    conditions: Conditions,
    *,
    after: Key,
    until: Key | None,
    cap: int,
) -> int:
    """How many rows there are between two keys; counting stops at `cap`."""
    statement = _walk(conn, arm, order, after, until)
    if statement is None:
        return 0
    inner = statement.where(*arm.rest, *conditions).limit(cap).subquery()
    return int(conn.execute(select(func.count()).select_from(inner)).scalar_one())


def _walk(conn: Connection, arm: Arm, order: Order, after: Key, until: Key | None) -> Rows | None:
    """The entries of an arm between two keys; None where there can be none."""
    source = table_by(arm.table, arm.index, conn.dialect.name)
    statement: Rows = select(*arm.key).select_from(source).where(*arm.where)
    for bound, is_after in ((after, True), (until, False)):
        if not bound:
            continue
        ahead = _ahead(arm, order, bound, is_after=is_after)
        if ahead is False:
            return None
        if ahead is not True:
            statement = statement.where(ahead)
    span = _narrowed(arm, order, after, until)
    if span.low is not None:
        statement = statement.where(arm.key[0] >= span.low)
    return statement if span.high is None else statement.where(arm.key[0] < span.high)


def _narrowed(arm: Arm, order: Order, after: Key, until: Key | None) -> Span:
    """What is asked of the first column by filter and keys together.

    One condition for each side: of two SQLite took the wider one for its index.
    """
    if arm.is_never or arm.index is None:
        return arm.span
    spans = [arm.span]
    for bound, is_after in ((after, True), (until, False)):
        if bound and bound[0] < NEVER_US:
            is_up = order.is_ascending == is_after
            spans.append(Span(low=bound[0]) if is_up else Span(high=bound[0] + 1))
    return common(spans)


def _ahead(arm: Arm, order: Order, key: Key, *, is_after: bool) -> ColumnElement[bool] | bool:
    """Which rows stand after a key, or else not after it; True: all, False: none."""
    is_up = order.is_ascending == is_after
    columns, values = arm.key, key
    if arm.is_never is not None and (arm.is_never or key[0] == NEVER_US):
        if not (arm.is_never and key[0] == NEVER_US):
            # the arms of those that have ended and of those that live: one is wholly ahead
            return arm.is_never == is_up
        columns, values = columns[1:], values[1:]
    here = tuple_(*columns)
    there = tuple_(*values)
    if is_after:
        return here > there if is_up else here < there
    return here >= there if is_up else here <= there


def _sorted(statement: Rows, arm: Arm, order: Order) -> Rows:
    columns = arm.key[1:] if arm.is_never else arm.key
    return statement.order_by(
        *(column.asc() if order.is_ascending else column.desc() for column in columns)
    )
