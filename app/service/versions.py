"""Versions: what runs here, for people who compare two machines or write to someone."""

import platform
from dataclasses import dataclass

from app.domain.errors import VoxtraceError
from app.service.core import Core
from app.store import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A part and its version."""

    name: str
    value: str


def versions(core: Core) -> list[Version]:
    """The release, the language, the database and its schema, the engines.

    Of a database that does not answer there are none.
    """
    return [
        Version(name="voxtrace", value=core.settings.release),
        Version(name="Python", value=platform.python_version()),
        *_of_database(core),
        *(Version(name=engine.name, value=engine.version) for engine in core.engines.values()),
    ]


def _of_database(core: Core) -> list[Version]:
    try:
        with core.database.read() as conn:
            server, revision = schema.server_version(conn), schema.revision(conn)
    except VoxtraceError:
        return []
    name = "SQLite" if core.database.is_sqlite else "PostgreSQL"
    return [Version(name=name, value=server), Version(name="schema", value=revision or "–")]
