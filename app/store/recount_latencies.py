"""Histograms of closed hours and days (`stat_latency`): written whole, read as they were packed."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from sqlalchemy import Connection, delete, insert, select

from app.domain.window import Grain, Span
from app.store.tables import stat_latency_table

_L = stat_latency_table.c

#: (dimension, value) -> completed tasks, and their packed histograms.
Packed: TypeAlias = Mapping[tuple[str, str], tuple[int, bytes]]
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
    statement = select(_L.dimension, _L.value, _L.n, _L.buckets).where(
        _L.grain == span.grain, _L.start >= span.start, _L.start < span.end
    )
    return [
        (dimension, value, int(n), bytes(packed))
        for dimension, value, n, packed in conn.execute(statement)
    ]


def put(conn: Connection, grain: Grain, start: int, packed: Packed) -> None:
    """Writes the histograms of an hour or a day in the place of those that are there."""
    conn.execute(delete(stat_latency_table).where(_L.grain == grain, _L.start == start))
    rows = [
        {
            "grain": grain,
            "start": start,
            "dimension": dimension,
            "value": value,
            "n": n,
            "buckets": buckets,
        }
        for (dimension, value), (n, buckets) in sorted(packed.items())
    ]
    if rows:
        conn.execute(insert(stat_latency_table), rows)
