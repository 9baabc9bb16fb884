"""Reads for people: on both databases, without reading whole tables, and right at any moment."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from app.service import cancel, glance, library, report, task_view
from app.service.glance import Key
from app.service.library import LibraryFilter
from app.store import reports, totals
from tests.support.home import Home
from tests.support.service import claimed, run, start_worker, submitted
from tests.support.statements import plan, recorded

READS: dict[str, Callable[[Connection], object]] = {
    "active_texts": reports.active_texts,
    "processing": reports.processing,
    "oldest_waiting": reports.oldest_waiting,
    "text_states": lambda conn: reports.text_states(conn, [1, 2]),
    "text_head": lambda conn: reports.text_head(conn, 1),
    "followers": lambda conn: reports.followers(conn, 1),
    "last_events": lambda conn: reports.last_events(conn, [1, 2]),
    "last_event": reports.last_event,
    "events_after": lambda conn: reports.events_after(conn, 1, 1),
    "workers": lambda conn: reports.workers(conn, ["w"]),
}


@pytest.mark.parametrize("name", READS)
def test_read_scans_no_table(home: Home, name: str) -> None:
    """SQLite's plan has no SCAN of a table that grows, but by an index that does not."""
    with home.core.database.write() as conn:
        with recorded(conn.engine) as statements:
            READS[name](conn)
        for sql, values in statements:
            for line in plan(conn, sql, values):
                is_scan = line.startswith("SCAN ") and "USING" not in line
                assert not is_scan, f"{line}\n{sql}"
    assert statements


def test_every_read_works_on_every_database(any_home: Home) -> None:
    """Statistics, monitor, library, task and glances tell the same on SQLite and PostgreSQL."""
    core = any_home.core
    first = submitted(core, "The first words.", title="First")
    follower = submitted(core, "The first words.")
    submitted(core, "Other words.", title="Other")
    running = claimed(core, start_worker(core))
    found = report.stats(core)
    assert (found.stats.active, found.stats.pending) == (2, 1)
    assert [active.text_id for active in found.active] == [first.text.id, follower.text.id]
    view = report.monitor(core, outbox=None, exports=False)
    assert (view.slots.busy, view.slots.held_by_dead) == (1, 0)
    assert view.oldest_waiting_at is not None
    seen = glance.take(core, Key("text", follower.text.id))
    assert (seen.state, seen.is_final) == ("processing", False)
    done = run(core, running)
    assert glance.take(core, Key("task", done.id)).is_final
    assert [event.kind for event in glance.missed(core, seen, seen.event_id)] == ["complete"]
    page = library.page(core, LibraryFilter(q="first", has_audio=True))
    assert [item.text.id for item in page.items] == [follower.text.id, first.text.id]
    told = task_view.task_view(core, done.id)
    assert told.waterfall.source == "outbox"
    assert told.spent.total_us == (done.finished_at or 0) - done.submitted_at
    found = report.stats(core)
    assert (found.stats.completed, found.stats.pending, found.stats.total) == (2, 1, 3)


def test_stats_hold_their_sum_through_every_move(any_home: Home) -> None:
    """After each move: the parts sum to the total, which is the count of live texts."""
    core = any_home.core
    worker = start_worker(core)

    def check(texts: int) -> None:
        found = report.stats(core)
        stats = found.stats
        assert stats.total == texts
        assert len(found.active) == stats.active
        with core.database.read() as conn:
            assert sum(totals.texts_by_state(conn).values()) == texts

    check(0)
    one = submitted(core, "One.")
    two = submitted(core, "Two.")
    submitted(core, "Two.")
    check(3)
    first = claimed(core, worker)
    check(3)
    run(core, first)
    check(3)
    cancel.cancel_task(core, two.task.id, everyone=True)
    check(3)
    library.hide(core, one.text.id)
    check(2)
    library.bring_back(core, one.text.id)
    check(3)
