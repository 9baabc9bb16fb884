"""Counts beside the totals: kept by triggers and by those who count, on both databases."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from app.domain.engine_calls import BOUNDS_S, Bucket, EngineCall, bucket_of, tally
from app.domain.task import Status
from app.service import cancel, verdict
from app.service.core import Core
from app.store import counts, reports, totals
from app.store.counts import ProcessCount
from tests.conftest import KINDS, empty_database_url
from tests.support import first_release
from tests.support.home import Home
from tests.support.service import claimed, run, spoken, start_worker, submitted


def _finished(core: Core) -> dict[str, int]:
    with core.database.read() as conn:
        found = totals.by_status(totals.of_tasks(conn))
    return {name: sums.n for name, sums in found.items() if Status(name).is_final and sums.n}


def _rows(core: Core, sql: str) -> dict[str, int]:
    with core.database.read() as conn:
        return {key: int(n) for key, n in conn.execute(text(sql))}


def test_finished_tasks_are_counted_once_each_and_never_less(any_home: Home) -> None:
    """Each final status counts once, a retry does not, a canary does not; a DELETE takes none."""
    core = any_home.core
    worker = start_worker(core)
    spoken(core, "One.")
    spoken(core, "@fail permanent\nTwo.", engine="scripted")
    spoken(core, "A canary.", source="canary")
    cancelled = submitted(core, "Three.")
    cancel.cancel_task(core, cancelled.task.id, everyone=True)
    submitted(core, "@fail retryable\nFour.", engine="scripted")
    again = run(core, claimed(core, worker))
    assert again.status == "pending"
    by_status = (
        "SELECT status, count(*) FROM task WHERE source <> 'canary'"
        " AND finished_at IS NOT NULL GROUP BY status"
    )
    assert _finished(core) == _rows(core, by_status)
    assert _finished(core) == {"completed": 1, "failed": 1, "cancelled": 1}
    with core.database.write() as conn:
        for table in ("event", "submission", "task_log"):
            conn.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - of this test
        conn.execute(text(f"DELETE FROM task WHERE id = {cancelled.task.id}"))  # noqa: S608
    assert _finished(core)["cancelled"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_ended_before_the_counts_were_there_is_counted(kind: str, tmp_path: Path) -> None:
    """A database of the first release: its final tasks and late attempts are in the counts."""
    url = empty_database_url(kind, tmp_path)
    first_release.write(url)
    with Home.make(tmp_path / "home", url) as home:
        by_status = (
            "SELECT status, count(*) FROM task WHERE finished_at IS NOT NULL GROUP BY status"
        )
        late = "SELECT 'x', count(*) FROM task_attempt WHERE timed_out_at IS NOT NULL"
        assert _finished(home.core) == _rows(home.core, by_status) != {}
        with home.core.database.read() as conn:
            flags = counts.every(conn).get("deadline_flags", 0)
        assert flags == _rows(home.core, late)["x"]
        task_id = next(iter(_rows(home.core, "SELECT id, 1 FROM task WHERE status = 'pending'")))
        before = _finished(home.core).get("cancelled", 0)
        cancel.cancel_task(home.core, int(task_id), everyone=True)
        assert _finished(home.core)["cancelled"] == before + 1


@pytest.mark.parametrize(("source", "flags"), [("api", 1), ("canary", 0)])
def test_deadline_flag_is_counted_once(any_home: Home, source: str, flags: int) -> None:
    """Whoever flags an attempt, and however often it is tried: one flag; a canary has none."""
    core = any_home.core
    submitted(core, "Late.", source=source)
    claim = claimed(core, start_worker(core))
    with core.database.write() as conn:
        conn.execute(text("UPDATE task SET deadline_at = claimed_at"))
        conn.execute(text("UPDATE task_attempt SET deadline_at = claimed_at"))
    assert verdict.flag_deadline(core, claim.task_id, claim.attempt)
    assert not verdict.flag_deadline(core, claim.task_id, claim.attempt)
    verdict.time_out(core, claim.task_id, claim.attempt, reason="late")
    with core.database.read() as conn:
        assert counts.every(conn).get("deadline_flags", 0) == flags


def test_counts_add_up_over_transactions(any_home: Home) -> None:
    """What is added twice is the sum; nothing to add is no statement; a rollback adds nothing."""
    core = any_home.core
    key = ProcessCount("web", "x", '{"place": "a"}')
    other = ProcessCount("duties", "x", "{}")

    def work(conn: Connection) -> None:
        counts.add(conn, "duty_failures.reaper")
        counts.add_engine_calls(conn, [])
        counts.add_engine_calls(
            conn,
            [
                Bucket(engine="tone", outcome="ok", bucket=1, n=2, sum_us=120_000),
                Bucket(engine="tone", outcome="error", bucket=11, n=1, sum_us=61_000_000),
            ],
        )
        counts.add_of_process(conn, {key: 3, other: 1})

    core.database.run(work)
    core.database.run(work)

    def fail(conn: Connection) -> None:
        work(conn)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        core.database.run(fail)
    with core.database.read() as conn:
        assert counts.every(conn) == {"duty_failures.reaper": 2}
        assert counts.of_processes(conn) == {key: 6, other: 2}
        assert counts.engine_calls(conn) == [
            Bucket(engine="tone", outcome="error", bucket=11, n=2, sum_us=122_000_000),
            Bucket(engine="tone", outcome="ok", bucket=1, n=4, sum_us=240_000),
        ]


def test_counts_of_many_at_once_are_all_there(any_home: Home) -> None:
    """Six that count at the same time: no deadlock, nothing is counted twice or lost."""
    core = any_home.core
    calls = [EngineCall(engine="e", outcome="ok", took_us=us) for us in (10, 70_000, 900_000)]

    def work(conn: Connection) -> None:
        counts.add(conn, "deadline_flags")
        counts.add_engine_calls(conn, tally(calls))
        counts.add_of_process(conn, {ProcessCount("web", name, "{}"): 1 for name in ("b", "a")})

    def count() -> None:
        for _ in range(15):
            core.database.run(work)

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(count) for _ in range(6)]:
            done.result()
    with core.database.read() as conn:
        assert counts.every(conn) == {"deadline_flags": 90}
        assert {one.bucket: one.n for one in counts.engine_calls(conn)} == {0: 90, 1: 90, 4: 90}
        assert set(counts.of_processes(conn).values()) == {90}


@given(st.lists(st.integers(0, 100_000_000)))
def test_every_call_is_in_the_bucket_of_its_time(times_us: list[int]) -> None:
    """A bucket has the calls above its lower bound up to its own; none is lost, sums are whole."""
    calls = [EngineCall(engine="e", outcome="ok", took_us=us) for us in times_us]
    found = tally(calls)
    bounds = (*BOUNDS_S, float("inf"))
    naive = Counter(next(i for i, top in enumerate(bounds) if us / 1e6 <= top) for us in times_us)
    assert {one.bucket: one.n for one in found} == naive
    assert sum(one.sum_us for one in found) == sum(times_us)
    assert all(bucket_of(us) in naive for us in times_us)


def test_oldest_waiting_is_not_hidden_by_a_task_that_waits_again(any_home: Home) -> None:
    """A retried task at the head, queued anew, does not hide one that has waited for an hour."""
    core = any_home.core
    retried, old = submitted(core, "Retried."), submitted(core, "Old.")
    submitted(core, "A canary.", source="canary")
    with core.database.write() as conn:
        now = core.database.now_us(conn)
        for task_id, queued_at in ((retried.task.id, now), (old.task.id, now - 3_600_000_000)):
            conn.execute(
                text("UPDATE task SET queued_at = :at WHERE id = :id"),
                {"at": queued_at, "id": task_id},
            )
        conn.execute(text("UPDATE task SET queued_at = 1 WHERE source = 'canary'"))
    with core.database.read() as conn:
        assert reports.oldest_waiting(conn) == now - 3_600_000_000
