"""What counters say, for a recount: cells by their key, shards added up.

`removed` (archived 1) is the first part of each key. Each function is one statement.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    cast,
    func,
    select,
    text,
)

from app.domain.drift import Key, Values
from app.domain.sums import DIMENSIONS, NAMES
from app.domain.window import EVER_US, Grain, Span
from app.store.counted_attempts import PROFILE
from app.store.tables import (
    stat_attempt_table,
    stat_cube_table,
    stat_hist_table,
    stat_period_table,
    stat_submission_table,
    stat_text_table,
    stat_total_table,
)

#: The columns of each table's key but grain, start and shard; and those of its sums.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "stat_total": ("archived", "status"),
    "stat_period": ("archived", "status"),
    "stat_cube": ("archived", "status", *DIMENSIONS),
    "stat_hist": ("archived", "measure", "low_ms"),
    "stat_submission": ("archived", "disposition", "engine"),
    "stat_text": ("state",),
    # of each cell what its profile has
    "stat_attempt": ("archived", *PROFILE),
}
SUMS: Final[dict[str, tuple[str, ...]]] = {
    "stat_total": NAMES,
    "stat_period": NAMES,
    "stat_cube": NAMES,
    "stat_hist": ("n",),
    "stat_submission": ("n", "char_count", "audio_ms"),
    "stat_text": ("n",),
    "stat_attempt": ("n",),
}
TABLES: Final[dict[str, Table]] = {
    "stat_total": stat_total_table,
    "stat_period": stat_period_table,
    "stat_cube": stat_cube_table,
    "stat_hist": stat_hist_table,
    "stat_submission": stat_submission_table,
    "stat_text": stat_text_table,
    "stat_attempt": stat_attempt_table,
}
#: The tables that know time and whose cells have all of their key in their own row; and all.
TIMED: Final = ("stat_period", "stat_cube", "stat_submission")
BY_TIME: Final = (*TIMED, "stat_attempt")
_STARTS: Final = {
    name: text(f"""
    WITH RECURSIVE counted(at) AS (
      SELECT (SELECT start FROM {name} WHERE grain = :grain AND start >= :since
              ORDER BY grain, start LIMIT 1)
      UNION ALL
      SELECT (SELECT start FROM {name} WHERE grain = :grain AND start > counted.at
              ORDER BY grain, start LIMIT 1)
      FROM counted WHERE counted.at < :until)
    SELECT at FROM counted WHERE at < :until""")  # noqa: S608 - of this module
    for name in BY_TIME
}


def of_span(conn: Connection, table: str, span: Span) -> dict[Key, Values]:
    """Cells of `stat_period`, `stat_cube` or `stat_submission`, hours or days added up.

    Primary key; reads every cell of the span.
    """
    c = TABLES[table].c
    inside = (c.grain == span.grain, c.start >= span.start, c.start < span.end)
    return _cells(conn, table, *inside)


def of_days(conn: Connection, table: str) -> dict[Key, Values]:
    """Cells of all days added up (primary key; reads every day)."""
    return _cells(conn, table, TABLES[table].c.grain == "day")


def of_all(conn: Connection, table: str) -> dict[Key, Values]:
    """Cells of all time of `stat_cube` or `stat_submission` (primary key)."""
    return _cells(conn, table, TABLES[table].c.grain == "all")


def cube_part(conn: Connection, grain: str, archived: int, status: str) -> dict[Key, Values]:
    """Cells of the cube of one status: of all days added up, or of all time.

    Primary key; of days it reads those cells of each.
    """
    c = stat_cube_table.c
    return _cells(conn, "stat_cube", c.grain == grain, c.archived == archived, c.status == status)


def removed_cells(
    conn: Connection, table: str, grain: str, since: int = 0, until: int = EVER_US
) -> dict[tuple[int, Key], Values]:
    """Cells of what was removed by their beginning and key, from a moment on and before another.

    Primary key of `stat_period`, `stat_cube` or `stat_submission`; reads every cell of the span.
    """
    c = TABLES[table].c
    keys = [c[name] for name in KEYS[table]]
    sums = [cast(func.sum(c[name]), BigInteger) for name in SUMS[table]]
    width = len(keys) + 1
    statement = (
        select(c.start, *keys, *sums)
        .where(c.grain == grain, c.start >= since, c.start < until, c.archived == 1)
        .group_by(c.start, *keys)
    )
    rows = conn.execute(statement)
    return {(row[0], tuple(row[1:width])): tuple(row[width:]) for row in rows}


def whole(conn: Connection, table: str) -> dict[Key, Values]:
    """Cells of a table that knows no time: `stat_total`, `stat_hist`, `stat_text` (all of it)."""
    return _cells(conn, table)


def histogram(
    conn: Connection, measure: str, low_ms: int, high_ms: int | None
) -> dict[Key, Values]:
    """Buckets from `low_ms` to below `high_ms` (None: without end), of tasks that are there.

    Primary key.
    """
    c = stat_hist_table.c
    inside = [c.archived == 0, c.measure == measure, c.low_ms >= low_ms]
    if high_ms is not None:
        inside.append(c.low_ms < high_ms)
    return _cells(conn, "stat_hist", *inside)


def starts(conn: Connection, table: str, grain: Grain, since: int, until: int) -> list[int]:
    """The hours or days that have cells, from a moment on and before another.

    Primary key of a table of `BY_TIME`, one entry for each of them.
    """
    values = {"grain": grain, "since": since, "until": until}
    return list(conn.execute(_STARTS[table], values).scalars())


def _cells(conn: Connection, table: str, *conditions: ColumnElement[bool]) -> dict[Key, Values]:
    c = TABLES[table].c
    keys = [c[name] for name in KEYS[table]]
    sums = [cast(func.sum(c[name]), BigInteger) for name in SUMS[table]]
    width = len(keys)
    rows = conn.execute(select(*keys, *sums).where(*conditions).group_by(*keys)).all()
    return {tuple(row[:width]): tuple(row[width:]) for row in rows}
