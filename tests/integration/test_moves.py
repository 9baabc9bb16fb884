"""The moves of a task through the services, on each database."""

import pytest

from app.domain.errors import ConflictError, NotFoundError, RequestError
from app.domain.task import LEASE_US, MAX_LOST
from app.service import cancel, claim, leader, limits, presence, reap, retry, task_list, verdict
from app.service.core import Core
from app.service.process_counts import ProcessCounts
from app.service.submit import SubmitRequest, submit
from app.store import attempts, totals, workers
from telemetry.tracing import SpanContext
from tests.support.home import Home
from tests.support.spans import spans_of


def _submit(core: Core, content: str = "Hello there.", **fields: object) -> int:
    request = SubmitRequest(content=content, source="api", engine="tone", **fields)  # type: ignore[arg-type]
    return submit(core, request).task.id


def test_submit_makes_pending_task_with_trace(any_home: Home) -> None:
    """An accepted text is a pending task with a trace of its own, and counts in the totals."""
    result = submit(any_home.core, SubmitRequest(content="One.", source="api", engine="tone"))
    assert result.disposition == "new"
    assert result.task.status == "pending"
    assert len(result.task.trace_id) == 32
    assert result.text.state == "pending"
    with any_home.core.database.read() as conn:
        assert totals.by_status(totals.of_tasks(conn))["pending"].n == 1
        assert totals.texts_by_state(conn) == {"pending": 1}


def test_same_content_follows_while_it_waits(any_home: Home) -> None:
    """The same content with another title follows the first task; other content does not."""
    first = submit(any_home.core, SubmitRequest(content="Same.", source="api", engine="tone"))
    second = submit(
        any_home.core,
        SubmitRequest(content=" Same.\r\n", title="Other", source="api", engine="tone"),
    )
    third = submit(any_home.core, SubmitRequest(content="Else.", source="api", engine="tone"))
    assert (second.disposition, second.task.id) == ("followed", first.task.id)
    assert second.text.id != first.text.id
    assert (third.disposition, third.task.id != first.task.id) == ("new", True)


def test_idempotency_key_answers_as_the_first_time(any_home: Home) -> None:
    """A key used again gives the first answer; for another request it is refused."""
    request = SubmitRequest(content="Key.", source="api", engine="tone", idempotency_key="k1")
    first, second = submit(any_home.core, request), submit(any_home.core, request)
    assert first.text.id == second.text.id
    other = SubmitRequest(content="Other.", source="api", engine="tone", idempotency_key="k1")
    with pytest.raises(ConflictError):
        submit(any_home.core, other)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"content": "a\0b"}, "offset 1"),
        ({"content": "a\ud800b"}, "U+D800"),
        ({"content": "  \n"}, "empty"),
        ({"content": "x", "engine": "nope"}, "tone, scripted"),
        ({"content": "x", "format": "aac"}, "mp3, opus, flac, wav"),
        ({"content": "x", "voice": "nobody"}, "auto"),
        ({"content": "x", "timeout_s": 0}, "from 1 to"),
        ({"content": "x", "max_attempts": 0}, "from 1 to"),
    ],
)
def test_wrong_request_names_what_is_allowed(
    home: Home, fields: dict[str, object], words: str
) -> None:
    """A wrong request is refused with what was got and what is allowed; no row is written."""
    with pytest.raises(RequestError, match=words.replace("+", r"\+")):
        submit(home.core, SubmitRequest(**{"source": "api", "engine": "tone"} | fields))  # type: ignore[arg-type]
    assert task_list.page(home.core).tasks == ()


def test_claim_takes_in_order_within_the_limit(any_home: Home) -> None:
    """Claims go by age, never beyond max_concurrent, and obey a changed limit at once."""
    core = any_home.core
    worker = presence.register(core, pid=1)
    limits.set_max_concurrent(core, 2)
    ids = [_submit(core, f"Text {n}.") for n in range(4)]
    claims = [claim.claim_next(core, worker_id=worker) for _ in range(3)]
    assert [made.task_id if made else None for made in claims] == [ids[0], ids[1], None]
    limits.set_max_concurrent(core, 3)
    third = claim.claim_next(core, worker_id=worker)
    assert third is not None
    assert third.task_id == ids[2]


