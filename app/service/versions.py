"""Versions: what runs here, for people who compare two machines or write to someone."""

import platform
from dataclasses import dataclass

from app.service.core import Core
from app.store import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A part and its version."""

    name: str
    value: str


def versions(core: Core) -> list[Version]:
    """The release, the language, the database and its schema, the engines.

    Raises:
        StoreError: The database does not answer.
    """
    with core.database.read() as conn:
        server, revision = schema.server_version(conn), schema.revision(conn)
    name = "SQLite" if core.database.is_sqlite else "PostgreSQL"
    return [
        Version(name="voxtrace", value=core.settings.release),
        Version(name="Python", value=platform.python_version()),
        Version(name=name, value=server),
        Version(name="schema", value=revision or "–"),
        *(Version(name=engine.name, value=engine.version) for engine in core.engines.values()),
    ]
