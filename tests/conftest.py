"""Fixtures: a database of each kind, a home on each, a real collector and a real Jaeger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import migrated
from tests.support.backend_programs import build_missing, found_programs
from tests.support.backends import Backends, Collector, Jaeger, Pair
from tests.support.file_order import by_file
from tests.support.home import Home
from tests.support.postgres import shared_server

KINDS = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))
_TEMPLATE: list[str] = []


def database_url(kind: str, tmp_path: Path) -> str:
    """The URL of a new database with this release's schema."""
    if kind == "sqlite":
        migrated.copy_to(tmp_path / "voxtrace.db")
        return empty_database_url(kind, tmp_path)
    server = shared_server()
    if not _TEMPLATE:
        url = empty_database_url(kind, tmp_path)
        migrated.migrate(url)
        _TEMPLATE.append(url.partition("@/")[2].partition("?")[0])
    return server.create_database(_TEMPLATE[0])


def empty_database_url(kind: str, tmp_path: Path) -> str:
    """The URL of a new database without any schema."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'voxtrace.db'}"
    return shared_server().create_database()


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files apart from each other: two workers then seldom have one at the same time."""
    items[:] = by_file(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Builds the collector and Jaeger where a test wants them: no test has the time for it."""
    wanted = any("backends" in getattr(item, "fixturenames", ()) for item in session.items)
    if wanted and not session.config.option.collectonly:
        capture = session.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            build_missing(lambda words: print(words, flush=True))


@pytest.fixture(scope="session")
def backends() -> Backends:
    """The programs of a collector and of Jaeger (and of Prometheus, where it is installed)."""
    return found_programs()


@pytest.fixture
def jaeger(backends: Backends, tmp_path: Path) -> Iterator[Jaeger]:
    """A new Jaeger."""
    with Jaeger(backends.jaeger, tmp_path / "jaeger") as started:
        yield started


@pytest.fixture
def collector(backends: Backends, jaeger: Jaeger, tmp_path: Path) -> Iterator[Collector]:
    """A new collector that hands its spans to `jaeger`."""
    with Collector(backends.otelcol, tmp_path / "collector", jaeger) as started:
        yield started


@pytest.fixture(scope="module")
def pair(backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A collector and a Jaeger for all tests of a module: for those that kill neither."""
    with Pair.make(backends, tmp_path_factory.mktemp("pair")) as started:
        yield started


@pytest.fixture(scope="module", autouse=True)
def begun_first(request: pytest.FixtureRequest) -> None:
    """Makes the fixture that a module names in BEGUN_FIRST before the first of its tests.

    What that one begins has a wait in it, which then passes while other tests run.
    """
    name = getattr(request.module, "BEGUN_FIRST", None)
    if name is not None and any(
        name in getattr(item, "fixturenames", ())
        for item in request.session.items
        if item.path == request.path
    ):
        request.getfixturevalue(name)