def test_engine_limit_holds_that_engine_only(any_home: Home) -> None:
    """An engine at its limit is passed over; the others go on."""
    core = any_home.core
    worker = presence.register(core, pid=1)
    limits.set_max_concurrent(core, 10)
    limits.set_engine_limit(core, "tone", 1)
    _submit(core, "One."), _submit(core, "Two.")
    other = submit(core, SubmitRequest(content="Three.", source="api", engine="scripted")).task.id
    claims = [claim.claim_next(core, worker_id=worker) for _ in range(3)]
    assert [made.engine if made else None for made in claims] == ["tone", "scripted", None]
    assert claims[1] is not None
    assert claims[1].task_id == other


def test_worker_that_is_not_up_claims_nothing(any_home: Home) -> None:
    """A draining or unknown worker gets nothing."""
    core = any_home.core
    _submit(core)
    worker = presence.register(core, pid=1)
    presence.drain(core, worker)
    assert claim.claim_next(core, worker_id=worker) is None
    assert claim.claim_next(core, worker_id="nobody") is None


def test_lost_child_runs_again_and_is_poison_in_the_end(any_home: Home) -> None:
    """A lost attempt waits again (at once the first time); after the fifth loss the task fails."""
    core = any_home.core
    worker = presence.register(core, pid=1)
    task_id = _submit(core)
    for lost in range(1, MAX_LOST + 1):
        _make_due(core, task_id)
        made = claim.claim_next(core, worker_id=worker)
        assert made is not None
        assert verdict.lose(core, task_id, made.attempt, reason="killed", exit_signal=9)
        assert not verdict.lose(core, task_id, made.attempt, reason="killed", exit_signal=9)
        task = task_list.get(core, task_id)
        assert task.lost_count == lost
        assert task.status == ("pending" if lost < MAX_LOST else "failed")
    assert task_list.get(core, task_id).error_type == "worker_lost"
    found = spans_of(core, task_id)
    assert [span.name for span in found].count("tts task") == 1
    rebuilt = [span for span in found if span.name == "process tts"]
    assert len(rebuilt) == MAX_LOST
    assert all(span.attributes["voxtrace.exit.signal"] == 9 for span in rebuilt)


def _make_due(core: Core, task_id: int) -> None:
    from sqlalchemy import text

    core.database.run(
        lambda conn: conn.execute(
            text("UPDATE task SET not_before = 0 WHERE id = :id"), {"id": task_id}
        )
    )


def test_dead_worker_is_declared_dead_and_its_task_rescued(any_home: Home) -> None:
    """Without a heartbeat for a lease, a worker is dead, and what it ran waits again, marked."""
    core = any_home.core
    worker = presence.register(core, pid=1)
    task_id = _submit(core)
    assert claim.claim_next(core, worker_id=worker) is not None
    assert reap.reap(core).rescued == 0
    _age_heartbeat(core, worker)
    done = reap.reap(core)
    assert (done.rescued, done.dead_workers) == (1, 1)
    task = task_list.get(core, task_id)
    assert (task.status, task.rescued_by) == ("pending", "test")
    assert task.rescued_at is not None
    assert "lease ran out" in (task.rescued_reason or "")
    assert not presence.beat(core, worker, ProcessCounts("worker"))


def _age_heartbeat(core: Core, worker: str) -> None:
    with core.database.write() as conn:
        workers.beat(conn, worker, core.database.now_us(conn) - LEASE_US - 1_000_000)


def test_late_attempt_of_a_silent_worker_times_out(any_home: Home) -> None:
    """The reaper flags a late attempt at its deadline, and ends it 4 s after it."""
    core = any_home.core
    worker = presence.register(core, pid=1)
    task_id = _submit(core, timeout_s=1.0)
    made = claim.claim_next(core, worker_id=worker)
    assert made is not None
    _move_back(core, task_id, 2_000_000)
    assert reap.reap(core).flagged == 1
    task = task_list.get(core, task_id)
    assert (task.status, task.timed_out_at) == ("processing", task.deadline_at)
    _move_back(core, task_id, 4_000_000)
    assert reap.reap(core).timed_out == 1
    task = task_list.get(core, task_id)
    assert (task.status, task.error_type) == ("timeout", "deadline_exceeded")
    names = [span.name for span in spans_of(core, task_id)]
    assert names.count("deadline exceeded") == 1
    assert names.count("process tts") == 1
    assert names.count("tts task") == 1


