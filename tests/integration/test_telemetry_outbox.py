"""The span outbox, on SQLite and on PostgreSQL."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from app.domain.errors import StoreError
from app.store.database import Database
from telemetry import outbox
from telemetry.outbox import RANK_DETAIL, RANK_REQUEST, RANK_TASK, OutboxState
from tests.conftest import database_url
from tests.support.statements import plan, recorded

_T0 = 1_700_000_000_000_000
_HOUR_US = 3_600_000_000


@pytest.fixture
def database(any_url: str) -> Iterator[Database]:
    """An empty outbox in each kind of database."""
    database = Database(any_url, role="duties")
    yield database
    database.close()


def _add(conn: Connection, *payloads: bytes, **values: Any) -> None:
    for payload in payloads:
        defaults = {"n_spans": 1, "rank": RANK_DETAIL, "created_at_us": _T0}
        outbox.add(conn, payload=payload, **(defaults | values))


def _batch(database: Database, **bounds: int) -> list[bytes]:
    with database.read() as conn:
        rows = outbox.next_batch(conn, **({"max_bytes": 10**6, "max_rows": 100} | bounds))
    return [row.payload for row in rows]


def _batch_in(conn: Connection) -> list[bytes]:
    return [row.payload for row in outbox.next_batch(conn, max_bytes=10**6, max_rows=100)]


def _ids(conn: Connection) -> list[int]:
    return [row.id for row in outbox.next_batch(conn, max_bytes=10**9, max_rows=10_000)]


def _measure(database: Database) -> OutboxState:
    with database.read() as conn:
        return outbox.measure(conn)


def _send_all(conn: Connection, at_us: int = _T0) -> None:
    outbox.mark_sent(conn, _ids(conn), at_us)


def test_batch_is_the_oldest_rows_that_fit(database: Database) -> None:
    """In the order of writing; bounded in bytes and rows; one row at least, whatever its size."""
    with database.write() as conn:
        _add(conn, b"a" * 60, b"b" * 30, b"c" * 20, b"d")
    assert _batch(database) == [b"a" * 60, b"b" * 30, b"c" * 20, b"d"]
    assert _batch(database, max_rows=2) == [b"a" * 60, b"b" * 30]
    assert _batch(database, max_bytes=90) == [b"a" * 60, b"b" * 30]
    assert _batch(database, max_bytes=89) == [b"a" * 60]
    assert _batch(database, max_bytes=1) == [b"a" * 60]
    with database.read() as conn:
        first = _ids(conn)[0]
    assert _batch(database, after_id=first, max_bytes=50) == [b"b" * 30, b"c" * 20]
    assert _batch(database, after_id=10**9) == []


def test_row_keeps_what_it_was_given(database: Database) -> None:
    """Bytes, counts and times come back as they went in."""
    payload = bytes(range(256))
    with database.write() as conn:
        _add(conn, payload, n_spans=7, created_at_us=_T0 + 5)
        (row,) = outbox.next_batch(conn, max_bytes=1, max_rows=1)
    assert (row.payload, row.n_spans, row.size_bytes) == (payload, 7, 256)
    assert (row.created_at_us, row.attempts) == (_T0 + 5, 0)


def test_row_leaves_the_queue_once_acknowledged(database: Database) -> None:
    """Only what was new becomes sent; a second forwarder's acknowledgement changes nothing."""
    with database.write() as conn:
        _add(conn, b"a", b"b", b"c")
        ids = _ids(conn)
        assert outbox.mark_sent(conn, ids[:2], _T0 + 1) == 2
        assert outbox.mark_sent(conn, ids[:2], _T0 + 2) == 0
        assert outbox.mark_poison(conn, ids[0], "late verdict") == 0
    assert _batch(database) == [b"c"]
    state = _measure(database)
    assert (state.pending, state.sent, state.sent_bytes, state.poison) == (1, 2, 2, 0)


def test_poison_row_keeps_the_answer_and_can_be_released(database: Database) -> None:
    """It is out of the way with the collector's words, until somebody releases it."""
    with database.write() as conn:
        _add(conn, b"bad", b"good")
        bad, good = _ids(conn)
        outbox.count_attempt(conn, [bad, good], "400 one of these")
        assert outbox.mark_poison(conn, bad, "400 " + "x" * 1000) == 1
        kept = conn.execute(
            text("SELECT state, attempts, error FROM span_outbox ORDER BY id")
        ).all()
    assert [tuple(row)[:2] for row in kept] == [("poison", 1), ("new", 1)]
    assert kept[0].error == "400 " + "x" * 496
    assert kept[1].error == "400 one of these"
    assert _batch(database) == [b"good"]
    with database.write() as conn:
        assert outbox.release_poison(conn).rows == 1
    assert _batch(database) == [b"bad", b"good"]


