"""Produce: the segments become one file, checked by decoding it, with its peaks and captions."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from app.domain.audio import AudioCheck, audio_format
from app.domain.errors import AudioInvalidError, StorageError
from app.domain.records import SegmentRecord
from app.logs.logger import logger_of
from app.service.attempt import Attempt
from app.service.sweep import AUDIO_PREFIX
from app.service.task_logs.attempt_log import Milestones
from app.speech import assembly, captions, validation
from app.speech.engine import Engine, Mark
from app.speech.joining import Part
from app.speech.sentences import Boundary
from app.storage.storage import StoredObject
from app.store import segments, tasks, texts
from telemetry import names

log = logger_of(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """A finished file in storage, and what is known of it."""

    stored: StoredObject
    made: assembly.Assembled
    check: AudioCheck
    title: str
    captions: dict[str, str]
    offsets_ms: dict[int, int]


def produce(attempt: Attempt, engine: Engine, content: str) -> Produced:
    """Joins what the segments hold, encodes once, checks, and stores.

    Raises:
        AudioInvalidError: The file does not decode to what was put in.
        StorageError: It could not be stored, or a segment's sound is gone (the retry makes it).
    """
    claim = attempt.claim
    with attempt.core.database.read() as conn:
        rows = segments.of_task(conn, claim.task_id)
        title = texts.title(conn, claim.text_id)
    fmt = audio_format(claim.format)
    temp = attempt.core.storage.make_temp(fmt.extension)
    try:
        with attempt.tracing.span(
            names.SPAN_ENCODE, attributes={names.AUDIO_FORMAT: fmt.name}
        ) as span:
            made = assembly.assemble(
                [_part(attempt, row) for row in rows],
                sample_rate=engine.capabilities().sample_rates[0],
                out=temp,
                fmt=fmt.name,
                title=title,
                on_progress=_progress(attempt),
            )
            check = validation.check_file(temp, fmt.name, expected_duration_ms=made.duration_ms)
            span.set({names.AUDIO_DURATION_MS: made.duration_ms, names.AUDIO_BYTES: check.bytes})
        if not check.is_valid:
            message = f"the finished {fmt.name} is not what was put in: {check.problem}"
            raise AudioInvalidError(message, error_type=check.problem)
        log.info(
            "encoded", format=fmt.name, audio_s=check.duration_ms / 1000, audio_bytes=check.bytes
        )
        _note(attempt, "store", 0)
        stored_bytes = {names.AUDIO_BYTES: check.bytes}
        with attempt.tracing.span(names.SPAN_STORE, attributes=stored_bytes):
            stored = attempt.core.storage.put_file(temp, prefix=AUDIO_PREFIX, suffix=fmt.extension)
        log.info("stored", key=stored.key)
    finally:
        temp.unlink(missing_ok=True)
    offsets = dict(zip((row.idx for row in rows), made.offsets_ms, strict=True))
    return Produced(
        stored=stored,
        made=made,
        check=check,
        title=title,
        captions=_captions(content, rows, offsets),
        offsets_ms=offsets,
    )


def _part(attempt: Attempt, row: SegmentRecord) -> Part:
    if row.storage_key is None:
        return Part(open=None, duration_ms=0, boundary=_boundary(row))
    if not attempt.core.storage.exists(row.storage_key):
        message = f"the sound of segment {row.idx} is gone; it will be made again"
        raise StorageError(message, error_type="segment_missing")
    return Part(
        open=partial(attempt.core.storage.open, row.storage_key),
        duration_ms=row.duration_ms or 0,
        boundary=_boundary(row),
    )


def _boundary(row: SegmentRecord) -> Boundary:
    """The column's CHECKed value as its type."""
    match row.boundary:
        case "clause" | "sentence" | "paragraph" | "chapter":
            return row.boundary
        case other:
            message = f"segment {row.idx} ends with {other!r}, which is no boundary"
            raise StorageError(message, error_type="segment_broken")


def _progress(attempt: Attempt) -> Callable[[float, str], None]:
    milestones = Milestones.begin()

    def on_progress(done_ratio: float, phase: str) -> None:
        """The first pass measures, the second encodes: a tenth and nine tenths of the way."""
        attempt.check()
        share = done_ratio * 0.1 if phase == "measure" else 0.1 + done_ratio * 0.9
        percent = milestones.passed(share)
        if percent is not None:
            log.info("encoding", percent=percent)
        _note(attempt, "encode", round(1000 * share))

    return on_progress


def _note(attempt: Attempt, phase: str, permille: int) -> None:
    attempt.write(
        lambda conn, now: attempt.require(
            tasks.progress(
                conn,
                attempt.claim.task_id,
                attempt.claim.attempt,
                now=now,
                phase=phase,
                permille=min(1000, permille),
            )
        )
    )


def _captions(
    content: str, rows: Sequence[SegmentRecord], offsets_ms: dict[int, int]
) -> dict[str, str]:
    """SRT and WebVTT from the marks of all segments."""
    spoken = [
        captions.CaptionSegment(
            text=content[row.start : row.stop],
            offset_ms=offsets_ms[row.idx],
            duration_ms=row.duration_ms or 0,
            marks=_marks(row.marks),
        )
        for row in rows
        if row.storage_key is not None
    ]
    return {"srt": captions.captions(spoken, "srt"), "vtt": captions.captions(spoken, "vtt")}


def _marks(text: str | None) -> tuple[Mark, ...]:
    kinds = {"w": "word", "s": "sentence"}
    return tuple(
        Mark(
            kind="sentence" if kinds[kind] == "sentence" else "word",
            start=start,
            end=end,
            at_ms=at_ms,
        )
        for kind, start, end, at_ms in json.loads(text or "[]")
    )
