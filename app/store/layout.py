"""Which tables and columns a backup holds, of this release's schema or of an older one."""

import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)
from sqlalchemy import Column as TableColumn
from sqlalchemy.types import BigInteger, TypeEngine

from app.domain.backup_rows import Column, Kind, TableShape
from app.store import derived, revisions
from app.store.database import Database
from app.store.tables import metadata

#: Tables that no backup holds, and why; what a migration or a trigger makes of other rows.
LEFT_OUT: Final = MappingProxyType(
    {
        "alembic_version": "the manifest has the revision",
        "stat_bound": "constants: the migration writes them",
        **dict.fromkeys(derived.TABLES, "made of texts and errors"),
    }
)
_KINDS: Final[tuple[tuple[type[TypeEngine[Any]], Kind], ...]] = (
    (Boolean, "bool"),
    (Integer, "int"),
    (Float, "float"),
    (LargeBinary, "bytes"),
    (String, "text"),
)


def today() -> tuple[TableShape, ...]:
    """The tables of this release, those that others refer to first."""
    return _shapes(metadata)


def names() -> list[str]:
    """Every table whose rows change, those that no backup holds included, in the same order."""
    return [*(shape.name for shape in today()), *derived.TABLES]


def of_revision(revision: str) -> tuple[TableShape, ...]:
    """The tables of a revision that this release knows; made in a file of its own (0.2 s)."""
    if revision == revisions.known()[-1]:
        return today()
    with tempfile.TemporaryDirectory(prefix="voxtrace-schema-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'schema.db'}", role="migrate", pool_size=1)
        try:
            with database.write() as conn:
                revisions.move(conn, before=None, to=revision)
                return reflected(conn)
        finally:
            database.close()


def reflected(conn: Connection) -> tuple[TableShape, ...]:
    """The tables that a database of SQLite has."""
    found = MetaData()
    found.reflect(conn, only=lambda name, _: not derived.is_index(name))
    return _shapes(found)


def _shapes(found: MetaData) -> tuple[TableShape, ...]:
    return tuple(_shape(table) for table in found.sorted_tables if table.name not in LEFT_OUT)


def _shape(table: Table) -> TableShape:
    key = tuple(column.name for column in table.primary_key)
    kept = [column for column in table.columns if column.computed is None]
    id_column = next((column for column in kept if _gives_ids(table, column)), None)
    return TableShape(
        name=table.name,
        columns=tuple(_column(column, is_id=column is id_column) for column in kept),
        key=key,
        id_column=None if id_column is None else id_column.name,
    )


def _column(column: TableColumn[object], *, is_id: bool) -> Column:
    kind = next(kind for cls, kind in _KINDS if isinstance(column.type, cls))
    return Column(
        name=column.name,
        kind=kind,
        is_nullable=bool(column.nullable),
        max_chars=column.type.length if isinstance(column.type, String) else None,
        bits=64 if is_id else _bits(column.type),
    )


def _bits(kind: TypeEngine[Any]) -> int:
    """Of an integer; `BigInteger` and `SmallInteger` are kinds of `Integer`."""
    if isinstance(kind, SmallInteger):
        return 16
    return 32 if isinstance(kind, Integer) and not isinstance(kind, BigInteger) else 64


def _gives_ids(table: Table, column: TableColumn[object]) -> bool:
    """Whether the database gives the values: a key of one column, an integer named `id`."""
    return (
        table.primary_key.columns.keys() == [column.name]
        and isinstance(column.type, Integer)
        and column.name == "id"
    )