def test_waterfall_reads_sent_and_unsent_rows(database: Database) -> None:
    """A task's or a trace's payloads are there, oldest first, whatever became of them."""
    trace_id = "a" * 32
    with database.write() as conn:
        _add(conn, b"request", rank=RANK_REQUEST, trace_id=trace_id)
        _add(conn, b"marker", b"segment", task_id=7, trace_id=trace_id)
        _add(conn, b"other", task_id=8, trace_id="b" * 32)
        _send_all(conn)
        _add(conn, b"task", rank=RANK_TASK, task_id=7, trace_id=trace_id)
        outbox.mark_poison(conn, _ids(conn)[0], "400")
    with database.read() as conn:
        assert outbox.spans_of_task(conn, 7) == [b"marker", b"segment", b"task"]
        assert outbox.of_trace(conn, trace_id) == [b"request", b"marker", b"segment", b"task"]
        assert outbox.spans_of_task(conn, 9) == []


def test_resend_takes_the_window_and_no_more(database: Database) -> None:
    """Rows sent in [since, until) are new again, in bounded steps that come to an end."""
    with database.write() as conn:
        for minute in range(10):
            _add(conn, f"{minute}".encode())
            _send_all(conn, _T0 + minute)
    counts: list[int] = []
    while not counts or counts[-1]:
        with database.write() as conn:
            renewed = outbox.resend(conn, since_us=_T0 + 3, until_us=_T0 + 8, limit=2)
            counts.append(renewed.rows)
            _send_all(conn, _T0 + 100)  # the forwarder is quick; it must not be chased
    assert counts == [2, 2, 1, 0]
    with database.write() as conn:
        assert outbox.resend(conn, since_us=_T0 + 100, until_us=_T0 + 101).rows == 5
    assert _batch(database) == [b"3", b"4", b"5", b"6", b"7"]


def test_resend_of_tasks_takes_their_sent_rows(database: Database) -> None:
    """What is missing at the backend can be sent again, task by task."""
    with database.write() as conn:
        for task_id in (1, 2, 3):
            _add(conn, f"{task_id}".encode(), task_id=task_id, n_spans=task_id)
        _send_all(conn)
        _add(conn, b"unsent", task_id=1)
        _add(conn, b"late", task_id=3, created_at_us=_T0)
        outbox.mark_sent(conn, _ids(conn)[-1:], _T0 + 1)
        renewed = outbox.resend_tasks(conn, [1, 3, 99], until_us=_T0 + 1)
    assert (renewed.rows, renewed.spans, renewed.task_ids) == (2, 4, frozenset({1, 3}))
    assert _batch(database) == [b"1", b"3", b"unsent"]


def test_resend_of_requests_takes_request_spans_of_the_trace_alone(database: Database) -> None:
    """The request that made several tasks is found by its trace; their own rows stay."""
    trace_id = "a" * 32
    with database.write() as conn:
        _add(conn, b"request", rank=RANK_REQUEST, task_id=1, trace_id=trace_id)
        _add(conn, b"task", rank=RANK_TASK, task_id=2, trace_id=trace_id)
        _send_all(conn)
        assert outbox.resend_requests(conn, [trace_id], until_us=_T0 + 1).rows == 1
    assert _batch(database) == [b"request"]


def test_poison_is_released_by_task_and_by_age(database: Database) -> None:
    """In steps that go on after the last id, so that a row refused again is not chased."""
    with database.write() as conn:
        for number in range(6):
            _add(conn, b"%d" % number, task_id=number % 2, created_at_us=_T0 + number)
        for row_id in _ids(conn):
            outbox.mark_poison(conn, row_id, "400")
        first = outbox.release_poison(conn, task_ids=[1], limit=2)
        for row_id in _ids(conn):
            outbox.mark_poison(conn, row_id, "400 again")
        second = outbox.release_poison(conn, task_ids=[1], after_id=first.last_id, limit=2)
        third = outbox.release_poison(conn, task_ids=[1], after_id=second.last_id, limit=2)
        assert (first.rows, second.rows, third.rows) == (2, 1, 0)
        assert _batch_in(conn) == [b"5"]
        outbox.release_poison(conn, since_us=_T0 + 2, until_us=_T0 + 4)
        assert _batch_in(conn) == [b"2", b"3", b"5"]


