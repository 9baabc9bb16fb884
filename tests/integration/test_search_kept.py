"""What can be searched is kept by triggers, whatever is done to texts and tasks."""

import random
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app import bootstrap
from app.service import task_list
from app.service.health import HealthProbe
from app.service.submit import SubmitRequest, submit
from app.store import schema, search_index
from app.store.database import Database
from tests.conftest import database_url
from tests.support.home import Home
from tests.support.listed_rows import ERRORS, WORDS, populate
from tests.support.postgres import shared_server
from tests.support.statements import plan

_TEXTS = (
    "SELECT id, title || :newline || substr(content, 1, 4000) FROM text"
    " WHERE source <> 'canary' AND deleted_at IS NULL"
)
_ERRORS = (
    "SELECT id, error_type || :newline || coalesce(error_message, '') FROM task"
    " WHERE source <> 'canary' AND error_type IS NOT NULL"
)
_CHANGES = (
    "UPDATE text SET deleted_at = 1 WHERE id % :n = 0",
    "UPDATE text SET deleted_at = NULL WHERE id % :n = 0",
    "UPDATE text SET title = :word WHERE id % :n = 0",
    "UPDATE text SET state = 'failed' WHERE id % :n = 0",
    "UPDATE task SET error_type = :word, error_message = NULL WHERE id % :n = 0",
    "UPDATE task SET error_type = NULL WHERE id % :n = 0",
    "UPDATE task SET source = 'canary' WHERE id % :n = 0",
    "DELETE FROM submission WHERE task_id % :n = 0",
    "DELETE FROM task WHERE id % :n = 0 AND id NOT IN (SELECT task_id FROM submission)",
    (
        "DELETE FROM text WHERE id NOT IN (SELECT text_id FROM task)"
        " AND id NOT IN (SELECT text_id FROM submission)"
    ),
)


def _as_dict(rows: Iterable[Any]) -> dict[int, str]:
    return {int(key): str(body) for key, body in rows}


def _kept(conn: Connection) -> tuple[dict[int, str], dict[int, str]]:
    texts = conn.execute(text("SELECT text_id, body FROM text_search"))
    errors = conn.execute(text("SELECT task_id, body FROM error_search"))
    return _as_dict(texts), _as_dict(errors)


def _expected(conn: Connection) -> tuple[dict[int, str], dict[int, str]]:
    texts = conn.execute(text(_TEXTS), {"newline": "\n"})
    errors = conn.execute(text(_ERRORS), {"newline": "\n"})
    return _as_dict(texts), _as_dict(errors)


def _check_fts(conn: Connection) -> None:
    if conn.dialect.name == "sqlite":
        for name in ("text_fts", "error_fts"):
            # raises where the index and the table differ
            conn.execute(text(f"INSERT INTO {name} ({name}, rank) VALUES ('integrity-check', 1)"))  # noqa: S608 - ours


def test_search_tables_follow_every_change(any_url: str) -> None:
    """After any sequence of changes the search tables say what the rows say, and FTS5 agrees."""
    with closing(Database(any_url, role="cli", pool_size=1)) as database:
        rng = random.Random(7)  # noqa: S311 - a test that repeats itself
        with database.write() as conn:
            populate(conn, count=60, seed=7)
            assert _kept(conn) == _expected(conn)
            for _ in range(60):
                change = rng.choice(_CHANGES)
                values = {"n": rng.randrange(2, 7), "word": rng.choice(WORDS)}
                used = {name: value for name, value in values.items() if f":{name}" in change}
                conn.execute(text(change), used)
                assert _kept(conn) == _expected(conn), change
                _check_fts(conn)
            assert any(_kept(conn))


def test_change_that_touches_no_search_leaves_it_alone(any_url: str) -> None:
    """A task that moves, and an error that stays as it is, write nothing to the search tables."""
    with (
        closing(Database(any_url, role="cli", pool_size=1)) as database,
        database.write() as conn,
    ):
        populate(conn, count=20, seed=3)
        conn.execute(text("DELETE FROM text_search"))
        conn.execute(text("DELETE FROM error_search"))
        conn.execute(text("UPDATE text SET state = 'completed', task_id = 1"))
        conn.execute(text("UPDATE task SET error_message = error_message, run_us = run_us + 1"))
        assert _kept(conn) == ({}, {})


@pytest.mark.postgres
def test_search_uses_its_index_on_postgres(tmp_path: Path) -> None:
    """Both indexes are made by a migration, and a search for three letters uses them."""
    with closing(Database(database_url("postgres", tmp_path), role="cli", pool_size=1)) as database:
        with database.write() as conn:
            found = search_index.state(conn)
            assert found.is_there
            conn.execute(text("SET LOCAL enable_seqscan = off"))
            for table in ("text_search", "error_search"):
                sql = f"SELECT 1 FROM {table} WHERE body ILIKE '%%{ERRORS[0][0]}%%'"  # noqa: S608 - ours
                assert any(f"ix_{table}_body" in line for line in plan(conn, sql, ()))
            conn.execute(text("DROP INDEX ix_text_search_body"))
            assert not search_index.state(conn).is_there
        schema.migrate(database)
        with database.read() as conn:
            assert search_index.state(conn).is_there


@pytest.mark.postgres
def test_doctor_says_that_postgres_has_no_index(tmp_path: Path) -> None:
    """Where pg_trgm may not be created all goes on, and the check says so, and what to do."""
    server = shared_server()
    owned = server.create_database()
    for statement in ("DROP ROLE IF EXISTS plain", "CREATE ROLE plain LOGIN"):
        server.execute(statement)
    with closing(Database(owned, role="cli", pool_size=1)) as database, database.write() as conn:
        conn.execute(text("GRANT CREATE, USAGE ON SCHEMA public TO plain"))
    url = owned.replace("postgres@", "plain@")
    with Home.make(tmp_path / "home", url) as home:
        found = HealthProbe(home.core).read().checks["search"]
        assert found.level == "warn"
        assert "pg_trgm is missing" in found.said.en
        assert "CREATE EXTENSION pg_trgm" in found.fix.en
        made = submit(home.core, SubmitRequest(content="Seek me.", source="api", engine="tone"))
        page = task_list.page(home.core, "text:seek")
        assert [one.task.id for one in page.tasks] == [made.task.id]
        with closing(Database(owned, role="cli", pool_size=1)) as database:
            with database.write() as conn:
                conn.execute(text("CREATE EXTENSION pg_trgm"))
            bootstrap.migrate(home.settings)
        found = HealthProbe(home.core).read().checks["search"]
        assert found.level == "ok"
        assert "letters from a to z only" in found.said.en
