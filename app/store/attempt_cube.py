"""The cube over attempts: how many of each profile ended in some hours or days.

Cells and rows come in the same form: ids of profiles and numbers, as arrays. Cells cross from the
database as two texts of numbers (`packed.py`), which takes a third of the time of as many rows.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from sqlalchemy import (
    Connection,
    and_,
    func,
    select,
    text,
)

from app.domain import lengths
from app.domain.correlation.dimensions import DIMENSIONS
from app.domain.window import Span
from app.store.counted_attempts import COUNTED, IS_OF_PROFILE
from app.store.packed import DIALECTS, Integers, joined, numbers
from app.store.tables import attempt_table, stat_attempt_table, stat_profile_table

_A = attempt_table.c
_C = stat_attempt_table.c
_P = stat_profile_table.c
_IDS: Final = {
    "sqlite": "SELECT value FROM json_each(:ids)",
    "postgresql": "SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:ids AS json))",
}
_CELLS: Final = {
    dialect: text(
        f"SELECT {joined(dialect, 'profile_id')}, {joined(dialect, 'n')} FROM stat_attempt"  # noqa: S608 - of this module
        " WHERE grain = :grain AND start >= :start AND start < :end"
    )
    for dialect in DIALECTS
}
_COLUMNS: Final = ", ".join(("id", *DIMENSIONS, "failure", "is_repeat"))
_BY_ID: Final = {
    dialect: text(f"SELECT {_COLUMNS} FROM stat_profile WHERE id IN ({ids})")  # noqa: S608 - ours
    for dialect, ids in _IDS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What attempts are told apart by: it never changes, and its id is never another's.

    Attributes:
        values: In the order of `DIMENSIONS`; of `length` the label of its bucket. "": none.
        failure: The fingerprint; "": they completed.
        is_repeat: The same text failed so before.
    """

    id: int
    values: tuple[str, ...]
    failure: str
    is_repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Attempts by profile; a profile may come several times.

    Attributes:
        ids: Of profiles.
        n: Attempts, as many numbers as ids.
    """

    ids: Integers
    n: Integers


def of_span(conn: Connection, span: Span) -> Counts:
    """Attempts that ended in some hours or days, removed ones too (primary key, all its cells)."""
    ids, n = conn.execute(_CELLS[conn.dialect.name], asdict(span)).one()
    return Counts(ids=numbers(ids), n=numbers(n))


def of_rows(conn: Connection, start: int, end: int) -> Counts:
    """Attempts that ended in a stretch of time, from their rows.

    Index ix_task_attempt_ended, then uq_stat_profile_values for each; reads each row.
    """
    statement = (
        select(_P.id, func.count())
        .select_from(attempt_table)
        .join(stat_profile_table, and_(*IS_OF_PROFILE))
        .where(COUNTED, _A.finished_at >= start, _A.finished_at < end)
        .group_by(_P.id)
    )
    rows = conn.execute(statement).cursor.fetchall()
    table = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return Counts(ids=table[:, 0], n=table[:, 1])


def profiles(conn: Connection, ids: Iterable[int]) -> list[Profile]:
    """The profiles with these ids, in no order (primary key, one look for each)."""
    values = {"ids": json.dumps(list(ids))}
    rows = conn.execute(_BY_ID[conn.dialect.name], values).cursor.fetchall()
    return [
        Profile(
            id=row[0],
            values=(*row[1:7], lengths.LABELS[row[7]], row[8]),
            failure=row[9],
            is_repeat=bool(row[10]),
        )
        for row in rows
    ]


def archived_hours(conn: Connection, hours: Iterable[int]) -> set[int]:
    """Those of the hours of which retention removed attempts (primary key, their cells)."""
    statement = (
        select(_C.start)
        .where(_C.grain == "hour", _C.start.in_(sorted(hours)), _C.archived == 1, _C.n > 0)
        .distinct()
    )
    return set(conn.execute(statement).scalars())
