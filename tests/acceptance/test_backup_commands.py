"""`voxtrace export` and `import` as a user runs them: what they say, what they refuse, killed."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from app.store import live_counts, totals
from tests.conftest import KINDS, database_url, empty_database_url
from tests.support.backup_files import contents, import_file, kept, lines_of
from tests.support.home import Home, Program
from tests.support.running import PATIENCE_S
from tests.support.service import start_worker, submitted
from tests.support.wait import wait_until
from tests.support.worked import WAITING, worked

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with work in it."""
    with Home.make(tmp_path_factory.mktemp("old") / "home") as home:
        worked(home.core)
        yield home


@pytest.fixture(scope="module")
def exported(old: Home, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A file of it with audio, and what the command said."""
    file = tmp_path_factory.mktemp("exported") / "all.zip"
    return file, _json(old, "export", str(file), "--audio")


@pytest.fixture(params=KINDS)
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A home whose database has no schema."""
    made = Home.make(tmp_path / "made")
    (tmp_path / "new").mkdir()
    url = empty_database_url(request.param, tmp_path / "new")
    path = tmp_path / "new"
    environ = {**made.environ, "VOXTRACE_HOME": str(path), "VOXTRACE_DATABASE_URL": url}
    with Home(path, environ) as home:
        yield home


def _json(home: Home, *arguments: str) -> Any:
    done = home.run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_state_goes_over_by_command(old: Home, new: Home, exported: tuple[Path, Any]) -> None:
    """Export, then import into a database without a schema; JSON says what went."""
    file, told = exported
    assert (file.stat().st_mode & 0o777, told["bytes"]) == (0o600, file.stat().st_size)
    assert (told["rows"]["task"], told["audio"]["file_count"]) == (8, 2)
    restored = _json(new, "import", str(file))
    assert restored["rows"] == told["rows"]
    assert (restored["lost_tasks"], restored["stored_files"], restored["missing_files"]) == (
        1,
        2,
        0,
    )
    before = contents(old.core.database)
    assert kept(contents(new.core.database), besides=before) == kept(before)


def test_words_say_what_is_there_and_what_is_missing(old: Home, tmp_path: Path) -> None:
    """A check changes nothing; without the audio files the import says how many are missing."""
    file = str(tmp_path / "rows.zip")
    new = Home(tmp_path / "new", {**old.environ, "VOXTRACE_HOME": str(tmp_path / "new")})
    done = old.run("export", file)
    assert done.returncode == 0, done.stderr
    assert "8 tasks" in done.stdout
    assert "audio files are not in it" in done.stdout
    done = new.run("import", file, "--check")
    assert (done.returncode, "the file is whole: 8 tasks" in done.stdout) == (0, True)
    assert not (tmp_path / "new" / "voxtrace.db").exists()
    done = new.run("import", file)
    assert done.returncode == 0, done.stderr
    assert "imported 8 tasks" in done.stdout
    assert "running then: 1 task, which" in done.stdout
    assert "not in this storage: 2 audio files that rows name" in done.stdout


def test_file_that_exists_stays_unless_it_is_said(old: Home, tmp_path: Path) -> None:
    """It is left as it is, and its folder must exist."""
    file = tmp_path / "all.zip"
    file.write_text("mine")
    done = old.run("export", str(file))
    assert (done.returncode, "exists; --force replaces it" in done.stderr) == (1, True)
    assert file.read_text() == "mine"
    done = old.run("export", str(tmp_path / "no" / "all.zip"))
    assert (done.returncode, "cannot be written: No such file" in done.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["all.zip"]


def test_replacing_is_asked_for_and_told(
    old: Home, exported: tuple[Path, Any], tmp_path: Path
) -> None:
    """What would be removed is shown with its numbers; without a yes nothing changes."""
    file = str(exported[0])
    with Home.make(tmp_path / "home") as home:
        submitted(home.core, "It was here before.")
        before = contents(home.core.database)
        done = home.run("import", file, "--replace")
        assert (done.returncode, contents(home.core.database)) == (1, before)
        assert "these rows will be removed" in done.stderr
        assert ["task", "1"] in [line.split() for line in done.stderr.splitlines()]
        start_worker(home.core)
        done = home.run("import", file, "--replace", "--yes")
        assert (done.returncode, "--while-running" in done.stderr) == (1, True)
        done = home.run("import", file, "--replace", "--yes", "--while-running")
        assert done.returncode == 0, done.stderr
        wanted = contents(old.core.database)
        assert kept(contents(home.core.database), besides=wanted) == kept(wanted)


def test_service_goes_on_with_what_was_imported(exported: tuple[Path, Any], tmp_path: Path) -> None:
    """Duties and a worker give back what ran, and speak it and all that waited."""
    path = tmp_path / "home"
    with Home.make(path) as home:
        import_file(home.core, exported[0])
        home.start_duties()
        home.start_worker()
        wait_until(lambda: not _live(home), PATIENCE_S, what="everything that lived is over")
        with home.core.database.read() as conn:
            counts = {
                status: sums.n for status, sums in totals.by_status(totals.of_tasks(conn)).items()
            }
    assert {name: n for name, n in counts.items() if n} == {
        "completed": 2 + 1 + 1 + len(WAITING),
        "failed": 2,
        "cancelled": 1,
    }


def _live(home: Home) -> int:
    with home.core.database.read() as conn:
        counted = live_counts.tasks_by_status(conn)
    return counted.get("pending", 0) + counted.get("processing", 0)


def _stands(home: Home, step: str, what: str, *arguments: str) -> Program:
    """A command that stands still at a step."""
    words = (step, what, *arguments)
    program = home.start(*words, module="tests.support.standing_backup")
    wait_until(
        lambda: "standing" in program.output() or program.popen.poll() is not None,
        PATIENCE_S,
        what=f"the command stands at {step} {what}",
    )
    assert program.popen.poll() is None, program.output()
    return program


@pytest.mark.parametrize(("step", "what"), [("load", "task"), ("index", "all tables")])
def test_import_that_is_killed_changes_nothing(
    old: Home, new: Home, exported: tuple[Path, Any], step: str, what: str
) -> None:
    """SIGKILL in the middle leaves no table; afterwards the same import works."""
    file = exported[0]
    program = _stands(new, step, what, "import", str(file))
    program.signal(signal.SIGKILL)
    program.wait(10)
    with new.core.database.read() as conn:
        assert inspect(conn).get_table_names() == []
    import_file(new.core, file)
    wanted = contents(old.core.database)
    assert kept(contents(new.core.database), besides=wanted) == kept(wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_replacing_that_is_killed_leaves_what_was_there(
    exported: tuple[Path, Any], tmp_path: Path, kind: str
) -> None:
    """SIGKILL after the old rows were removed: they are all there again."""
    with Home.make(tmp_path / "home", database_url(kind, tmp_path)) as home:
        submitted(home.core, "It was here before.")
        before = contents(home.core.database)
        words = ("import", str(exported[0]), "--replace", "--yes")
        program = _stands(home, "index", "all tables", *words)
        program.signal(signal.SIGKILL)
        program.wait(10)
        assert contents(home.core.database) == before
        assert submitted(home.core, "And work goes on.").disposition == "new"


def test_export_that_is_killed_leaves_no_half_of_a_file(old: Home, tmp_path: Path) -> None:
    """What stood there before stays as it was; the next export removes what was left beside it."""
    file = tmp_path / "all.zip"
    file.write_text("mine")
    program = _stands(old, "read", "task", "export", str(file), "--force")
    program.signal(signal.SIGKILL)
    program.wait(10)
    assert file.read_text() == "mine"
    assert len(list(tmp_path.glob(".all.zip.*.part"))) == 1
    assert old.run("export", str(file), "--force").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["all.zip"]
    assert len(lines_of(file)["task"]) == 8
