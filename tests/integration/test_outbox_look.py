"""Rows of the outbox that are to be looked for in the backend, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from app.store.database import Database
from telemetry import outbox
from telemetry.outbox import LOOK_AFTER_US, RANK_DETAIL, RANK_REQUEST, RANK_TASK, Behind

_T0 = 1_700_000_000_000_000
_SECOND = 1_000_000


@pytest.fixture
def database(any_url: str) -> Iterator[Database]:
    """An empty outbox in each kind of database."""
    database = Database(any_url, role="duties")
    yield database
    database.close()


def _sent(
    conn: Connection, task_id: int, *, rank: int = RANK_TASK, at: int = _T0, size: int = 10
) -> int:
    """Puts a row in and sends it; returns its id."""
    outbox.add(
        conn,
        payload=b"x" * size,
        n_spans=1,
        rank=rank,
        created_at_us=at,
        task_id=task_id,
        trace_id=f"{task_id:032x}",
    )
    [row] = outbox.next_batch(conn, max_bytes=10**9, max_rows=10)
    assert outbox.mark_sent(conn, [row.id], at) == 1
    return row.id


def _due(conn: Connection, now: int, limit: int = 100) -> list[int]:
    return [look.task_id for look in outbox.due(conn, now, limit=limit)]


def test_task_spans_are_looked_for_half_a_minute_later(database: Database) -> None:
    """Only rows with a task span are to be looked for, the longest due first, and not too early."""
    assert LOOK_AFTER_US == 30 * _SECOND
    with database.write() as conn:
        _sent(conn, 1, at=_T0 + _SECOND)
        _sent(conn, 2, at=_T0)
        _sent(conn, 3, rank=RANK_DETAIL)
        _sent(conn, 4, rank=RANK_REQUEST)
        assert _due(conn, _T0 + LOOK_AFTER_US - 1) == []
        assert _due(conn, _T0 + LOOK_AFTER_US) == [2]
        assert _due(conn, _T0 + 2 * LOOK_AFTER_US) == [2, 1]
        assert _due(conn, _T0 + 2 * LOOK_AFTER_US, limit=1) == [2]
        found = outbox.behind(conn, _T0 + 2 * LOOK_AFTER_US)
    assert found == Behind(count=2, oldest_us=_T0 + LOOK_AFTER_US)


def test_what_was_looked_for_is_due_no_more(database: Database) -> None:
    """A row is looked for when it is said, or never again; one that is sent again, again."""
    with database.write() as conn:
        first, second = _sent(conn, 1), _sent(conn, 2)
        outbox.look_again(conn, [first], None)
        outbox.look_again(conn, [second], _T0 + 100 * _SECOND)
        assert _due(conn, _T0 + 99 * _SECOND) == []
        assert _due(conn, _T0 + 100 * _SECOND) == [2]
        outbox.resend_tasks(conn, [1, 2], until_us=_T0 + 1)
        assert _due(conn, _T0 + 1000 * _SECOND) == []
        outbox.look_again(conn, [first], _T0)  # it is new: nobody looks before it has left
        assert _due(conn, _T0 + 1000 * _SECOND) == []
        outbox.mark_sent(conn, [first, second], _T0 + 200 * _SECOND)
        assert _due(conn, _T0 + 200 * _SECOND + LOOK_AFTER_US) == [1, 2]


def test_young_is_what_waits_or_has_just_left(database: Database) -> None:
    """A task is young while any row of it is new, or left after the moment that is asked."""
    with database.write() as conn:
        _sent(conn, 1, at=_T0)
        _sent(conn, 2, at=_T0 + 10)
        _sent(conn, 3, at=_T0)
        outbox.add(conn, payload=b"x", n_spans=1, rank=RANK_DETAIL, created_at_us=_T0, task_id=3)
        assert outbox.young(conn, [1, 2, 3, 4], sent_after_us=_T0 + 5) == {2, 3}


def test_what_left_in_bulk_may_arrive_later(database: Database) -> None:
    """Half a minute is enough for little; each 100 kB that left lately add a second."""
    now = _T0 + 600 * _SECOND
    with database.write() as conn:
        assert outbox.settled_before(conn, now) == now - LOOK_AFTER_US
        _sent(conn, 1, at=now - 1, size=300_000)
        assert outbox.settled_before(conn, now) == now - LOOK_AFTER_US - 3 * _SECOND
        assert outbox.settled_before(conn, now + 3600 * _SECOND) == (
            now + 3600 * _SECOND - LOOK_AFTER_US
        )
