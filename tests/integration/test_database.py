"""The database layer: forks, snapshots, clocks, errors in words, schema and triggers."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

import migrations
from app import clock
from app.domain.errors import DatabaseBusyError, SchemaError, StoreError
from app.domain.sums import NAMES
from app.store import schema, search_index, settings, trigger_state
from app.store.database import WAIT_S, Database
from app.store.tables import metadata
from migrations import search, today
from tests.conftest import database_url

OpenDatabase = Callable[[str, str], Database]


@pytest.fixture
def open_database() -> Iterator[OpenDatabase]:
    """Opens databases that are closed at the end of the test."""
    opened: list[Database] = []

    def open_one(url: str, role: str) -> Database:
        opened.append(Database(url, role=role, pool_size=2))
        return opened[-1]

    yield open_one
    for database in opened:
        database.close()


def test_children_forked_under_a_writer_are_never_locked_out(tmp_path: Path) -> None:
    """200 children forked by a process that writes, beside one that writes all the time.

    Each has none of its parent's connections and commits what it wants; the file is whole.
    """
    url = database_url("sqlite", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.fork_storm", url, "200"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result == {"failed": 0, "children": 600, "parent": 400, "whole": 1}, done.stderr


def test_reader_sees_one_state(any_url: str, open_database: OpenDatabase) -> None:
    """Every statement of a read transaction sees the same state, whatever is committed beside."""
    reader, writer = (open_database(any_url, "cli") for _ in range(2))
    with writer.write() as conn:
        settings.put(conn, "x", 1, now=0, by="t")
    with reader.read() as seen:
        assert settings.get(seen, "x") == 1
        with writer.write() as conn:
            settings.put(conn, "x", 2, now=0, by="t")
        assert settings.get(seen, "x") == 1
    with reader.read() as seen:
        assert settings.get(seen, "x") == 2


def test_failed_transaction_leaves_nothing(any_url: str, open_database: OpenDatabase) -> None:
    """An exception inside a transaction takes back all of it."""
    database = open_database(any_url, "cli")

    def fail(conn: Connection) -> None:
        settings.put(conn, "y", 1, now=0, by="t")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.run(fail)
    with database.read() as conn:
        assert settings.get(conn, "y") is None


def test_locked_database_is_a_busy_error_in_words(
    tmp_path: Path, open_database: OpenDatabase
) -> None:
    """A lock that is not given in time is a DatabaseBusyError; a wrong statement is not."""
    url = database_url("sqlite", tmp_path)
    holder, waiter = open_database(url, "cli"), open_database(url, "hub")
    with holder.write(), pytest.raises(DatabaseBusyError, match="locked"), waiter.write():
        pass
    with pytest.raises(StoreError) as caught, holder.write() as conn:
        conn.execute(text("SELECT * FROM no_such_table"))
    assert not isinstance(caught.value, DatabaseBusyError)


def test_file_that_is_no_database_is_told_in_words(
    tmp_path: Path, open_database: OpenDatabase
) -> None:
    """Outside of a transaction, too, the driver's error becomes one of ours."""
    path = tmp_path / "voxtrace.db"
    path.write_text("no database " * 1000)
    with pytest.raises(StoreError, match="not a database"):
        schema.migrate(open_database(f"sqlite:///{path}", "migrate"))


@pytest.mark.postgres
def test_deadlock_is_tried_again(tmp_path: Path, open_database: OpenDatabase) -> None:
    """PostgreSQL's serialisation failures do not reach the caller of `run`."""
    url = database_url("postgres", tmp_path)
    database = open_database(url, "cli")
    tries = []

    def work(conn: Connection) -> int:
        tries.append(1)
        if len(tries) < 3:
            conn.execute(
                text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$")
            )
        return len(tries)

    assert database.run(work) == 3


def test_database_clock_is_near_ours(any_url: str, open_database: OpenDatabase) -> None:
    """The database's time is in microseconds since the epoch (here: of this very host)."""
    database = open_database(any_url, "cli")
    with database.read() as conn:
        assert abs(database.now_us(conn) - clock.now_us()) < 5_000_000


def _is_in_metadata(name: str | None, kind: str, _parents: object) -> bool:
    """Whether the metadata should say it: the indexes of searches are no part of it."""
    is_of_fts = kind == "table" and str(name).startswith(tuple(search.FTS))
    return not is_of_fts and name not in search_index.INDEXES


