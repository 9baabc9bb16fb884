"""Databases with this release's schema: migrated once in a process, copied from then on."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from app.domain.errors import SchemaError
from app.store import schema
from app.store.database import Database


def migrate(url: str) -> None:
    """Brings a database to this release's schema."""
    database = Database(url, role="migrate", pool_size=1)
    schema.migrate(database)
    database.close()


def is_current(url: str) -> bool:
    """Whether a database has this release's schema: asking costs a tenth of migrating to it."""
    database = Database(url, role="migrate", pool_size=1)
    try:
        schema.check_revision(database)
    except SchemaError:
        return False
    finally:
        database.close()
    return True


def copy_to(path: Path) -> None:
    """Makes a new SQLite database at a path, in a folder that is there."""
    shutil.copy(_made(), path)


@cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="voxtrace-schema-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "voxtrace.db"
    migrate(f"sqlite:///{path}")
    return path
