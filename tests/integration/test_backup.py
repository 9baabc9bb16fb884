"""Export and import: the state of a database in a file, and back, on both kinds of database."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from app.domain.errors import ConflictError, StoreError
from app.domain.task import LEASE_US
from app.service import leader, reap, remains, task_list
from app.service.backup import target
from app.service.backup.export import export
from app.service.backup.progress import Progress
from app.service.core import Core
from app.service.recounts.reconcile import reconcile
from app.store import derived, layout, live_counts, recount_rows, schema, totals
from app.store.tables import metadata
from migrations import today
from tests.conftest import KINDS, database_url, empty_database_url
from tests.support.backup_files import (
    changed,
    contents,
    ids,
    import_file,
    kept,
    put_together,
    taken_apart,
)
from tests.support.home import Home
from tests.support.service import claimed, run, start_worker, submitted
from tests.support.worked import WAITING, worked

MakeHome = Callable[..., Home]

_SQLITE_SCHEMA = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
_POSTGRES_SCHEMA = (
    "SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    """SELECT 'trigger', tgname, tgenabled, pg_get_triggerdef(oid) FROM pg_trigger
    WHERE NOT tgisinternal""",
    """SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = 'public'""",
    """SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = CAST('public' AS regnamespace)""",
)


@pytest.fixture
def make_home(tmp_path: Path) -> Iterator[MakeHome]:
    """Makes homes: migrated ones, or `is_new` ones whose database has no schema."""
    made: list[Home] = []

    def make(kind: str, *, is_new: bool = False) -> Home:
        path = tmp_path / f"home{len(made)}"
        path.mkdir()
        home = Home.make(path, database_url(kind, path))
        if is_new:
            home = Home(path, {**home.environ, "VOXTRACE_DATABASE_URL": _empty(kind, path)})
        made.append(home)
        return home

    yield make
    for home in made:
        home.stop_all()


def _empty(kind: str, path: Path) -> str:
    (path / "new").mkdir()
    return empty_database_url(kind, path / "new")


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("goal", KINDS)
def test_state_is_the_same_on_the_other_side(
    make_home: MakeHome, tmp_path: Path, source: str, goal: str
) -> None:
    """Every row of every table, every counter and the next ids are those of the other database.

    The schema is whole: columns, indexes, triggers. What is exported again is the same, and
    everything counted anew agrees.
    """
    old, new = make_home(source), make_home(goal, is_new=True)
    worked(old.core)
    exported = export(old.core, tmp_path / "a.zip", with_audio=True)
    restored = import_file(new.core, tmp_path / "a.zip")
    assert (restored.lost_tasks, restored.drifts, restored.missing_files) == (1, (), 0)
    assert restored.stored_files == exported.manifest.audio.file_count == 2  # type: ignore[union-attr]
    before, after = contents(old.core.database), contents(new.core.database)
    assert kept(after, besides=before) == kept(before)
    assert ids(new.core.database) == ids(old.core.database)
    assert ids(new.core.database)["task"] > max(row[0] for row in after["task"])
    _assert_whole(new.core, make_home(goal).core)

    export(new.core, tmp_path / "b.zip")
    third = make_home("sqlite")
    import_file(third.core, tmp_path / "b.zip")
    assert kept(contents(third.core.database), besides=after) == kept(after)
    assert ids(third.core.database) == ids(old.core.database)
    assert reconcile(new.core).is_equal


def _assert_whole(core: Core, migrated: Core) -> None:
    """The schema is that of a migrated database, to each index and trigger, and searches find."""
    schema.check(core.database)
    assert _schema(core) == _schema(migrated)
    with core.database.read() as conn:
        searchable = conn.execute(text("SELECT count(*) FROM text_search")).scalar_one()
        shown = conn.execute(text("SELECT count(*) FROM text WHERE deleted_at IS NULL"))
        assert searchable == shown.scalar_one() > 0
        if core.database.is_sqlite:
            found = conn.execute(text("SELECT count(*) FROM text_fts WHERE text_fts MATCH 'heard'"))
            assert found.scalar_one() == 2


def _schema(core: Core) -> set[tuple[str, ...]]:
    """Tables, indexes and triggers, as the database describes them."""
    statements = [_SQLITE_SCHEMA] if core.database.is_sqlite else _POSTGRES_SCHEMA
    with core.database.read() as conn:
        return {tuple(row) for one in statements for row in conn.execute(text(one))}


@pytest.mark.parametrize("goal", KINDS)
def test_work_goes_on_after_an_import(make_home: MakeHome, tmp_path: Path, goal: str) -> None:
    """What ran is given back by the reaper at once; all that waits is done; totals fit the rows."""
    old, new = make_home("sqlite"), make_home(goal, is_new=True)
    running_id = worked(old.core)
    export(old.core, tmp_path / "a.zip", with_audio=True)
    import_file(new.core, tmp_path / "a.zip")
    core = new.core
    assert task_list.get(core, running_id).status == "processing"
    assert reap.reap(core).rescued == 1
    assert task_list.get(core, running_id).lost_count == 1
    worker_id = start_worker(core, name="w9")
    fresh = submitted(core, "Submitted after all that.")
    assert fresh.task.id == ids(old.core.database)["task"] + 1
    for _ in range(1 + len(WAITING) + 1):
        assert run(core, claimed(core, worker_id)).status == "completed"
    assert submitted(core, "Said and heard. 你好，世界。").disposition == "skipped"
    with core.database.read() as conn:
        live = {one.status: one.sums.n for one in totals.of_tasks(conn) if not one.is_archived}
        assert _some(live) == live_counts.tasks_by_status(conn)
        assert _some(totals.texts_by_state(conn)) == recount_rows.texts_by_state(conn)
        assert totals.by_status(totals.of_tasks(conn))["completed"].n == live["completed"] + 1


def _some(counts: dict[str, int]) -> dict[str, int]:
    """Without those that are 0."""
    return {name: n for name, n in counts.items() if n}


def test_every_table_is_in_a_backup_or_left_out_for_a_reason(any_home: Home) -> None:
    """A table that is added later is exported, or stands in the list of those that are not."""
    with any_home.core.database.read() as conn:
        found = set(inspect(conn).get_table_names())
    exported = {shape.name for shape in layout.today()}
    assert exported | set(layout.LEFT_OUT) == {n for n in found if not derived.is_index(n)}
    assert exported.isdisjoint(layout.LEFT_OUT)
    for shape in layout.today():
        columns = metadata.tables[shape.name].columns
        assert set(shape.names) == {one.name for one in columns if one.computed is None}


@pytest.mark.parametrize("kind", KINDS)
def test_export_is_of_one_moment(make_home: MakeHome, tmp_path: Path, kind: str) -> None:
    """What is written while tables are read is in none of them."""
    old = make_home(kind)
    submitted(old.core, "Before.")
    added: list[int] = []

    def tell(progress: Progress) -> None:
        if progress.what == "text":
            added.append(submitted(old.core, f"Meanwhile {len(added)}.").task.id)

    exported = export(old.core, tmp_path / "a.zip", tell=tell)
    assert added
    rows = {part.table: part.row_count for part in exported.manifest.tables}
    assert (rows["text"], rows["task"], rows["submission"], rows["event"]) == (1, 1, 1, 1)
    new = make_home("sqlite")
    assert import_file(new.core, tmp_path / "a.zip").drifts == ()


def test_database_that_is_not_empty_is_refused(
    make_home: MakeHome, any_home: Home, tmp_path: Path
) -> None:
    """Nothing is removed unless that is said; then only the file's rows are there."""
    submitted(make_home("sqlite").core, "From the file.")
    other = make_home("sqlite")
    submitted(other.core, "From the file.")
    export(other.core, tmp_path / "a.zip")
    worked(any_home.core)
    _stop_workers(any_home.core)
    before = contents(any_home.core.database)
    with pytest.raises(ConflictError, match=r"not empty: .*task.*--replace"):
        import_file(any_home.core, tmp_path / "a.zip")
    assert contents(any_home.core.database) == before

    found, counts = target.counted(any_home.core)
    assert counts == {name: len(rows) for name, rows in before.items() if rows}
    assert found.living == ()
    import_file(any_home.core, tmp_path / "a.zip", replace=True)
    assert kept(contents(any_home.core.database)) == kept(contents(other.core.database))
    assert ids(any_home.core.database) == ids(other.core.database)
    _assert_totals(any_home.core, {"pending": 1})