def test_migrations_make_the_tables_that_the_code_names(
    any_url: str, open_database: OpenDatabase
) -> None:
    """The migrated schema is what `tables.py` says, and every trigger is there."""
    database = open_database(any_url, "migrate")
    schema.check(database)
    with database.read() as conn:
        opts = {"compare_type": True, "include_name": _is_in_metadata}
        context = MigrationContext.configure(conn, opts=opts)
        differences = compare_metadata(context, metadata)
    assert differences == []


def test_missing_trigger_is_named(any_url: str, open_database: OpenDatabase) -> None:
    """A database without a trigger is refused, and the trigger is named, whichever it is."""
    database = open_database(any_url, "migrate")
    wanted = today.tables("sqlite" if database.is_sqlite else "postgresql")
    for name, table in wanted.items():
        with database.write() as conn:
            conn.execute(
                text(
                    f"DROP TRIGGER {name}"
                    if database.is_sqlite
                    else f"ALTER TABLE {table} DISABLE TRIGGER {name}"
                )
            )
        with pytest.raises(SchemaError, match=rf"\b{name}\b"):
            schema.check(database)


def _of_database(conn: Connection) -> set[str]:
    """The triggers that a database has."""
    is_sqlite = conn.dialect.name == "sqlite"
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if is_sqlite
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    return set(conn.execute(text(query)).scalars())


def test_every_trigger_is_looked_at(any_url: str, open_database: OpenDatabase) -> None:
    """Those that a new database has are those that are checked: none is forgotten."""
    with open_database(any_url, "migrate").read() as conn:
        assert _of_database(conn) == set(today.tables(conn.dialect.name))


def _spoil(conn: Connection, trigger: today.Trigger) -> None:
    """Lets a trigger do nothing: by its own words on SQLite, by its function on PostgreSQL."""
    if trigger.function is None:
        head = trigger.statement.partition(" BEGIN")[0]
        conn.execute(text(f"DROP TRIGGER {trigger.name}"))
        conn.execute(text(f"{head} BEGIN SELECT 1; END"))
    else:
        head = trigger.function.partition("$f$")[0]
        conn.execute(text(f"{head} $f$ BEGIN RETURN NULL; END $f$"))


def test_trigger_that_does_something_else_is_named_and_restored(
    any_url: str, open_database: OpenDatabase
) -> None:
    """Under its own name or not: each is found, refused at the start, and made anew."""
    database = open_database(any_url, "migrate")
    with database.write() as conn:
        wanted = today.made(conn.dialect.name)
        for trigger in wanted.values():
            _spoil(conn, trigger)
        assert trigger_state.faults(conn) == dict.fromkeys(wanted, "changed")
    with pytest.raises(SchemaError, match=r"tr_task_end \(changed\)"):
        schema.check(database)
    with database.write() as conn:
        for name in trigger_state.faults(conn):
            trigger_state.restore(conn, name)
    schema.check(database)


def test_trigger_that_fires_at_another_time_is_named(
    any_url: str, open_database: OpenDatabase
) -> None:
    """One for other columns, with another condition, or on another table."""
    database = open_database(any_url, "migrate")
    with database.write() as conn:
        is_sqlite = conn.dialect.name == "sqlite"
        wanted = today.made(conn.dialect.name)
        changes = {
            "tr_task_end": ("OLD.finished_at IS NULL", "OLD.finished_at IS NOT NULL"),
            "tr_task_answers": ("UPDATE OF status ON", "UPDATE OF status, voice ON"),
            "tr_text_delete": ("DELETE ON text", "DELETE ON event"),
            "tr_text_count": ("AFTER UPDATE", "BEFORE UPDATE"),
        }
        for name, (words, others) in changes.items():
            trigger = wanted[name]
            conn.execute(text(f"DROP TRIGGER {name}{'' if is_sqlite else f' ON {trigger.table}'}"))
            spoiled = trigger.statement.replace(words, others)
            if name == "tr_text_delete" and is_sqlite:
                spoiled = f"{spoiled.partition(' BEGIN')[0]} BEGIN SELECT 1; END"
            conn.execute(text(spoiled))
        found = trigger_state.faults(conn)
        elsewhere = {"tr_text_delete": "missing"}
        assert found == dict.fromkeys(changes, "changed") | elsewhere