def test_tasks_with_a_task_span_are_known_in_any_state(database: Database) -> None:
    """What is unsent, sent or refused need not be made again; a detail is no task span."""
    with database.write() as conn:
        for task_id in (1, 2, 3):
            _add(conn, b"task", rank=RANK_TASK, task_id=task_id)
        outbox.mark_sent(conn, _ids(conn)[:1], _T0)
        outbox.mark_poison(conn, _ids(conn)[0], "400")
        _add(conn, b"detail", task_id=4)
        assert outbox.with_task_span(conn, [1, 2, 3, 4, 5]) == {1, 2, 3}


def test_wrong_values_are_refused_by_the_database(database: Database) -> None:
    """State, rank and the moment of sending are held by constraints."""
    with database.write() as conn:
        _add(conn, b"a")
    for change in ("state = 'lost'", "rank = 3", "sent_at = 1", "state = 'sent'"):
        with pytest.raises(StoreError) as raised, database.write() as conn:
            conn.execute(text(f"UPDATE span_outbox SET {change}"))  # noqa: S608 - of this test
        assert isinstance(raised.value.__cause__, IntegrityError)


def test_prune_removes_what_is_beyond_the_window(database: Database) -> None:
    """Sent rows by the time of sending, poison by its age; unsent rows stay."""
    with database.write() as conn:
        _add(conn, b"old sent", b"new sent", b"old poison", b"unsent")
        ids = _ids(conn)
        outbox.mark_sent(conn, ids[:1], _T0)
        outbox.mark_sent(conn, ids[1:2], _T0 + _HOUR_US)
        outbox.mark_poison(conn, ids[2], "400")
        bounds = {"keep_us": _HOUR_US, "max_bytes": 10**6, "now_us": _T0 + _HOUR_US + 1}
        pruned = outbox.prune(conn, **bounds)
    assert (pruned.sent, pruned.poison, pruned.unsent_lost, pruned.is_done) == (1, 1, 0, True)
    assert pruned.freed_bytes == len(b"old sent") + len(b"old poison")
    state = _measure(database)
    assert (state.pending, state.sent, state.poison, state.lost_rows) == (1, 1, 0, 0)


def test_prune_of_unsent_rows_by_age_is_no_loss(database: Database) -> None:
    """Where no collector is set the window is one of days too; that is not counted as lost."""
    with database.write() as conn:
        _add(conn, b"old")
        _add(conn, b"young", created_at_us=_T0 + _HOUR_US)
        bounds = {"keep_us": _HOUR_US, "max_bytes": 10**6, "now_us": _T0 + _HOUR_US + 1}
        assert outbox.prune(conn, **bounds).unsent_expired == 0
        pruned = outbox.prune(conn, **bounds, keep_unsent_us=_HOUR_US)
    assert (pruned.unsent_expired, pruned.unsent_lost) == (1, 0)
    assert _batch(database) == [b"young"]
    assert _measure(database).lost_rows == 0


def test_prune_above_the_limit_takes_proof_last_and_counts_it(database: Database) -> None:
    """Sent rows go first, then poison, then unsent details and requests, then task spans."""
    kb = b"x" * 1000
    with database.write() as conn:
        _add(conn, kb, rank=RANK_TASK)
        _send_all(conn)
        _add(conn, kb, rank=RANK_TASK)
        outbox.mark_poison(conn, _ids(conn)[0], "400")
        _add(conn, kb, rank=RANK_TASK, n_spans=2)
        _add(conn, kb, rank=RANK_REQUEST)
        _add(conn, kb, rank=RANK_DETAIL, n_spans=5)
        _add(conn, kb, rank=RANK_TASK, n_spans=3)
    expected = [
        (5500, (1, 0, 0), []),
        (4500, (0, 1, 0), []),
        (3500, (0, 0, 1), [1]),
        (2500, (0, 0, 1), [1, 5]),
        (1500, (0, 0, 1), [1, 5, 2]),
    ]
    for max_bytes, removed, lost in expected:
        with database.write() as conn:
            pruned = outbox.prune(conn, keep_us=0, max_bytes=max_bytes, now_us=_T0 - 1)
        assert (pruned.sent, pruned.poison, pruned.unsent_lost) == removed
        state = _measure(database)
        assert (state.lost_rows, state.lost_spans) == (len(lost), sum(lost))
        assert state.pending_bytes + state.sent_bytes + state.poison_bytes <= max_bytes
    state = _measure(database)
    assert (state.lost_task_rows, state.last_lost_us) == (1, _T0 - 1)
    assert state.pending == 1


