"""Whole tables, read and written a batch at a time, so that memory does not grow with them."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Connection,
    Float,
    LargeBinary,
    String,
    column,
    delete,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy import insert as sql_insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from app.domain.backup_rows import Kind, Row, TableShape
from app.domain.errors import StoreError
from app.store.tables import audio_table

#: Rows that are fetched at once, of tables with short rows and of others, and the bytes of those.
NARROW_ROWS: Final = 2000
WIDE_ROWS: Final = 200
WIDE_BYTES: Final = 8_000_000
_FIRST_ROWS: Final = 10

_TYPES: Final[dict[Kind, TypeEngine[Any] | None]] = {
    "int": None,
    "bool": Boolean(),
    "float": Float(),
    "text": String(),
    "bytes": LargeBinary(),
}


def rows(conn: Connection, shape: TableShape) -> Iterator[Row]:
    """Every row in the order of the primary key (its index), fetched a batch at a time.

    PostgreSQL reads it through a cursor of the server. Where rows may be long, the size of a batch
    follows from the last one, and grows slowly.
    """
    statement = select(*(column(one.name, _TYPES[one.kind]) for one in shape.columns))
    ordered = statement.select_from(table(shape.name)).order_by(*(column(n) for n in shape.key))
    options = {"stream_results": True, "max_row_buffer": 1}
    with conn.execute(ordered, execution_options=options) as result:
        wide = shape.wide_places
        size = _FIRST_ROWS if wide else NARROW_ROWS
        while batch := result.fetchmany(size):
            yield from batch
            size = _next_size(batch, wide, size) if wide else size


def _next_size(batch: Sequence[Row], wide: tuple[int, ...], size: int) -> int:
    found = chain.from_iterable((row[at] for at in wide) for row in batch)
    row_bytes = 1 + sum(len(value) for value in found if value is not None) // len(batch)
    return max(1, min(4 * size, WIDE_ROWS, WIDE_BYTES // row_bytes))


def audio_keys(conn: Connection) -> Iterator[str]:
    """Keys of the audio files that rows need, each once (index ix_audio_storage_key)."""
    statement = (
        select(audio_table.c.storage_key)
        .where(audio_table.c.deleted_at.is_(None))
        .distinct()
        .order_by(audio_table.c.storage_key)
    )
    options = {"stream_results": True, "max_row_buffer": 1}
    with conn.execute(statement, execution_options=options) as result:
        while batch := result.scalars().fetchmany(NARROW_ROWS):
            yield from batch


def insert(conn: Connection, shape: TableShape, batch: Sequence[Row]) -> None:
    """Inserts rows, their values in the order of the columns (PostgreSQL: COPY).

    Raises:
        StoreError: The database refuses one of them.
    """
    if conn.dialect.name == "postgresql":
        _copy(conn, shape, batch)
        return
    into = sql_insert(table(shape.name, *(column(name) for name in shape.names)))
    statement = str(into.compile(dialect=conn.dialect))
    try:
        conn.exec_driver_sql(statement, [tuple(row) for row in batch])
    except DBAPIError as error:
        raise _refused(error.orig) from error


def _copy(conn: Connection, shape: TableShape, batch: Sequence[Row]) -> None:
    quote = conn.dialect.identifier_preparer.quote
    into = f"{quote(shape.name)} ({', '.join(map(quote, shape.names))})"
    driver: Any = conn.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in batch:
                copy.write_row(row)
    except conn.dialect.loaded_dbapi.Error as error:
        raise _refused(error) from error


def _refused(error: BaseException | None) -> StoreError:
    """In the database's words; their first line has no value of a row."""
    words = str(error).splitlines()[:1]
    return StoreError(f"database: {type(error).__name__}: {''.join(words)[:200]}")


def count(conn: Connection, name: str) -> int:
    """Rows of a table (a scan of its smallest index)."""
    statement = select(func.count()).select_from(table(name))
    return int(conn.execute(statement).scalar_one())


def has_rows(conn: Connection, name: str) -> bool:
    """Whether a table has a row."""
    return conn.execute(select(literal(1)).select_from(table(name)).limit(1)).first() is not None


def remove_all(conn: Connection, names: Sequence[str]) -> None:
    """Empties all these tables, where triggers rest: what counts their rows is among them.

    Args:
        conn: Of a transaction that may write.
        names: Those that others refer to first.
    """
    if conn.dialect.name == "postgresql":
        quote = conn.dialect.identifier_preparer.quote
        conn.execute(text(f"TRUNCATE {', '.join(map(quote, names))}"))
        return
    for name in reversed(names):
        conn.execute(delete(table(name)))