def test_requests_of_an_older_release_are_told_apart(
    any_url: str, open_database: OpenDatabase
) -> None:
    """Revision 0010 counts the rows, calls the rest archived, and loses none of it, nor back."""
    database = open_database(any_url, "migrate")
    with database.write() as conn:
        command.downgrade(_alembic(conn), "0009")
        conn.execute(
            text(
                "INSERT INTO text (title, content, char_count, content_hash, source, created_at)"
                " VALUES ('t', 'c', 40, 'h', 'api', 0)"
            )
        )
        conn.execute(_TASK, {"key": "k", "status": "completed", "end": 1_005_000})
        conn.execute(text("UPDATE task SET audio_duration_ms = 700"))
        for disposition in ("new", "followed", "skipped", "skipped"):
            conn.execute(
                text(
                    "INSERT INTO submission (text_id, task_id, disposition, source, created_at)"
                    " VALUES (1, 1, :disposition, 'api', 5000)"
                ),
                {"disposition": disposition},
            )
        conn.execute(
            text("DELETE FROM submission WHERE id = 4 OR disposition = 'new'")  # as retention does
        )
        before = _requests(conn, "disposition")
        command.upgrade(_alembic(conn), "head")
        assert _requests(conn, "disposition") == before
        assert _requests(conn, "archived, disposition") == {
            (0, "followed"): (1, 40, 0),
            (0, "skipped"): (1, 40, 700),
            (1, "new"): (1, 40, 0),
            (1, "skipped"): (1, 40, 700),
        }
        command.downgrade(_alembic(conn), "0009")
        assert _requests(conn, "disposition") == before
        command.upgrade(_alembic(conn), "head")
    schema.check(database)


