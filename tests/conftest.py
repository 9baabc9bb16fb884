"""Fixtures: a database of each kind, and a home on each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store import schema
from app.store.database import Database
from tests.support.home import Home
from tests.support.postgres import shared_server

KINDS = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))
_TEMPLATE: list[str] = []


def database_url(kind: str, tmp_path: Path) -> str:
    """The URL of a new database with this release's schema."""
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path / 'voxtrace.db'}"
        _migrate(url)
        return url
    server = shared_server()
    if not _TEMPLATE:
        url = server.create_database()
        _migrate(url)
        _TEMPLATE.append(url.partition("@/")[2].partition("?")[0])
    return server.create_database(_TEMPLATE[0])


def _migrate(url: str) -> None:
    database = Database(url, role="migrate", pool_size=1)
    schema.migrate(database)
    database.close()


@pytest.fixture(params=KINDS)
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind."""
    return database_url(request.param, tmp_path)


@pytest.fixture
def any_home(any_url: str, tmp_path: Path) -> Iterator[Home]:
    """A home on a database of each kind."""
    with Home.make(tmp_path / "home", any_url) as home:
        yield home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home on SQLite."""
    with Home.make(tmp_path / "home") as made:
        yield made
