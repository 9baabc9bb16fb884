"""A task's trace as a receiver got it, compared with the rows that it must tell of."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.records import AttemptRecord, SegmentRecord, TaskRecord
from app.service import task_list
from app.store import attempts, segments
from telemetry import names
from tests.support.home import Home
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.otlp_spans import ReceivedSpan
from tests.support.running import PATIENCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the tables say of a task."""

    task: TaskRecord
    attempts: list[AttemptRecord]
    segments: list[SegmentRecord]


def rows_of(home: Home, task_id: int) -> Rows:
    """The rows of a task that is over."""
    with home.core.database.read() as conn:
        return Rows(
            task=task_list.get(home.core, task_id),
            attempts=attempts.of_task(conn, task_id),
            segments=segments.of_task(conn, task_id),
        )


def span_ids_of(rows: Rows) -> set[str]:
    """Ids of the spans that the rows speak of."""
    ids = {rows.task.span_id, rows.task.parent_span_id}
    ids |= {attempt.span_id for attempt in rows.attempts}
    ids |= {segment.span_id for segment in rows.segments}
    return {span_id for span_id in ids if span_id}


def trace_of(receiver: OtlpReceiver, rows: Rows) -> list[ReceivedSpan]:
    """The spans of a task's trace, each once, when all that its rows speak of have come."""
    wanted = span_ids_of(rows)

    def has_come(_receiver: OtlpReceiver) -> bool:
        return wanted <= {
            span for trace, span in receiver.distinct() if trace == rows.task.trace_id
        }

    receiver.wait_for(has_come, PATIENCE_S)
    return [span for (trace, _), span in receiver.distinct().items() if trace == rows.task.trace_id]


def check_whole(rows: Rows, found: list[ReceivedSpan]) -> None:
    """The trace is complete: every span that the rows speak of, under the right parent."""
    by_name: dict[str, list[ReceivedSpan]] = {}
    for span in found:
        by_name.setdefault(span.name, []).append(span)
    [request], [root] = by_name["POST /upload"], by_name[names.SPAN_TASK]
    assert (request.kind, request.parent_span_id) == (names.SpanKind.SERVER, "")
    assert (root.span_id, root.parent_span_id) == (rows.task.span_id, request.span_id)
    assert _times_us(root) == (rows.task.submitted_at, rows.task.finished_at)
    waits = sorted(by_name[names.SPAN_QUEUE_WAIT], key=lambda span: span.start_ns)
    found_attempts = {span.span_id: span for span in by_name[names.SPAN_ATTEMPT]}
    assert len(waits) == len(found_attempts) == len(rows.attempts)
    for wait, row in zip(waits, rows.attempts, strict=True):
        attempt = found_attempts[row.span_id]
        assert attempt.kind == names.SpanKind.CONSUMER
        assert wait.parent_span_id == attempt.parent_span_id == root.span_id
        assert _times_us(wait) == (row.queued_at, row.claimed_at)
        assert _times_us(attempt) == (row.claimed_at, row.finished_at)
        assert attempt.attributes[names.ATTEMPT_OUTCOME] == row.outcome
    _check_inside(rows, by_name, found_attempts)
    assert {span.parent_span_id for span in found} <= {"", *(span.span_id for span in found)}
    assert set(by_name) <= {span.name for span in names.SPANS} | {
        request.name,
        names.engine_span(rows.task.engine),
    }


def _check_inside(
    rows: Rows,
    by_name: Mapping[str, list[ReceivedSpan]],
    found_attempts: Mapping[str, ReceivedSpan],
) -> None:
    """One span for each committed segment under the attempt that made it, its engine call below."""
    pieces = {span.span_id: span for span in by_name[names.SPAN_SEGMENT]}
    numbers = {row.attempt: row.span_id for row in rows.attempts}
    assert len(rows.segments) == rows.task.segment_count
    for row in rows.segments:
        assert row.attempt is not None
        assert pieces[row.span_id or ""].parent_span_id == numbers[row.attempt]
    inside = [
        *pieces.values(),
        *(by_name[name][-1] for name in (names.SPAN_SPLIT, names.SPAN_ENCODE, names.SPAN_STORE)),
    ]
    for span in inside:
        attempt = found_attempts[span.parent_span_id]
        assert attempt.start_ns <= span.start_ns <= span.end_ns <= attempt.end_ns
    calls = by_name[names.engine_span(rows.task.engine)]
    assert all(call.kind == names.SpanKind.CLIENT for call in calls)
    assert {call.parent_span_id for call in calls} == set(pieces)


def _times_us(span: ReceivedSpan) -> tuple[int, int]:
    return span.start_ns // 1000, span.end_ns // 1000


def check_resources(found: list[ReceivedSpan]) -> None:
    """Spans made from rows name no process; those of a process name it and its host."""
    rows = {names.SPAN_TASK, names.SPAN_QUEUE_WAIT, names.SPAN_ATTEMPT_STARTED}
    process = {
        names.SERVICE_NAME,
        names.SERVICE_VERSION,
        names.SERVICE_INSTANCE_ID,
        names.HOST_NAME,
    }
    for span in found:
        if span.name in rows:
            assert span.service == names.SERVICE_ROWS
            assert set(span.resource) == {names.SERVICE_NAME, names.SERVICE_VERSION}
        else:
            is_request = span.kind == names.SpanKind.SERVER
            assert span.service == (names.SERVICE_WEB if is_request else names.SERVICE_WORKER)
            assert set(span.resource) == process
            assert all(span.resource.values())


#: Attributes that only failures, rescues or providers with ids of their own have.
SOMETIMES = {
    *(names.ERROR_TYPE, names.FINGERPRINT, names.ENGINE_CODE, names.DEADLINE_EXCEEDED),
    *(names.SPAN_RECOVERED, names.RECOVERED_BY, names.RECOVERED_REASON, names.LAST_HEARTBEAT_US),
    *(names.EXIT_SIGNAL, names.EXIT_CODE, names.GEN_AI_RESPONSE_ID),
}


def check_documented(found: list[ReceivedSpan]) -> None:
    """Each span carries what the table of names says of it, and of our own names nothing else."""
    for span in found:
        name = names.engine_span("{engine}") if span.name.startswith("text_to") else span.name
        if span.kind == names.SpanKind.SERVER:
            name = "{method} {route}"
        described = {one.key for one in names.ATTRIBUTES if name in one.where.split(", ")}
        ours = {key for key in span.attributes if key.startswith(("voxtrace.", "gen_ai."))}
        assert ours <= described, f"{span.name}: not in the table {ours - described}"
        missing = described - SOMETIMES - set(span.attributes)
        assert not missing, f"{span.name}: not on the span {missing}"