@pytest.mark.parametrize("any_url", ["postgres"], indirect=True)
def test_migration_may_take_longer_than_other_statements(
    any_url: str, open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ten million rows need minutes for is not cut off (here: 20 000 rows, and 60 ms)."""
    database = open_database(any_url, "migrate")
    with database.write() as conn:
        command.downgrade(_alembic(conn), "0009")
        conn.execute(text("SET LOCAL session_replication_role = replica"))
        conn.execute(
            text(
                "INSERT INTO submission (text_id, task_id, disposition, source, created_at)"
                " SELECT 1, 1, 'new', 'api', n * 1000000000::BIGINT"
                " FROM generate_series(1, 20000) n"
            )
        )
    monkeypatch.setitem(WAIT_S, "migrate", 0.01)
    hasty = open_database(any_url, "migrate")
    with pytest.raises(DatabaseBusyError, match="timeout"), hasty.read() as conn:
        conn.execute(text("SELECT pg_sleep(1)"))
    schema.migrate(hasty)
    schema.check(database)


def _requests(conn: Connection, keys: str) -> dict[object, tuple[int, ...]]:
    """Requests of all time; those of hours and of days must be as many."""
    found: list[dict[object, tuple[int, ...]]] = []
    for grain in ("all", "day", "hour"):
        query = f"SELECT {keys}, sum(n), sum(char_count), sum(audio_ms) FROM stat_submission"  # noqa: S608
        rows = conn.execute(text(f"{query} WHERE grain = :grain GROUP BY {keys}"), {"grain": grain})
        found.append(
            {
                (row[0] if len(row) == 4 else tuple(row[:-3])): tuple(map(int, row[-3:]))
                for row in rows
            }
        )
    assert found[0] == found[1] == found[2]
    return found[0]


def test_the_way_back_and_forth_counts_the_same(any_url: str, open_database: OpenDatabase) -> None:
    """Revision 0006 can be taken back and made again over rows; the totals are the rows'."""
    database = open_database(any_url, "migrate")
    with database.write() as conn:
        conn.execute(
            text(
                "INSERT INTO text (title, content, char_count, content_hash, source, created_at)"
                " VALUES ('t', 'c', 1, 'h', 'api', 0)"
            )
        )
        for n, status in enumerate(("pending", "completed", "failed", "completed"), start=1):
            conn.execute(_TASK, {"key": f"k{n}", "status": status, "end": _end(status, n)})
    before = _totals(database)
    with database.write() as conn:
        command.downgrade(_alembic(conn), "0005")
    with database.read() as conn:
        counted = conn.execute(text("SELECT status, n, run_ms FROM stat_task ORDER BY status"))
        assert [tuple(row) for row in counted] == [
            ("completed", 2, 14),
            ("failed", 1, 7),
            ("pending", 1, 0),
        ]
    with database.write() as conn:
        command.upgrade(_alembic(conn), "head")
    schema.check(database)
    assert _totals(database) == before
    assert before["stat_total"][0][:4] == ("completed", 2, 14, 2 + 4 + 2 * 1000 - 14)


@pytest.mark.parametrize("any_url", ["postgres"], indirect=True)
def test_a_histogram_of_many_shards_becomes_one(any_url: str, open_database: OpenDatabase) -> None:
    """Revision 0009 adds up the shards of what was counted before, and loses none of it."""
    database = open_database(any_url, "migrate")
    counted = text("SELECT shard, n FROM stat_hist WHERE measure = 'run' ORDER BY shard")
    with database.write() as conn:
        command.downgrade(_alembic(conn), "0008")
        conn.execute(
            text(
                "INSERT INTO stat_hist (archived, measure, low_ms, shard, n)"
                " VALUES (0, 'run', 7, 0, 1), (0, 'run', 7, 2, 4), (0, 'run', 7, 3, 8)"
            )
        )
        command.upgrade(_alembic(conn), "head")
        assert [tuple(row) for row in conn.execute(counted)] == [(0, 13)]
    schema.check(database)


_TASK = text(
    "INSERT INTO task (text_id, content_key, status, engine, engine_version, voice, format, source,"
    " char_count, timeout_us, max_attempts, give_up_at, submitted_at, queued_at, not_before,"
    " finished_at, run_us, trace_id, span_id) VALUES (1, :key, :status, 'tone', '1', 'v', 'wav',"
    " 'api', 9, 1, 1, 1, 5000, 0, 0, :end, 7500, 't', 's')"
)


def _alembic(conn: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = conn
    return config


def _end(status: str, n: int) -> int | None:
    return None if status == "pending" else 1_005_000 + n * 1000


def _totals(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every counter but for its shard."""
    found = {}
    with database.read() as conn:
        for table in ("stat_total", "stat_period", "stat_cube"):
            columns = [column.name for column in metadata.tables[table].primary_key]
            kept = [name for name in columns if name not in {"shard", "archived"}]
            sums = ", ".join(f"CAST(sum({name}) AS BIGINT)" for name in NAMES)
            keys = ", ".join(kept)
            query = f"SELECT {keys}, {sums} FROM {table} GROUP BY {keys} ORDER BY {keys}"  # noqa: S608
            rows = conn.execute(text(query))
            found[table] = [tuple(row) for row in rows]
        found["stat_hist"] = [
            tuple(row)
            for row in conn.execute(
                text(
                    "SELECT measure, low_ms, CAST(sum(n) AS BIGINT) FROM stat_hist"
                    " GROUP BY measure, low_ms ORDER BY measure, low_ms"
                )
            )
        ]
    return found


def test_old_schema_is_refused_with_what_to_do(tmp_path: Path, open_database: OpenDatabase) -> None:
    """An empty database is refused by the programs; the words say how to migrate."""
    database = open_database(f"sqlite:///{tmp_path / 'new.db'}", "cli")
    with pytest.raises(SchemaError, match="voxtrace migrate"):
        schema.check(database)


def test_totals_follow_a_hand_made_change(any_url: str, open_database: OpenDatabase) -> None:
    """A DELETE or UPDATE by hand cannot make the totals drift."""
    database = open_database(any_url, "cli")
    insert = text(
        "INSERT INTO text (title, content, char_count, content_hash, source, created_at, state)"
        " VALUES ('t', 'c', 1, 'h', :source, 0, :state)"
    )
    with database.write() as conn:
        for state in ("pending", "pending", "failed"):
            conn.execute(insert, {"source": "api", "state": "pending"})
            conn.execute(
                text("UPDATE text SET state = :s WHERE id = (SELECT max(id) FROM text)"),
                {"s": state},
            )
        conn.execute(insert, {"source": "canary", "state": "pending"})
        conn.execute(text("DELETE FROM text WHERE id = (SELECT min(id) FROM text)"))
        conn.execute(text("UPDATE text SET deleted_at = 1 WHERE state = 'failed'"))
    with database.read() as conn:
        rows = conn.execute(text("SELECT state, sum(n) FROM stat_text GROUP BY state")).all()
    assert {state: int(n) for state, n in rows if n} == {"pending": 1}
