"""Resend: what was sent goes again, and what is gone is made again, on either database."""

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.service import cancel, window
from app.service.traces import resend
from telemetry import outbox
from telemetry.codec import decode
from tests.support import service
from tests.support.home import Home

if TYPE_CHECKING:
    from app.domain.records import TaskRecord
    from app.service.core import Core


@pytest.fixture
def core(any_home: Home) -> "Core":
    """A Core on a database of each kind."""
    return any_home.core


def _send_all(core: "Core") -> list[bytes]:
    """Everything is sent, as after a forwarder's work; the payloads in their order."""
    with core.database.write() as conn:
        rows = outbox.next_batch(conn, max_bytes=10**9, max_rows=10_000)
        outbox.mark_sent(conn, [row.id for row in rows], core.database.now_us(conn))
    return [row.payload for row in rows]


def _waiting(core: "Core") -> list[bytes]:
    with core.database.read() as conn:
        return [row.payload for row in outbox.next_batch(conn, max_bytes=10**9, max_rows=10_000)]


def _drop(core: "Core", *conditions: str) -> None:
    with core.database.write() as conn:
        for condition in conditions:
            conn.execute(text(f"DELETE FROM span_outbox WHERE {condition}"))  # noqa: S608 - ours


def _two_tasks(core: "Core") -> tuple["TaskRecord", "TaskRecord"]:
    return service.spoken(core, "The first one."), service.spoken(core, "The second one.")


def test_tasks_sends_all_rows_of_these_tasks_again(core: "Core") -> None:
    """Every row of the task, with its bytes as they were; nothing of another task."""
    first, second = _two_tasks(core)
    with core.database.read() as conn:
        of_first = outbox.spans_of_task(conn, first.id)
    _send_all(core)
    resent = resend.tasks(core, [first.id, first.id, 999_999])
    assert resent.rows == len(of_first) > 2
    assert resent.spans == sum(len(decode(payload)) for payload in of_first)
    assert (resent.rebuilt_tasks, resent.task_ids) == (0, frozenset({first.id}))
    assert _waiting(core) == of_first
    assert resend.tasks(core, [second.id, first.id]).task_ids == {second.id}, "one waits already"


def test_tasks_makes_a_task_span_that_is_gone_from_its_row(core: "Core") -> None:
    """It is the same to the last byte, however its task ended; a task that runs has none yet."""
    spoken, _ = _two_tasks(core)
    cancelled = service.submitted(core, "Never spoken.").task
    cancel.cancel_task(core, cancelled.id, everyone=True)
    running = service.submitted(core, "Still waits.").task
    with core.database.read() as conn:
        before = {
            task_id: outbox.spans_of_task(conn, task_id)[-1]
            for task_id in (spoken.id, cancelled.id)
        }
    _drop(core, "task_id IS NOT NULL")
    resent = resend.tasks(core, [spoken.id, cancelled.id, running.id])
    assert (resent.rows, resent.rebuilt_tasks) == (0, 2)
    assert _waiting(core) == list(before.values())
    assert resend.tasks(core, [spoken.id]).rebuilt_tasks == 0, "it is there again"


def test_tasks_finds_the_request_that_is_filed_under_another_task(core: "Core") -> None:
    """A request that made several tasks has one row; each of them takes it along."""
    first, second = _two_tasks(core)
    with core.database.write() as conn:
        outbox.add(
            conn,
            payload=b"request",
            n_spans=1,
            rank=outbox.RANK_REQUEST,
            created_at_us=1,
            task_id=first.id,
            trace_id=second.trace_id,
        )
    _send_all(core)
    resend.tasks(core, [second.id])
    assert b"request" in _waiting(core)


def test_window_sends_what_was_sent_then_and_rebuilds_what_ended_then(core: "Core") -> None:
    """By the time of sending, or where nothing is left by the time of the end; no more."""
    first, second = _two_tasks(core)
    payloads = _send_all(core)
    assert resend.window(core, since_us=0, until_us=first.submitted_at).rows == 0
    resent = resend.window(core, since_us=0)
    assert (resent.rows, resent.rebuilt_tasks) == (len(payloads), 0)
    assert resent.task_ids == {first.id, second.id}
    assert _waiting(core) == payloads
    _drop(core, "task_id IS NOT NULL")
    assert second.finished_at is not None
    resent = resend.window(core, since_us=second.finished_at, until_us=2**62)
    assert (resent.rows, resent.rebuilt_tasks, resent.task_ids) == (0, 1, frozenset({second.id}))


def test_window_in_many_short_steps_takes_everything(core: "Core") -> None:
    """More rows than one transaction changes, and more tasks than one read covers."""
    with core.database.write() as conn:
        for _ in range(2500):
            outbox.add(conn, payload=b"x", n_spans=2, rank=1, created_at_us=1)
        conn.execute(text("UPDATE span_outbox SET state = 'sent', sent_at = 5"))
    resent = resend.window(core, since_us=5, until_us=6)
    assert (resent.rows, resent.spans) == (2500, 5000)
    assert window.measure(core).pending == 2500


def test_poison_goes_again_all_or_of_a_task(core: "Core") -> None:
    """What is quarantined goes again only where it is asked for."""
    first, second = _two_tasks(core)
    with core.database.write() as conn:
        for row in outbox.next_batch(conn, max_bytes=10**9, max_rows=10_000):
            outbox.mark_poison(conn, row.id, "400 no")
    assert resend.tasks(core, [first.id]).rows == 0
    assert resend.poison(core, task_ids=[first.id]).task_ids == {first.id}
    assert resend.poison(core).task_ids == {second.id}
    assert window.measure(core).poison == 0


def test_no_span_is_made_where_tracing_is_off(
    core: "Core", monkeypatch: pytest.MonkeyPatch
) -> None:
    """OTEL_SDK_DISABLED: nothing is made, and nothing is said to have been made."""
    first, _ = _two_tasks(core)
    _drop(core, "task_id IS NOT NULL")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert resend.tasks(core, [first.id]) == resend.Resent()
