"""Backup files of older releases: loaded as they were, then migrated, as any old database is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.backup_rows import TableShape
from app.store import layout, revisions, schema
from app.store.database import Database
from tests.conftest import empty_database_url
from tests.support import first_release
from tests.support.backup_files import contents, export_of_revision, import_file, kept
from tests.support.home import Home

OLD = revisions.known()[:-1]


@pytest.fixture
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A home whose database has no schema."""
    (tmp_path / "new").mkdir()
    made = Home.make(tmp_path / "made")
    url = empty_database_url(request.param, tmp_path / "new")
    with Home(tmp_path / "new", {**made.environ, "VOXTRACE_DATABASE_URL": url}) as home:
        yield home


CASES = [
    *(
        pytest.param("sqlite", one, id=f"sqlite-{one}")
        for one in (OLD[0], OLD[len(OLD) // 2], OLD[-1])
    ),
    *(
        pytest.param("postgres", one, marks=pytest.mark.postgres, id=f"postgres-{one}")
        for one in (OLD[0], OLD[-1])
    ),
]


@pytest.mark.parametrize(("new", "revision"), CASES, indirect=["new"])
def test_old_file_gives_what_a_migrated_database_has(
    new: Home, tmp_path: Path, revision: str
) -> None:
    """Rows, counters and what migrations fill in are those of the old database, migrated.

    The same into a database of this release that is emptied first.
    """
    url = f"sqlite:///{tmp_path / 'old.db'}"
    first_release.write(url)
    old = Database(url, role="migrate", pool_size=1)
    with old.write() as conn:
        revisions.move(conn, before=OLD[0], to=revision)
    export_of_revision(old, revision, tmp_path / "old.zip")
    schema.migrate(old)
    migrated = contents(old)
    old.close()
    assert len(migrated["task"]) > 5

    import_file(new.core, tmp_path / "old.zip")
    found = contents(new.core.database)
    assert kept(found, besides=migrated) == kept(migrated)
    schema.check(new.core.database)
    if revision in {OLD[0], OLD[-1]}:
        import_file(new.core, tmp_path / "old.zip", replace=True)
        again = contents(new.core.database)
        assert kept(again, besides=migrated) == kept(migrated)
        schema.check(new.core.database)


def test_shapes_of_a_revision_are_told_right(tmp_path: Path) -> None:
    """What is read out of a migrated file says of this release's tables what the code says."""
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", role="migrate", pool_size=1)
    schema.migrate(database)
    with database.read() as conn:
        found = layout.reflected(conn)
    database.close()
    assert _facts(found) == _facts(layout.today())


def _facts(shapes: tuple[TableShape, ...]) -> dict[str, object]:
    """Names, kinds, widths; SQLite's key of a row tells no width."""
    return {
        shape.name: (
            set(shape.key),
            shape.id_column,
            {(one.name, one.kind, one.max_chars, one.bits) for one in shape.columns},
            {one.name for one in shape.columns if one.is_nullable},
        )
        for shape in shapes
    }
