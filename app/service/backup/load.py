"""Load: the rows of a file into a database, in the transaction of the caller.

The schema becomes the one that the file has, the rows are written as they are, and the schema is
brought up to this release: what later migrations count or fill in, they do as on any old database.
"""

from app.domain.backup import TablePart
from app.domain.errors import StoreError
from app.service.backup import check
from app.service.backup.check import Checked
from app.service.backup.progress import Progress, Tell
from app.store import (
    bulk,
    bulk_load,
    derived,
    id_counters,
    layout,
    revisions,
    schema,
    search_index,
)
from app.store.database import Connection


def keep_others_out(conn: Connection) -> None:
    """Nobody reads or writes beside this transaction, nor changes the schema (PostgreSQL)."""
    bulk_load.without_limits(conn)
    schema.lock(conn)
    if schema.revision(conn) == revisions.known()[-1]:
        bulk_load.lock(conn, layout.names())


def load(conn: Connection, checked: Checked, *, before: str | None, tell: Tell) -> None:
    """Replaces everything by the rows of a file.

    Args:
        conn: Of a transaction that keeps others out.
        checked: The file.
        before: Revision of the database; None: it has no schema.
        tell: Hears how far it is.

    Raises:
        BackupError: The file is not what was checked.
        StoreError: The database refuses rows; names their lines.
    """
    manifest = checked.backup.manifest
    if before is not None:
        _clear(conn)
    revisions.move(conn, before=before, to=manifest.schema)
    resting = bulk_load.put_to_rest(conn, layout.names())
    for part in manifest.tables:
        _load_table(conn, checked, part, tell)
    tell(Progress(step="index", what="all tables", done=0))
    derived.rebuild(conn)
    bulk_load.wake(conn, resting)
    revisions.move(conn, before=manifest.schema, to=revisions.known()[-1])
    search_index.ensure(conn)
    bulk_load.analyze(conn, layout.names())


def _clear(conn: Connection) -> None:
    """Every row goes, what counts them too."""
    names = layout.names()
    resting = bulk_load.put_to_rest(conn, names)
    bulk.remove_all(conn, names)
    bulk_load.wake(conn, resting)


def _load_table(conn: Connection, checked: Checked, part: TablePart, tell: Tell) -> None:
    shape = checked.shapes[part.table]
    is_strict = conn.dialect.name == "postgresql"
    read = check.batches(checked.backup, part, shape, is_strict=is_strict, tell=tell, step="load")
    for first, batch in read:
        try:
            bulk.insert(conn, shape, batch)
        except StoreError as error:
            last = first + len(batch) - 1
            message = f"{part.entry}, one of the lines {first} to {last}: {error.message}"
            raise StoreError(message) from error
    if shape.id_column is not None:
        id_counters.go_on_after(conn, part.table, shape.id_column, part.last_id or 0)
