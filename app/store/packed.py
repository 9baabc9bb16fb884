"""Columns of numbers as one text each: they cross from the database faster than as many rows."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, String, Subquery, literal_column, select

Integers = NDArray[np.int64]

_JOINED: Final = {
    "sqlite": "group_concat({}, ' ')",
    "postgresql": "string_agg(CAST({} AS text), ' ')",
}
DIALECTS: Final = tuple(_JOINED)


def joined(dialect: str, column: str) -> str:
    """All values of a column, in SQL; several columns of one statement come in the same order."""
    return _JOINED[dialect].format(column)


def columns_of(conn: Connection, rows: Subquery, names: Sequence[str]) -> list[Integers]:
    """Columns of numbers of a statement's rows, in the order of the names (as `rows` reads)."""
    columns = (literal_column(joined(conn.dialect.name, name), String) for name in names)
    return [numbers(words) for words in conn.execute(select(*columns).select_from(rows)).one()]


def numbers(words: str | None) -> Integers:
    """What came of a column; None: there was no row."""
    return np.fromstring(words or "", dtype=np.int64, sep=" ")
