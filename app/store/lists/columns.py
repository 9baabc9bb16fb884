"""The columns of listed tables for statements that name the index in their FROM.

They belong to no table of SQLAlchemy's, which would add the table to the FROM once more, and knows
no INDEXED BY: without it SQLite took the index of a worker where the list walks that of a duration,
and sorted a million rows.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Table,
    TextClause,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine

from app.store.tables import attempt_table, task_table


def _asked_as(column: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type of what a column is compared with: of a number any that a filter may name.

    PostgreSQL refused `attempt > 3000000000` where the value was sent as an INTEGER.
    """
    return BigInteger() if isinstance(column, Integer) else column


def _columns(table: Table) -> Mapping[str, ColumnElement[Any]]:
    return MappingProxyType(
        {
            column.name: literal_column(f"{table.name}.{column.name}", _asked_as(column.type))
            for column in table.c
        }
    )


TASK: Final = _columns(task_table)
ATTEMPT: Final = _columns(attempt_table)


def table_by(table: str, index: str | None, dialect: str) -> TextClause:
    """A table, read by an index that SQLite is told; PostgreSQL's planner finds it."""
    is_told = index is not None and dialect == "sqlite"
    return text(f"{table} INDEXED BY {index}" if is_told else table)
