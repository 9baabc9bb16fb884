"""Retention beside requests: whoever comes second sees what the first did, and nobody loses."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection

from app.domain.errors import NotFoundError
from app.domain.records import TaskRecord
from app.service import retry, task_list
from app.service.core import Core
from app.service.retention.prune import prune
from app.service.retention.removal import BUSY, Removed, remove, remove_within
from app.service.retention.rules import Rule, rules_before
from app.service.retention.sift import WANTED, Batch
from app.store import retention, submissions, tasks, texts
from tests.support import recount
from tests.support.aged_rows import HOUR_US, AgedRows, age, ledger_rows, orphans
from tests.support.home import Home
from tests.support.service import spoken, submitted
from tests.support.waiting import until_waiting

FINAL = ("completed", "failed", "timeout", "cancelled")


def _rule(core: Core, status: str, days: float = 90) -> Rule:
    with core.database.read() as conn:
        return Rule(kind=status, before=core.database.now_us(conn) - round(days * 86_400e6))


def _batch(core: Core, *found: TaskRecord) -> Batch:
    with core.database.read() as conn:
        return Batch(tasks=retention.of_texts(conn, [task.text_id for task in found]))


def test_request_beside_a_removal_makes_new_work(any_home: Home) -> None:
    """The same content while its task is being removed: the request waits, and is new work."""
    core = any_home.core
    made = spoken(core, "Said before.")
    age(core, 91)
    rule, batch = _rule(core, "completed"), _batch(core, made)
    with ThreadPoolExecutor(1) as threads:
        with core.database.write() as conn:
            assert remove_within(core, conn, rule, batch, keeps_unsent=False).tasks == 1
            asked = threads.submit(submitted, core, "Said before.")
            until_waiting(core.database)
        again = asked.result(20)
    assert again.disposition == "new"
    assert again.task.id != made.id
    with core.database.read() as conn:
        assert orphans(conn) == []


def test_retry_beside_a_removal_finds_no_text(any_home: Home) -> None:
    """A text that is being removed is tried again: the retry waits, and is told that it is gone."""
    core = any_home.core
    failed = spoken(core, "@fail permanent no", engine="scripted")
    age(core, 91)
    rule, batch = _rule(core, "failed"), _batch(core, failed)
    with ThreadPoolExecutor(1) as threads:
        with core.database.write() as conn:
            assert remove_within(core, conn, rule, batch, keeps_unsent=False).texts == 1
            asked = threads.submit(retry.retry_text, core, failed.text_id, source="api")
            until_waiting(core.database)
        with pytest.raises(NotFoundError, match=f"text {failed.text_id} does not exist"):
            asked.result(20)
    with core.database.read() as conn:
        assert orphans(conn) == []


@pytest.mark.parametrize("held", ["task", "text"])
def test_removal_leaves_what_a_request_holds(any_home: Home, held: str) -> None:
    """A request that was answered but is not committed keeps its task: nothing is waited for.

    By the task (the same content), or by the text (a retry). On SQLite, where one writes at a time,
    the removal comes after it and sees what it wrote.
    """
    core = any_home.core
    made = spoken(core, "Said before.")
    age(core, 91)
    rule, batch = _rule(core, "completed"), _batch(core, made)
    with ThreadPoolExecutor(1) as threads:
        with core.database.write() as conn:
            if held == "task":
                assert tasks.finished_of_key(conn, made.content_key) is not None
            assert texts.get(conn, made.text_id, lock=held == "text") is not None
            removing = threads.submit(remove, core, rule, batch, keeps_unsent=False)
            if not core.database.is_sqlite:
                assert removing.result(20)[0] == Removed(held=Counter({BUSY: 1}))
            _ask(conn, made, core.database.now_us(conn))
        removed, _ = removing.result(20)
    assert removed.tasks == 0
    assert remove(core, rule, batch, keeps_unsent=False)[0] == Removed(held=Counter({WANTED: 1}))
    assert task_list.get(core, made.id).status == "completed"


def _ask(conn: Connection, made: TaskRecord, now: int) -> None:
    """A request that a task answers."""
    values = {"text_id": made.text_id, "task_id": made.id, "disposition": "skipped"}
    submissions.insert_submission(conn, {**values, "source": "api", "created_at": now})


def test_two_prunes_at_once_remove_everything_once(any_home: Home) -> None:
    """Each of 120 tasks goes once: the ledger names each once, and numbers are those of before."""
    core = any_home.core
    with core.database.write() as conn:
        rows = AgedRows(core, conn, core.database.now_us(conn))
        made = [rows.spoken(rows.text(2400), 2400, status) for status in FINAL * 30]
        rows.check_hours()
        all_time = recount.all_time(recount.kept(conn))
        rules = rules_before(dict.fromkeys(FINAL, rows.now - 90 * 24 * HOUR_US))
    start = threading.Barrier(3)

    def work(_number: int) -> int:
        start.wait(20)
        pruned = prune(core, rules, keeps_unsent=False, on_step=lambda _step: None)
        return pruned.total.tasks

    with ThreadPoolExecutor(3) as threads:
        assert sum(threads.map(work, range(3))) == len(made)
    with core.database.read() as conn:
        assert orphans(conn) == []
        assert sum(row.n for row in ledger_rows(conn)) == len(made)
        assert recount.all_time(recount.kept(conn)) == all_time
        assert {key[0] for key in recount.kept(conn)["stat_total"]} == {1}