def _stop_workers(core: Core) -> None:
    with core.database.write() as conn:
        conn.execute(
            text("UPDATE worker SET heartbeat_at = heartbeat_at - :lease"), {"lease": LEASE_US + 1}
        )


def _assert_totals(core: Core, wanted: dict[str, int]) -> None:
    with core.database.read() as conn:
        assert {k: v.n for k, v in totals.by_status(totals.of_tasks(conn)).items() if v.n} == wanted
        assert _some(totals.texts_by_state(conn)) == wanted


def test_database_on_which_somebody_works_is_refused(any_home: Home, tmp_path: Path) -> None:
    """A worker with a fresh heartbeat, or a leader, is named; an old one is no reason."""
    core = any_home.core
    export(core, tmp_path / "a.zip")
    start_worker(core, name="busy")
    with pytest.raises(ConflictError, match=r"worker busy on .* --while-running"):
        import_file(core, tmp_path / "a.zip", replace=True)
    _stop_workers(core)
    assert leader.lead(core, "h/1/x")
    with pytest.raises(ConflictError, match="the duties of h/1/x"):
        import_file(core, tmp_path / "a.zip", replace=True)
    import_file(core, tmp_path / "a.zip", replace=True, while_running=True)
    assert contents(core.database)["worker"] == []