def test_prune_above_the_limit_leaves_what_is_to_be_looked_for(database: Database) -> None:
    """Of the sent rows the last to go are those that nobody has looked for, however old."""
    with database.write() as conn:
        _add(conn, b"t" * 1000, b"u" * 1000, rank=RANK_TASK)
        _add(conn, b"d" * 1000, rank=RANK_DETAIL)
        first, second, detail = _ids(conn)
        for at, row_id in enumerate((first, second, detail)):
            outbox.mark_sent(conn, [row_id], _T0 + at)
        outbox.look_again(conn, [second], None)
        _add(conn, b"p" * 1000, rank=RANK_DETAIL)
        outbox.mark_poison(conn, _ids(conn)[0], "400")
    for max_bytes, left in ((3500, "tdp"), (2500, "tp"), (1500, "p")):
        with database.write() as conn:
            outbox.prune(conn, keep_us=10, max_bytes=max_bytes, now_us=_T0 + 5)
            rows = conn.execute(text("SELECT payload FROM span_outbox ORDER BY id")).all()
        assert "".join(chr(row.payload[0]) for row in rows) == left


def test_prune_of_looked_up_rows_reads_an_index_of_its_own(database: Database) -> None:
    """Many rows that are still to be looked for are not read to find those that may go."""
    with database.write() as conn:
        _add(conn, *[b"x"] * 30, rank=RANK_TASK)
        _send_all(conn)
        if not database.is_sqlite:
            conn.execute(text("SET LOCAL enable_seqscan = off"))
        sql = (
            "SELECT id, size_bytes, rank, n_spans FROM span_outbox WHERE state = 'sent'"
            " AND look_at IS NULL ORDER BY sent_at, id LIMIT 5"
        )
        assert "ix_span_outbox_spare" in "\n".join(plan(conn, sql, ()))


def test_prune_works_in_bounded_steps(database: Database) -> None:
    """A call removes `limit` rows at most and says whether there is more."""
    with database.write() as conn:
        _add(conn, *[b"x"] * 25)
        _send_all(conn)
    steps: list[outbox.Pruned] = []
    while not steps or not steps[-1].is_done:
        with database.write() as conn:
            steps.append(outbox.prune(conn, keep_us=1, max_bytes=10**6, now_us=_T0 + 10, limit=10))
    assert [step.sent for step in steps] == [10, 10, 5]
    assert _measure(database).sent == 0