def _move_back(core: Core, task_id: int, by_us: int) -> None:
    from sqlalchemy import text

    moments = {
        "task": ("deadline_at", "claimed_at", "submitted_at", "started_at"),
        "task_attempt": ("deadline_at", "claimed_at", "queued_at"),
    }
    for table, columns in moments.items():
        changes = ", ".join(f"{column} = {column} - :by" for column in columns)
        key = "id" if table == "task" else "task_id"
        statement = f"UPDATE {table} SET {changes} WHERE {key} = :id"  # noqa: S608 - constants
        core.database.run(
            lambda conn, sql=statement: conn.execute(text(sql), {"id": task_id, "by": by_us})  # type: ignore[misc]
        )


def test_pause_moves_live_deadlines(any_home: Home) -> None:
    """After a pause of the machine live deadlines are later by it, on task and attempt."""
    core = any_home.core
    worker = presence.register(core, pid=1)
    task_id = _submit(core)
    made = claim.claim_next(core, worker_id=worker)
    assert made is not None
    assert reap.forgive_pause(core, 60_000_000) == 1
    assert task_list.get(core, task_id).deadline_at == made.deadline_at + 60_000_000
    with core.database.read() as conn:
        row = attempts.get(conn, task_id, 1)
    assert row is not None
    assert row.deadline_at == made.deadline_at + 60_000_000


def test_cancel_waits_for_the_last_request(any_home: Home) -> None:
    """A cancelled request leaves the task to those that follow it; the last one ends it."""
    core = any_home.core
    first = submit(core, SubmitRequest(content="Shared.", source="api", engine="tone"))
    second = submit(core, SubmitRequest(content="Shared.", source="api", engine="tone"))
    result = cancel.cancel_text(core, first.text.id)
    assert (result.is_task_cancelled, result.still_wanted_by) == (False, 1)
    with pytest.raises(ConflictError):
        cancel.cancel_text(core, first.text.id)
    result = cancel.cancel_text(core, second.text.id)
    assert result.is_task_cancelled
    task = task_list.get(core, first.task.id)
    assert task.status == "cancelled"
    assert {span.name for span in spans_of(core, task.id)} == {"tts task", "queue wait"}
    with core.database.read() as conn:
        assert totals.texts_by_state(conn)["cancelled"] == 2
    with pytest.raises(NotFoundError):
        cancel.cancel_text(core, 10_000)


def test_cancel_of_a_running_task_fences_its_attempt(any_home: Home) -> None:
    """A cancelled attempt can commit nothing; its span is rebuilt and is no error."""
    core = any_home.core
    worker = presence.register(core, pid=1)
    task_id = _submit(core)
    made = claim.claim_next(core, worker_id=worker)
    assert made is not None
    assert cancel.cancel_task(core, task_id).is_task_cancelled
    assert not verdict.time_out(core, task_id, made.attempt, reason="late")
    assert presence.settled_from_outside(core, [(task_id, made.attempt)]) == [(task_id, 1)]
    attempt = next(span for span in spans_of(core, task_id) if span.name == "process tts")
    assert not attempt.is_error
    assert attempt.attributes["voxtrace.attempt.outcome"] == "cancelled"


def test_retry_makes_a_new_task_linked_to_the_old(any_home: Home) -> None:
    """A retry of an ended task is a new task of the same text, with a link to the old span."""
    core = any_home.core
    first = submit(core, SubmitRequest(content="Again.", source="api", engine="tone"))
    with pytest.raises(ConflictError):
        retry.retry_text(core, first.text.id, source="api")
    cancel.cancel_text(core, first.text.id)
    second = retry.retry_text(core, first.text.id, source="api")
    assert second.task.retry_of == first.task.id
    assert second.text.state == "pending"
    assert first.task.span_id in second.task.links


