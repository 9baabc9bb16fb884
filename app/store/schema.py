"""The schema: migrate it, and tell whether it is the one that this release needs."""

from contextlib import suppress
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

import migrations
from app.domain.errors import DatabaseBusyError, SchemaError
from app.store.database import Database
from migrations import triggers


def migrate(database: Database) -> tuple[str | None, str]:
    """Brings the schema up to this release in one transaction.

    Returns:
        (revision before, revision after); the first is None on an empty database.
    """
    path = database.raw_path()
    if path is not None:
        _prepare_file(database, Path(path))
    config = _config()
    with database.write() as conn:
        if not database.is_sqlite:
            conn.execute(text("SELECT pg_advisory_xact_lock(7869746)"))  # one migration at a time
        before = revision(conn)
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
        after = revision(conn)
    return before, after or ""


def check(database: Database) -> None:
    """Raises SchemaError, with what to do, where the schema or a trigger is not this release's."""
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    try:
        with database.read() as conn:
            found = revision(conn)
            missing = _missing_triggers(conn, database) if found == wanted else []
    except DatabaseBusyError as error:
        message = f"the database cannot be opened: {error.message}"
        raise SchemaError(message) from error
    if found != wanted:
        message = (
            f"the database schema is {found or 'empty'}, this release needs {wanted}: "
            "run `voxtrace migrate` (or `voxtrace up`, which does it)"
        )
        raise SchemaError(message)
    if missing:
        message = (
            f"database triggers are missing: {', '.join(missing)}; totals would be wrong. "
            "Restore them from a backup of the schema or run `voxtrace migrate` on a new database"
        )
        raise SchemaError(message)


def server_version(conn: Connection) -> str:
    """The version of the database's own program."""
    if conn.dialect.name == "postgresql":
        return str(conn.execute(text("SHOW server_version")).scalar_one()).partition(" ")[0]
    return str(conn.execute(text("SELECT sqlite_version()")).scalar_one())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config


def revision(conn: Connection) -> str | None:
    """The revision that the database is at; None on an empty one."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    return MigrationContext.configure(conn).get_current_revision()


def _missing_triggers(conn: Connection, database: Database) -> list[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if database.is_sqlite
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    )
    found = set(conn.execute(text(query)).scalars())
    wanted = triggers.tables("sqlite" if database.is_sqlite else "postgresql")
    return [name for name in wanted if name not in found]


def _prepare_file(database: Database, path: Path) -> None:
    """A new SQLite file gets incremental vacuum before its first table, and WAL (both stay)."""
    with suppress(FileExistsError):
        path.parent.mkdir(parents=True, exist_ok=True)
    database.pragma("auto_vacuum=INCREMENTAL")
    database.pragma("journal_mode=WAL")
