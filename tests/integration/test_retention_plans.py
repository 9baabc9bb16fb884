"""Plans of retention and of other duties: nothing walks through what grows with the tasks."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Table

from app.domain.task import Status
from app.duties.reaper import Reaper
from app.duties.recount import Recount
from app.duties.retention import Retention
from app.duties.sweeper import Sweeper
from app.duties.window import Window
from app.service import measures, remains
from app.service.canaries import canary_remains
from app.service.core import Core
from app.service.recounts import texts
from app.service.retention.archived import archived
from app.service.retention.forecast import forecast
from app.service.retention.rules import rules_now
from app.store import archive, erase, retention, submissions, totals
from app.store.metadata import metadata
from telemetry import outbox_tasks
from tests.conftest import KINDS, database_url
from tests.support.home import Home
from tests.support.many_rows import EMPTY, FILLED, fill
from tests.support.statements import plan, recorded, walks
from tests.support.task_rows import HOUR_US, START_US

IDS = [11, 12, 13]
STATEMENTS: dict[str, Callable[[Connection], object]] = {
    **{
        f"{status} that ended": lambda conn, status=status: retention.ended(  # type: ignore[misc]
            conn, status, before=START_US + HOUR_US, after=(START_US, 7), limit=9
        )
        for status in Status
        if status.is_final
    },
    "tasks of texts": lambda conn: retention.of_texts(conn, IDS),
    "hold tasks": lambda conn: retention.hold_tasks(conn, IDS),
    "deleted texts": lambda conn: retention.deleted_texts(conn, before=9, after=(1, 2), limit=9),
    "hold texts": lambda conn: retention.hold_texts(conn, IDS),
    "answers": lambda conn: retention.answers(conn, IDS),
    "asked since": lambda conn: retention.asked_since(conn, IDS, 9, deleted_before=5),
    "checked hours": lambda conn: retention.checked_hours(conn, IDS),
    "audio bytes": lambda conn: retention.audio_bytes(conn, IDS),
    "living": lambda conn: retention.living(conn, IDS),
    "sums": lambda conn: archive.sums_of(conn, IDS),
    "last batch": archive.last_at,
    "count spans": lambda conn: outbox_tasks.count_spans(conn, IDS),
    "unsent": lambda conn: outbox_tasks.unsent_tasks(conn, IDS),
    "remove spans": lambda conn: outbox_tasks.remove_tasks(conn, IDS),
    "remove captions": lambda conn: erase.captions(conn, IDS, IDS),
    "remove audio": lambda conn: erase.audios(conn, IDS, IDS),
    "remove segments": lambda conn: erase.segments(conn, IDS),
    "remove attempts": lambda conn: erase.attempts(conn, IDS),
    "remove events": lambda conn: erase.events(conn, IDS),
    "remove lines": lambda conn: erase.log_lines(conn, IDS),
    "remove submissions": lambda conn: erase.submissions(conn, IDS, IDS),
    "remove tasks": lambda conn: erase.tasks(conn, IDS),
    "remove texts": lambda conn: erase.texts(conn, IDS),
    "first use of a key": lambda conn: submissions.of_key(conn, "k", after=9),
    "free a key": lambda conn: submissions.free_key(conn, "k", until=9),
    "old keys": lambda conn: submissions.old_keys(conn, until=9, limit=9),
    "free keys": lambda conn: submissions.free_keys(conn, IDS),
}


#: Those that must find their order in an index, too.
ORDERED = {"deleted texts", "old keys", *(name for name in STATEMENTS if "that ended" in name)}


@pytest.fixture(scope="module", params=KINDS)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A home with some thousand tasks, of which few failed and few live, on each database."""
    path = tmp_path_factory.mktemp("filled")
    with Home.make(
        path / "home", database_url(request.param, path), VOXTRACE_KEEP_FAILED_D="30"
    ) as home:
        with home.core.database.write() as conn:
            fill(conn, 6_000)
        yield home


def test_statements_read_no_whole_table(filled: Home) -> None:
    """No plan walks through a large table, nor sorts what an index has in order, on either."""
    wrong: dict[str, list[str]] = {}
    with filled.core.database.write() as conn:
        for name, statement in STATEMENTS.items():
            with recorded(conn.engine) as statements:
                statement(conn)
            assert statements, name
            lines = [line for sql, values in statements for line in _told(conn, sql, values)]
            if name in ORDERED:
                plans = [line for sql, values in statements for line in plan(conn, sql, values)]
                lines += [line for line in plans if re.search(r"TEMP B-TREE|\bSort\b", line)]
            wrong |= {name: lines} if lines else {}
    assert wrong == {}


def _told(conn: Connection, sql: str, values: Any) -> list[str]:
    of_filled = walks(conn, sql, values, tables=FILLED, is_filled=True)
    return of_filled + walks(conn, sql, values, tables=EMPTY)


#: Statements of duties that read through all on purpose, by how they begin.
ON_PURPOSE = (
    # texts by what they show, while they are few
    "SELECT text.state, count(*)",
    # buckets of all time, half a million entries of an index at once
    *(f"SELECT task.{name}, count(*)" for name in ("run_ms", "wait_ms", "total_ms")),
    # an index of canaries alone
    "SELECT task.id, task.text_id \nFROM task \nWHERE task.source = 'canary'",
)


def test_duties_walk_through_no_large_table(filled: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of retention, recount, sweeper, window, reaper, janitor, canaries and metrics."""
    core = filled.core
    monkeypatch.setattr(texts, "PAGE", 20)  # few among all that are there
    with core.database.read() as conn:
        engine = conn.engine
    with recorded(engine) as statements:
        _rounds(core)
    # of one that is sent for many values: with the first of them
    sent = {
        sql: values[0] if isinstance(values, list) else values
        for sql, values in statements
        if _READS.match(sql)
    }
    assert len(sent) > 50
    with core.database.write() as conn:
        wrong = {sql: lines for sql, values in sent.items() if (lines := _told(conn, sql, values))}
    assert {sql: lines for sql, lines in wrong.items() if not sql.startswith(ON_PURPOSE)} == {}


_READS = re.compile(r"\s*(SELECT|WITH|UPDATE|DELETE)\b")


def _rounds(core: Core) -> None:
    recount = Recount(core, round_s=0, share=1, least_rest_s=0)
    while json.loads(recount.state())["rounds"] < 2:
        recount.step()
    duty = Retention(core, sends=True)
    while json.loads(duty.state())["next_at"] is None:
        duty.step()
    assert json.loads(duty.state())["tasks"] > 0
    forecast(core, rules_now(core), keeps_unsent=True)
    for step in (Sweeper(core).step, Window(core, sends=True).step, Reaper(core).step):
        step()
    canary_remains.remove_old(core)
    remains.kill_groups(core)
    measures.read(core, None, exports=True)
    with core.database.read() as conn:
        archived(conn, totals.of_tasks(conn))


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_foreign_key_has_an_index(table: Table) -> None:
    """A DELETE looks for rows that point to what goes: without an index it reads all of them."""
    first = {index.columns[0].name for index in table.indexes if len(index.columns)}
    first |= {column.name for column in list(table.primary_key.columns)[:1]}
    assert {key.parent.name for key in table.foreign_keys} <= first
