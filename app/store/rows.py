"""Rows to records, and records' columns in the order of their fields."""

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Row

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")


def record(kind: type[R], row: Row[Any] | None) -> R | None:
    """The row as a `kind`; None for no row."""
    if row is None:
        return None
    mapping = row._mapping
    return kind(**{field.name: mapping[field.name] for field in fields(kind)})


def records(kind: type[R], rows: Iterable[Row[Any]]) -> list[R]:
    """All rows as `kind`, in their order."""
    names = [field.name for field in fields(kind)]
    found = (row._mapping for row in rows)
    return [kind(**{name: mapping[name] for name in names}) for mapping in found]
