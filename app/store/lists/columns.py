"""The columns of `task` for statements that name the index in their FROM.

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
    TextClause,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine

from app.store.tables import task_table


def _asked_as(column: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type of what a column is compared with: of a number any that a filter may name.

    PostgreSQL refused `attempt > 3000000000` where the value was sent as an INTEGER.
    """
    return BigInteger() if isinstance(column, Integer) else column


TASK: Final[Mapping[str, ColumnElement[Any]]] = MappingProxyType(
    {
        column.name: literal_column(f"task.{column.name}", _asked_as(column.type))
        for column in task_table.c
    }
)


def task_by(index: str | None, dialect: str) -> TextClause:
    """The table, read by an index that SQLite is told; PostgreSQL's planner finds it."""
    return text(f"task INDEXED BY {index}" if index is not None and dialect == "sqlite" else "task")
