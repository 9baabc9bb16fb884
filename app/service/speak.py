"""Speak: one segment after another, each checked, stored, and committed as a checkpoint."""

import json
from collections.abc import Sequence
from typing import Any

from app.domain.errors import AudioInvalidError
from app.domain.records import SegmentRecord
from app.logs.logger import logger_of
from app.service import segments as plan
from app.service.attempt import Attempt
from app.service.sweep import segment_key
from app.service.task_logs.attempt_log import Milestones
from app.speech import validation
from app.speech.engine import Engine, Mark, SegmentRequest
from app.store import segments, tasks
from app.store.database import Connection
from telemetry import names
from telemetry.values import AttributeValue

log = logger_of(__name__)

#: Tries at one segment within an attempt, where its sound fails a check.
SEGMENT_TRIES = 3


def speak_all(
    attempt: Attempt, engine: Engine, content: str, rows: Sequence[SegmentRecord]
) -> None:
    """Makes every segment that has no sound yet; what an earlier attempt made is kept."""
    before = done = sum(row.status != "waiting" for row in rows)
    milestones = Milestones.begin(done / max(1, len(rows)))
    for row in rows:
        if row.status == "waiting":
            attempt.check()
            _make(attempt, engine, content, row, total=len(rows), done=done)
            done += 1
            percent = milestones.passed(done / len(rows))
            if percent is not None:
                log.info("speaking", percent=percent, segments_done=done, segments=len(rows))
    if done > before:
        log.info("every segment is spoken", segments=len(rows), spoken_now=done - before)
    if rows:
        attempt.write(
            lambda conn, now: _note_progress(attempt, conn, now, total=len(rows), done=done)
        )


def _make(
    attempt: Attempt,
    engine: Engine,
    content: str,
    row: SegmentRecord,
    *,
    total: int,
    done: int,
) -> None:
    text = content[row.start : row.stop]
    attributes = _attributes(row) | {names.SEGMENT_CHARACTERS: len(text)}
    with attempt.tracing.span(names.SPAN_SEGMENT, attributes=attributes) as span:
        began = attempt.now_us()
        values = plan.take_over(attempt, row)
        span.set({names.SEGMENT_REUSED: values is not None})
        if values is None:
            values = _speak(attempt, engine, row, text, content)
        span.set({names.AUDIO_DURATION_MS: values["duration_ms"]})
    context = span.context
    values |= {
        "status": "done",
        "attempt": attempt.claim.attempt,
        "span_id": context.span_id_hex if context else None,
        "started_at": began,
    }

    def work(conn: Connection, now: int) -> None:
        segments.finish(conn, row.task_id, row.idx, values | {"finished_at": now})
        _note_progress(attempt, conn, now, total=total, done=done + 1)

    attempt.write(work, flush=True)


def _note_progress(attempt: Attempt, conn: Connection, now: int, *, total: int, done: int) -> None:
    is_mine = tasks.progress(
        conn,
        attempt.claim.task_id,
        attempt.claim.attempt,
        now=now,
        phase="speak",
        permille=1000 * done // total,
        segment_count=total,
        segments_done=done,
    )
    attempt.require(is_mine)


def _speak(
    attempt: Attempt, engine: Engine, row: SegmentRecord, text: str, content: str
) -> dict[str, Any]:
    """One segment's sound, checked; a sound that fails its check is made again, a few times."""
    claim = attempt.claim
    request = SegmentRequest(
        text=text,
        voice="" if claim.voice == "auto" else claim.voice,
        language=row.language or "",
        params=json.loads(claim.params),
        sample_rate=engine.capabilities().sample_rates[0],
        context=content[max(0, row.start - 200) : row.start],
    )
    for tries_left in reversed(range(SEGMENT_TRIES)):
        attempt.write(lambda conn, _now: segments.count_try(conn, row.task_id, row.idx))
        pcm, marks = _call(attempt, engine, request, row)
        try:
            check = validation.check_segment(
                pcm,
                text=text,
                engine=engine.name,
                sample_rate=request.sample_rate,
                speed=float(request.params.get("speed", 1.0)),
            )
        except AudioInvalidError as error:
            attempt.event(names.EVENT_SEGMENT_REFUSED, reason=error.error_type, segment=row.idx)
            if not tries_left:
                raise
            continue
        key = segment_key(row.input_hash or "")
        attempt.core.storage.put_bytes(pcm, key=key)
        return {
            "storage_key": key,
            "sample_rate": request.sample_rate,
            "duration_ms": check.duration_ms,
            "rms_dbfs": check.rms_dbfs,
            "marks": plan.marks_json(marks),
        }
    message = "a segment has no tries"
    raise AssertionError(message)


def _attributes(row: SegmentRecord) -> dict[str, AttributeValue]:
    """What the spans of a segment and of its engine calls say of it."""
    language = {names.LANGUAGE: row.language} if row.language else {}
    return {names.SEGMENT_INDEX: row.idx, **language}


def _call(
    attempt: Attempt, engine: Engine, request: SegmentRequest, row: SegmentRecord
) -> tuple[bytes, list[Mark]]:
    """One call of the engine, under its own span, and counted by its time."""
    attributes = _attributes(row) | names.engine_call_attributes(
        provider=engine.name, model=engine.version, voice=request.voice or "auto"
    )
    pcm = bytearray()
    marks: list[Mark] = []
    with (
        attempt.tracing.span(
            names.engine_span(engine.name), kind=names.SpanKind.CLIENT, attributes=attributes
        ),
        attempt.tally.engine_call(engine.name),
        engine.open(request, attempt) as chunks,
    ):
        for chunk in chunks:
            attempt.check()
            pcm += chunk.pcm
            marks += chunk.marks
    return bytes(pcm), marks
