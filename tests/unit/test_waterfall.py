"""The waterfall, from spans and from rows."""

from app.domain.records import AttemptRecord, TaskRecord
from app.service import spans
from app.service.waterfall import GROUP_ABOVE, Told, draw
from telemetry import codec, names, provider, recovery
from telemetry.names import SpanKind
from telemetry.spans import SpanRecord
from tests.support.rows import SECOND, T0, attempt, done, segment, task

FINISHED = T0 + 30 * SECOND


def _finished(segments: int) -> Told:
    """A completed task of so many segments, with every span in the outbox."""
    row = task(
        status="completed",
        wait_reason="claimed",
        attempt=1,
        claimed_at=T0 + 2 * SECOND,
        finished_at=FINISHED,
        release="1",
    )
    run = attempt(1, T0 + 2 * SECOND, finished_at=FINISHED, outcome="completed")
    made = [
        done(idx, 1, T0 + (3 + idx) * SECOND, T0 + (4 + idx) * SECOND) for idx in range(segments)
    ]
    records = [
        spans.task_span(row),
        spans.wait_span(
            row, owner_span_id=run.span_id, start=T0, end=run.claimed_at, reason="queued"
        ),
        recovery.start_marker(spans.identity(row, run)),
        _record(int(run.span_id, 16), int(row.span_id, 16), names.SPAN_ATTEMPT, 2, 30),
        *(
            _record(int(one.span_id or "", 16), 1, names.SPAN_SEGMENT, 3 + one.idx, 4 + one.idx)
            for one in made
        ),
    ]
    payload = codec.encode(records, provider.row_resource("1"), "1")
    return Told(task=row, attempts=[run], segments=made, payloads=[payload], now=FINISHED)


def _record(span_id: int, parent: int, name: str, start_s: int, end_s: int) -> SpanRecord:
    return SpanRecord(
        trace_id=int("1" * 32, 16),
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        kind=SpanKind.INTERNAL,
        start_us=T0 + start_s * SECOND,
        end_us=T0 + end_s * SECOND,
        attributes={names.SEGMENT_INDEX: span_id - 1000} if name == names.SPAN_SEGMENT else {},
    )


def test_kept_spans_are_drawn_as_they_are() -> None:
    """While the outbox is whole, its very spans are the rows, the task first, and it says so."""
    drawn = draw(_finished(3))
    assert drawn.source == "outbox"
    assert [(row.level, row.name) for row in drawn.rows] == [
        (0, "tts task"),
        (1, "queue wait"),
        (1, "process tts"),
        (2, "segment"),
        (2, "segment"),
        (2, "segment"),
    ]
    assert (drawn.zero_at, drawn.total_us, drawn.left_off) == (T0, 30 * SECOND, 0)


def test_a_missing_span_makes_rows_stand_for_all() -> None:
    """A pruned outbox is not half a truth: the rows tell the same shape, and it says so."""
    whole = _finished(3)
    pruned = Told(
        task=whole.task,
        attempts=whole.attempts,
        segments=[*whole.segments, done(3, 1, T0 + 6 * SECOND, T0 + 7 * SECOND)],
        payloads=whole.payloads,
        now=whole.now,
    )
    drawn = draw(pruned)
    assert drawn.source == "rows"
    assert [row.name for row in drawn.rows].count("segment") == 4
    same = draw(
        Told(
            task=whole.task,
            attempts=whole.attempts,
            segments=whole.segments,
            payloads=[],
            now=whole.now,
        )
    )
    ends = [(row.name, row.start_us, row.end_us) for row in draw(whole).rows]
    assert [(row.name, row.start_us, row.end_us) for row in same.rows] == ends


def test_many_segments_are_grouped_and_none_is_lost() -> None:
    """A book's segments lie under one row that knows how many they are."""
    count = GROUP_ABOVE + 5
    drawn = draw(_finished(count))
    group = next(row for row in drawn.rows if row.kind == "group")
    assert (group.span_count, group.segment, group.last_segment) == (count, 0, count - 1)
    assert sum(row.name == "segment" and row.level == 3 for row in drawn.rows) == count
    assert drawn.left_off == 0


def test_what_still_runs_has_an_open_end() -> None:
    """Of a running task the task, its attempt and its present segment are open, from rows."""
    claimed = T0 + 2 * SECOND
    row = task(
        status="processing",
        attempt=1,
        claimed_at=claimed,
        phase="speak",
        segment_count=2,
        segments_done=1,
    )
    run = attempt(1, claimed, begun_at=claimed)
    made = [done(0, 1, T0 + 3 * SECOND, T0 + 4 * SECOND), segment(1)]
    for payloads in ([], _claimed_payload(row, run)):
        drawn = draw(
            Told(task=row, attempts=[run], segments=made, payloads=payloads, now=T0 + 9 * SECOND)
        )
        opened = [(one.name, one.segment) for one in drawn.rows if one.end_us is None]
        assert opened == [("tts task", None), ("process tts", None), ("segment", 1)]
        assert drawn.total_us == 9 * SECOND


def _claimed_payload(row: TaskRecord, run: AttemptRecord) -> list[bytes]:
    records = [
        spans.wait_span(
            row, owner_span_id=run.span_id, start=T0, end=run.claimed_at, reason="queued"
        ),
        recovery.start_marker(spans.identity(row, run)),
    ]
    return [codec.encode(records, provider.row_resource("1"), "1")]


def test_a_rebuilt_attempt_says_who_and_why() -> None:
    """An attempt whose process was killed is marked, with the evidence in its notes."""
    run = attempt(
        1,
        T0 + SECOND,
        finished_at=T0 + 5 * SECOND,
        outcome="lost",
        error_type="worker_lost",
        exit_signal=9,
        rebuilt_by="reaper on h",
        rebuilt_reason="its lease ran out",
    )
    row = task(status="pending", wait_reason="rescued", attempt=1, queued_at=T0 + 5 * SECOND)
    drawn = draw(Told(task=row, attempts=[run], segments=[], payloads=[], now=T0 + 6 * SECOND))
    found = next(one for one in drawn.rows if one.kind == "attempt")
    assert found.is_rebuilt
    assert dict(found.notes)["exit_signal"] == 9
    assert dict(found.notes)["rebuilt_by"] == "reaper on h"
    assert drawn.rows[-1].name == "queue wait"
    assert drawn.rows[-1].end_us is None