def test_one_of_several_has_a_trace_of_its_own_with_a_link(any_home: Home) -> None:
    """A text of a batch does not continue the request's trace; its task span links to it."""
    core = any_home.core
    request = SpanContext.new()
    one = SubmitRequest(content="One of two.", source="api", engine="tone")
    task = submit(core, one, request, continues=False).task
    assert task.trace_id != request.trace_id_hex
    cancel.cancel_task(core, task.id)
    root = next(span for span in spans_of(core, task.id) if span.name == "tts task")
    assert [(link.trace_id, link.span_id) for link in root.links] == [
        (request.trace_id_hex, request.span_id_hex)
    ]
    alone = submit(core, SubmitRequest(content="Alone.", source="api", engine="tone"), request).task
    assert (alone.trace_id, alone.parent_span_id) == (request.trace_id_hex, request.span_id_hex)


def test_hand_back_costs_nothing(any_home: Home) -> None:
    """An attempt that is handed back counts neither as a try nor as a loss, and may run at once."""
    core = any_home.core
    worker = presence.register(core, pid=1)
    task_id = _submit(core)
    made = claim.claim_next(core, worker_id=worker)
    assert made is not None
    assert verdict.hand_back(core, task_id, made.attempt, reason="drain")
    task = task_list.get(core, task_id)
    assert (task.tries_used, task.lost_count, task.wait_reason) == (0, 0, "handed_back")
    again = claim.claim_next(core, worker_id=worker)
    assert again is not None
    assert again.attempt == 2


def test_expired_task_fails(any_home: Home) -> None:
    """A task that waited past give_up_at fails as queue_expired, with its task span."""
    core = any_home.core
    task_id = _submit(core)
    from sqlalchemy import text

    core.database.run(lambda conn: conn.execute(text("UPDATE task SET give_up_at = 1")))
    assert reap.reap(core).expired == 1
    task = task_list.get(core, task_id)
    assert (task.status, task.error_type) == ("failed", "queue_expired")
    assert any(span.name == "tts task" and span.is_error for span in spans_of(core, task_id))


def test_task_span_is_the_row(any_home: Home) -> None:
    """The task span of an ended task has the row's very times, ids and status."""
    core = any_home.core
    worker = presence.register(core, pid=1)
    task_id = _submit(core, timeout_s=5)
    made = claim.claim_next(core, worker_id=worker)
    assert made is not None
    verdict.time_out(core, task_id, made.attempt, reason="late")
    task = task_list.get(core, task_id)
    span = next(span for span in spans_of(core, task_id) if span.name == "tts task")
    assert (span.start_us, span.end_us) == (task.submitted_at, task.finished_at)
    assert (span.trace_id, span.span_id) == (task.trace_id, task.span_id)
    assert span.attributes["voxtrace.task.status"] == task.status == "timeout"
    assert span.attributes["error.type"] == task.error_type
    assert span.is_error


def test_one_duties_process_leads_at_a_time(any_home: Home) -> None:
    """A lease is held by one, renewed by it, refused to others, and free when it is given up."""
    core = any_home.core
    assert leader.lead(core, "a")
    assert leader.lead(core, "a")
    assert not leader.lead(core, "b")
    leader.step_down(core, "b")
    assert not leader.lead(core, "b")
    leader.step_down(core, "a")
    assert leader.lead(core, "b")
    assert not leader.lead(core, "a")


def test_duty_notes_successes_and_failures(any_home: Home) -> None:
    """A duty's row says when it went well last, how often it failed since, and why."""
    core = any_home.core
    leader.note_success(core, "x", "a")
    leader.note_failure(core, "x", "a", "first")
    leader.note_failure(core, "x", "a", "second")
    row = next(duty for duty in leader.every(core) if duty.name == "x")
    assert (row.failure_count, row.last_error) == (2, "second")
    assert row.succeeded_at is not None
    leader.note_success(core, "x", "a")
    row = next(duty for duty in leader.every(core) if duty.name == "x")
    assert (row.failure_count, row.last_error) == (0, None)
