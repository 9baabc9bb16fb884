"""The schema: migrate it, and tell whether it is the one that this release needs."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, make_url, text

from app.domain.errors import DatabaseBusyError, SchemaError
from app.store import bulk_load, revisions, search_index, trigger_state
from app.store.database import Database

#: `error_type` where the schema is right, but for its triggers.
TRIGGERS: Final = "triggers"


def migrate(database: Database) -> tuple[str | None, str]:
    """Brings the schema up to this release in one transaction, however long that takes.

    Returns:
        (revision before, revision after); the first is None on an empty database.
    """
    prepare(database)
    config = revisions.config()
    with database.write() as conn:
        bulk_load.without_limits(conn)
        lock(conn)
        before = revision(conn)
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
        search_index.ensure(conn)
        after = revision(conn)
    return before, after or ""


def check(database: Database) -> None:
    """Raises SchemaError, with what to do, where the schema or a trigger is not this release's."""
    check_revision(database)
    with database.read() as conn:
        faults = trigger_state.faults(conn)
    if faults:
        told = ", ".join(f"{name} ({fault})" for name, fault in faults.items())
        message = (
            f"database triggers are not as this release makes them: {told}; totals would be wrong. "
            "`voxtrace reconcile --rebuild` restores them and counts anew"
        )
        raise SchemaError(message, error_type=TRIGGERS)


def check_revision(database: Database) -> None:
    """Raises SchemaError, with what to do, where the schema is not this release's."""
    try:
        with database.read() as conn:
            found = revision(conn)
    except DatabaseBusyError as error:
        message = f"the database cannot be opened: {error.message}"
        raise SchemaError(message) from error
    if found != revisions.known()[-1]:
        raise other(found)


def other(found: str | None) -> SchemaError:
    """The error over a schema that is not this release's."""
    message = (
        f"the database schema is {found or 'empty'}, this release needs {revisions.known()[-1]}: "
        "run `voxtrace migrate` (or `voxtrace up`, which does it)"
    )
    return SchemaError(message)


def check_is_there(url: str) -> None:
    """Raises SchemaError, with what to do, where a SQLite file is not there; makes nothing."""
    found = make_url(url)
    path = found.database if found.get_backend_name() == "sqlite" else None
    if path and not path.startswith((":", "file:")) and not Path(path).exists():
        message = (
            f"there is no database at {path}: run `voxtrace migrate`, which makes one "
            "(so do `voxtrace up` and `make run`), or set VOXTRACE_HOME to where it is"
        )
        raise SchemaError(message)


def lock(conn: Connection) -> None:
    """Lets one transaction at a time change the schema (SQLite: the writer's lock does it)."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(7869746)"))


def server_version(conn: Connection) -> str:
    """The version of the database's own program."""
    if conn.dialect.name == "postgresql":
        return str(conn.execute(text("SHOW server_version")).scalar_one()).partition(" ")[0]
    return str(conn.execute(text("SELECT sqlite_version()")).scalar_one())


def revision(conn: Connection) -> str | None:
    """The revision that the database is at; None on an empty one."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    return MigrationContext.configure(conn).get_current_revision()


def prepare(database: Database) -> None:
    """A new SQLite file gets incremental vacuum before its first table, and WAL (both stay)."""
    path = database.raw_path()
    if path is None:
        return
    with suppress(FileExistsError):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    database.pragma("auto_vacuum=INCREMENTAL")
    database.pragma("journal_mode=WAL")
