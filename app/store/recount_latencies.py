"""Histograms of closed hours and days (`stat_latency`): written and read as they are packed."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, bindparam, delete, insert, select, text

from app.domain.window import Grain, Span
from app.store.tables import stat_latency_table

_L = stat_latency_table.c

#: A dimension and its value.
Of: TypeAlias = tuple[str, str]
#: (dimension, value) -> completed tasks, and their packed histograms.
Packed: TypeAlias = Mapping[Of, tuple[int, bytes]]
#: The same to be written; None: there is to be none.
Changes: TypeAlias = Mapping[Of, tuple[int, bytes] | None]
#: The dimension of all tasks; its value is empty too.
ALL: Final = ""


def of_start(conn: Connection, grain: Grain, start: int) -> Packed:
    """The histograms of an hour or a day (primary key)."""
    statement = select(_L.dimension, _L.value, _L.n, _L.buckets).where(
        _L.grain == grain, _L.start == start
    )
    return {
        (dimension, value): (int(n), bytes(buckets))
        for dimension, value, n, buckets in conn.execute(statement)
    }


def of_span(conn: Connection, span: Span) -> list[tuple[str, str, int, bytes]]:
    """Dimension, value, completed tasks and packed histograms of some hours (primary key)."""
    statement = (
        select(_L.dimension, _L.value, _L.n, _L.buckets)
        .where(_L.grain == span.grain, _L.start >= span.start, _L.start < span.end)
        .order_by(_L.start, _L.dimension, _L.value)
    )
    return [
        (dimension, value, int(n), bytes(packed))
        for dimension, value, n, packed in conn.execute(statement)
    ]


def lock(conn: Connection) -> None:
    """Keeps others from writing histograms until this transaction ends; who reads goes on."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("LOCK TABLE stat_latency IN SHARE ROW EXCLUSIVE MODE"))


def drop(conn: Connection, grain: Grain, start: int, which: Iterable[Of]) -> None:
    """Removes some histograms of an hour or a day (primary key)."""
    rows = [{"of": dimension, "is": value} for dimension, value in sorted(which)]
    mine = (_L.grain == grain, _L.start == start)
    if rows:
        conn.execute(
            delete(stat_latency_table).where(
                *mine, _L.dimension == bindparam("of"), _L.value == bindparam("is")
            ),
            rows,
        )


def change(conn: Connection, grain: Grain, start: int, changes: Changes) -> None:
    """Writes histograms of an hour or a day in the place of those that are there.

    Those of the same dimensions and values; the others stay.
    """
    drop(conn, grain, start, changes)
    rows: list[dict[str, Any]] = [
        {
            "grain": grain,
            "start": start,
            "dimension": dimension,
            "value": value,
            "n": one[0],
            "buckets": one[1],
        }
        for (dimension, value), one in sorted(changes.items())
        if one is not None
    ]
    if rows:
        conn.execute(insert(stat_latency_table), rows)
