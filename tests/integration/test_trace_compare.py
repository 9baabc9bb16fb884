"""Rows against traces: equal where nothing was changed, and any change is found and named."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from app.service import cancel, claim, presence, verdict
from app.service.traces.trace_compare import Match, compare
from app.service.traces.trace_rows import expected
from app.store.tables import task_table
from telemetry import names
from telemetry.jaeger import JaegerTrace
from tests.support.home import Home
from tests.support.service import spoken, submitted
from tests.support.traces import rows_of, trace_of, written


def _without(trace: JaegerTrace, span_id: str) -> JaegerTrace:
    kept = tuple(span for span in trace.spans if span.span_id != span_id)
    return replace(trace, spans=kept)


def test_whole_trace_is_equal(any_home: Home) -> None:
    """A task that was spoken is equal to what it wrote, to the microsecond and attribute."""
    task = spoken(any_home.core, "One sentence. And another one.")
    compared = compare(rows_of(any_home.core, task.id), written(any_home.core, task.id))
    assert (compared.match, list(compared.differences)) == (Match.EQUAL, [])


def test_every_way_out_is_equal(any_home: Home) -> None:
    """Handed back, lost, timed out, cancelled in between: rebuilt spans are expected as written."""
    core = any_home.core
    worker = presence.register(core, pid=1)
    cancelled = submitted(core, "Handed back, lost, cancelled.").task.id
    timed_out = submitted(core, "Timed out.").task.id
    for move in (verdict.hand_back, verdict.lose):
        made = claim.claim_next(core, worker_id=worker, task_id=cancelled)
        assert made is not None
        assert move(core, cancelled, made.attempt, reason="test")
    cancel.cancel_task(core, cancelled)
    made = claim.claim_next(core, worker_id=worker, task_id=timed_out)
    assert made is not None
    assert verdict.time_out(core, timed_out, made.attempt, reason="deadline")
    for task_id in (cancelled, timed_out):
        compared = compare(rows_of(core, task_id), written(core, task_id))
        assert list(compared.differences) == []


def test_any_missing_span_is_found(home: Home) -> None:
    """Without the task span the task is missing; without another of the rows' it is incomplete."""
    task = spoken(home.core, "One sentence. And another one.")
    rows, trace = rows_of(home.core, task.id), written(home.core, task.id)
    assert compare(rows, None).match is Match.MISSING
    assert compare(rows, _without(trace, task.span_id)).match is Match.MISSING
    for wanted in expected(rows):
        compared = compare(rows, _without(trace, wanted.span_id))
        assert compared.match is not Match.EQUAL, wanted.name
        assert wanted.span_id in {one.span_id for one in compared.differences}


def test_span_on_a_lost_parent_is_found(home: Home) -> None:
    """A span whose parent is not there makes the trace incomplete, and says which parent."""
    task = spoken(home.core, "One sentence.")
    rows, trace = rows_of(home.core, task.id), written(home.core, task.id)
    [call] = [span for span in trace.spans if span.kind is names.SpanKind.CLIENT]
    spans = [
        replace(span, parent_span_id="f" * 16) if span is call else span for span in trace.spans
    ]
    [difference] = compare(rows, trace_of(task, spans)).differences
    assert (difference.kind, difference.what, difference.expected) == (
        Match.INCOMPLETE,
        "parent",
        "f" * 16,
    )


def test_any_changed_fact_is_found(home: Home) -> None:
    """Each attribute, time, status, parent and name of the task span, changed alone, is named."""
    task = spoken(home.core, "One sentence.")
    rows, trace = rows_of(home.core, task.id), written(home.core, task.id)
    [root] = [span for span in trace.spans if span.span_id == task.span_id]
    changes = {
        "start": replace(root, start_ns=root.start_ns + 1000),
        "end": replace(root, end_ns=root.end_ns - 1000),
        "status": replace(root, status="error"),
        "parent": replace(root, parent_span_id="e" * 16),
        "name": replace(root, name="tts"),
        "kind": replace(root, kind=names.SpanKind.CLIENT),
        "unknown": replace(root, attributes=root.attributes | {"unknown": 1}),
    }
    for key in root.attributes:
        changes[key] = replace(root, attributes=root.attributes | {key: "another"})
    for what, changed in changes.items():
        spans = [changed if span is root else span for span in trace.spans]
        compared = compare(rows, trace_of(task, spans))
        assert compared.match is Match.DIFFERENT, what
        assert what in [one.what for one in compared.differences]


def test_second_task_span_is_doubled(home: Home) -> None:
    """The same id with another content, or another id for the same task, is a doubled task."""
    task = spoken(home.core, "One sentence.")
    rows, trace = rows_of(home.core, task.id), written(home.core, task.id)
    [root] = [span for span in trace.spans if span.span_id == task.span_id]
    for second in (replace(root, start_ns=root.start_ns + 1000), replace(root, span_id="d" * 16)):
        compared = compare(rows, trace_of(task, [*trace.spans, second]))
        assert compared.match is Match.DOUBLED


def test_attempt_that_no_row_knows_is_different(home: Home) -> None:
    """An attempt's span without a row is told, since a row is the truth."""
    task = spoken(home.core, "One sentence.")
    rows, trace = rows_of(home.core, task.id), written(home.core, task.id)
    [attempt] = [span for span in trace.spans if span.name == names.SPAN_ATTEMPT]
    ghost = replace(attempt, span_id="c" * 16)
    assert compare(rows, trace_of(task, [*trace.spans, ghost])).match is Match.DIFFERENT


def test_lost_request_is_told_apart(home: Home) -> None:
    """A request whose process died before it wrote its span: equal, and `is_parent_lost`.

    Where the outbox has that span, the trace is incomplete: it can be sent again.
    """
    task, parent = spoken(home.core, "One sentence."), "abcdefabcdefabcd"
    with home.core.database.write() as conn:
        conn.execute(update(task_table).values(parent_span_id=parent))
    rows, trace = rows_of(home.core, task.id), written(home.core, task.id)
    spans = [
        replace(span, parent_span_id=parent) if span.span_id == task.span_id else span
        for span in trace.spans
    ]
    compared = compare(rows, trace_of(task, spans))
    assert (compared.match, compared.is_parent_lost) == (Match.EQUAL, True)
    compared = compare(rows, trace_of(task, spans), parent_is_kept=True)
    assert (compared.match, compared.is_parent_lost) == (Match.INCOMPLETE, False)


@pytest.mark.parametrize("column", ["engine", "voice", "source", "worker_name", "release"])
def test_row_changed_by_hand_is_found(home: Home, column: str) -> None:
    """A row that somebody changed after its span was sent is different in that attribute."""
    task = spoken(home.core, "One sentence.")
    trace = written(home.core, task.id)
    value = "legacy" if column == "source" else "changed"
    with home.core.database.write() as conn:
        conn.execute(update(task_table).values({column: value}))
    compared = compare(rows_of(home.core, task.id), trace)
    assert compared.match is Match.DIFFERENT
    assert value in [one.expected for one in compared.differences]