def test_time_in_the_file_is_no_time_of_a_task(make_home: MakeHome, tmp_path: Path) -> None:
    """From a file of three days ago nothing times out or expires: limits go on from the import."""
    old, new = make_home("sqlite"), make_home("sqlite")
    running_id = worked(old.core)
    three_days_us = 3 * 86_400_000_000
    export(old.core, tmp_path / "a.zip")
    aged = tmp_path / "a.zip"
    for table in ("task", "task_attempt", "submission", "text", "worker"):
        aged = changed(aged, table, lambda row: _age(row, three_days_us))
    aged = _made_earlier(aged, three_days_us)
    limit_us = task_list.get(old.core, running_id).timeout_us
    import_file(new.core, aged)
    deadline_at = task_list.get(new.core, running_id).deadline_at or 0
    with new.core.database.read() as conn:
        left_us = deadline_at - new.core.database.now_us(conn)
    assert 0.9 * limit_us < left_us <= limit_us
    reaped = reap.reap(new.core)
    assert (reaped.rescued, reaped.timed_out, reaped.expired) == (1, 0, 0)


def _age(row: dict[str, Any], by_us: int) -> None:
    for name, value in row.items():
        if name.endswith("_at") and value is not None:
            row[name] = value - by_us


def _made_earlier(path: Path, by_us: int) -> Path:
    manifest, entries = taken_apart(path)
    manifest["made_at"] -= by_us
    return put_together(path, manifest, entries)


def test_processes_of_the_other_system_are_left_alone(make_home: MakeHome, tmp_path: Path) -> None:
    """A copy of a running system, on its own host, kills none of its processes."""
    old, new = make_home("sqlite"), make_home("sqlite")
    task_id = submitted(old.core, "It runs in this very process.").task.id
    claimed(old.core, start_worker(old.core))
    export(old.core, tmp_path / "a.zip")
    import_file(new.core, tmp_path / "a.zip")
    assert reap.reap(new.core).rescued == 1
    assert remains.kill_groups(new.core) == 0
    row = contents(new.core.database)["task_attempt"][0]
    shape = next(shape for shape in layout.today() if shape.name == "task_attempt")
    known = dict(zip(shape.names, row, strict=True))
    assert (known["task_id"], known["outcome"]) == (task_id, "lost")
    assert (known["pid"], known["pid_ticks"]) == (None, None)


def test_counters_that_differ_from_the_rows_are_told(make_home: MakeHome, tmp_path: Path) -> None:
    """A drift comes over as it is, and the import says so."""
    old, new = make_home("sqlite"), make_home("sqlite")
    worked(old.core)
    with old.core.database.write() as conn:
        conn.execute(text("UPDATE stat_total SET n = n + 3 WHERE status = 'failed'"))
        conn.execute(text("UPDATE stat_text SET n = n + 1 WHERE state = 'completed'"))
        conn.execute(text("UPDATE stat_submission SET n = n + 7 WHERE disposition = 'followed'"))
        conn.execute(text("UPDATE stat_attempt SET n = n + 1 WHERE profile_id = 1"))
    export(old.core, tmp_path / "a.zip")
    drifts = import_file(new.core, tmp_path / "a.zip").drifts
    assert "tasks failed: the counters say 5, the rows 2" in drifts
    assert [words for words in drifts if words.startswith("texts completed")] != []
    assert "requests followed: the counters say 8, the rows 1" in drifts
    assert [words for words in drifts if words.startswith("attempts completed")] != []
    assert len(drifts) == 4
    assert contents(new.core.database)["stat_total"] == contents(old.core.database)["stat_total"]


def test_missing_trigger_is_no_place_for_an_import(any_home: Home) -> None:
    """Totals would be wrong from then on."""
    dialect = "sqlite" if any_home.core.database.is_sqlite else "postgresql"
    name, table = next(iter(today.tables(dialect).items()))
    with any_home.core.database.write() as conn:
        on = "" if any_home.core.database.is_sqlite else f" ON {table}"
        conn.execute(text(f"DROP TRIGGER {name}{on}"))
    with pytest.raises(StoreError, match=name):
        target.counted(any_home.core)


def test_audio_files_that_are_not_whole_are_left_out_and_told(
    make_home: MakeHome, tmp_path: Path
) -> None:
    """A damaged file and a missing one are counted; the import says what is missing there."""
    old, new = make_home("sqlite"), make_home("sqlite")
    worked(old.core)
    with old.core.database.read() as conn:
        keys = conn.execute(text("SELECT DISTINCT storage_key FROM audio")).scalars().all()
    broken, gone = (old.core.storage.path(key) for key in keys)
    broken.write_bytes(broken.read_bytes()[:-1] + b"x")
    exported = export(old.core, tmp_path / "a.zip", with_audio=True)
    assert exported.manifest.audio is not None
    assert (exported.manifest.audio.file_count, exported.manifest.audio.missing_count) == (1, 1)
    restored = import_file(new.core, tmp_path / "a.zip")
    assert (restored.stored_files, restored.missing_files) == (1, 1)
    assert new.core.storage.path(keys[1]).read_bytes() == gone.read_bytes()
    gone.unlink()
    assert json.dumps(exported.manifest.audio.sha256)