def test_measure_agrees_with_a_naive_count(database: Database) -> None:
    """After any mixture of moves, what is measured is what a plain scan of the table says."""
    chance = random.Random(17)  # noqa: S311 - a test
    lost_rows = 0
    for _ in range(60):
        with database.write() as conn:
            _add(
                conn,
                *[b"x" * chance.randint(1, 50) for _ in range(chance.randint(1, 5))],
                rank=chance.choice([0, 1, 2]),
                created_at_us=_T0 + chance.randint(0, 1000),
            )
            ids = _ids(conn)
            for row_id in chance.sample(ids, len(ids) // 5):
                outbox.mark_sent(conn, [row_id], _T0 + chance.randint(0, 1000))
            outbox.mark_poison(conn, chance.choice(ids), "400")
            if chance.random() < 0.3:
                bounds = {"keep_us": 500, "max_bytes": 60, "now_us": _T0 + 1000}
                lost_rows += outbox.prune(conn, **bounds).unsent_lost
    with database.read() as conn:
        state = outbox.measure(conn)
        rows = conn.execute(text("SELECT state, size_bytes, created_at FROM span_outbox")).all()
        losses = conn.execute(
            text("SELECT rank, row_count, span_count FROM span_outbox_loss")
        ).all()

    def of(name: str) -> list[int]:
        return [row.size_bytes for row in rows if row.state == name]

    assert (state.pending, state.pending_bytes) == (len(of("new")), sum(of("new")))
    assert (state.sent, state.sent_bytes) == (len(of("sent")), sum(of("sent")))
    assert (state.poison, state.poison_bytes) == (len(of("poison")), sum(of("poison")))
    assert state.oldest_pending_us == min(row.created_at for row in rows if row.state == "new")
    assert state.lost_rows == sum(loss.row_count for loss in losses) == lost_rows > 3
    assert state.lost_task_rows == sum(loss.row_count for loss in losses if loss.rank == 0)


def test_measure_of_nothing_is_nothing(database: Database) -> None:
    """An empty outbox has no oldest row and has lost nothing."""
    state = _measure(database)
    assert (state.pending, state.pending_bytes, state.oldest_pending_us) == (0, 0, None)
    assert (state.lost_rows, state.last_lost_us) == (0, None)


@pytest.mark.postgres
def test_row_that_is_committed_late_is_not_passed_over(tmp_path: Path) -> None:
    """On PostgreSQL a lower id can become visible after a higher one was sent."""
    database = Database(database_url("postgres", tmp_path), role="duties")
    with database.write() as slow:
        _add(slow, b"slow")
        with database.write() as quick:
            _add(quick, b"quick")
        assert _batch(database) == [b"quick"]
        with database.write() as conn:
            _send_all(conn)
    assert _batch(database) == [b"slow"]
    database.close()


_STATEMENTS: dict[str, Callable[[Connection], object]] = {
    "next_batch": lambda conn: outbox.next_batch(conn, max_bytes=1000, max_rows=10, after_id=3),
    "mark_sent": lambda conn: outbox.mark_sent(conn, [1, 2], _T0),
    "mark_poison": lambda conn: outbox.mark_poison(conn, 1, "400"),
    "count_attempt": lambda conn: outbox.count_attempt(conn, [1, 2], "400"),
    "spans_of_task": lambda conn: outbox.spans_of_task(conn, 1),
    "of_trace": lambda conn: outbox.of_trace(conn, "a" * 32),
    "resend": lambda conn: outbox.resend(conn, since_us=_T0, until_us=_T0 + 1),
    "resend_tasks": lambda conn: outbox.resend_tasks(conn, [1, 2], until_us=_T0),
    "resend_requests": lambda conn: outbox.resend_requests(conn, ["a" * 32], until_us=_T0),
    "with_task_span": lambda conn: outbox.with_task_span(conn, [1, 2]),
    "release_poison": outbox.release_poison,
    "measure": outbox.measure,
    "prune": lambda conn: outbox.prune(
        conn, keep_us=1, max_bytes=1, now_us=_T0 + 10, keep_unsent_us=5
    ),
}


@pytest.mark.parametrize("name", _STATEMENTS)
def test_statement_uses_an_index(database: Database, name: str) -> None:
    """No statement reads the outbox from end to end (EXPLAIN, on a table with rows)."""
    with database.write() as conn:
        _add(conn, *[b"x"] * 30, task_id=1, trace_id="a" * 32)
        outbox.mark_sent(conn, _ids(conn)[:10], _T0)
        outbox.mark_poison(conn, _ids(conn)[0], "400")
    with database.write() as conn:
        if not database.is_sqlite:
            conn.execute(text("SET LOCAL enable_seqscan = off"))
        seen = list(_statements(conn, _STATEMENTS[name]))
        plans = [(sql, "\n".join(plan(conn, sql, values))) for sql, values in seen]
    assert plans
    for sql, found in plans:
        assert "SCAN span_outbox\n" not in found + "\n", f"{sql}\n{found}"
        assert "Seq Scan on span_outbox " not in found, f"{sql}\n{found}"
        conditions = sql.partition("WHERE")[2]
        assert "state =" not in conditions.replace("state = '", ""), "a plan for any state"


def _statements(
    conn: Connection, call: Callable[[Connection], object]
) -> Iterator[tuple[str, Any]]:
    """Runs a function in a savepoint and gives the statements it sent, with their values."""
    savepoint = conn.begin_nested()
    try:
        with recorded(conn.engine) as seen:
            call(conn)
    finally:
        savepoint.rollback()
    yield from (found for found in seen if "span_outbox " in found[0].replace("\n", " "))
