"""Segments of an attempt: the text split once, kept over retries, taken over where made before."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from app.domain.records import SegmentRecord
from app.logs.logger import logger_of
from app.service.attempt import Attempt
from app.service.sweep import segment_key
from app.speech import language, splitter
from app.speech.engine import Engine
from app.store import segments, tasks
from app.store.database import Connection
from telemetry import names

log = logger_of(__name__)

#: Rows that one transaction inserts (no write transaction longer than 200 ms).
BATCH = 1000


def prepare(attempt: Attempt, engine: Engine, content: str) -> list[SegmentRecord]:
    """The task's segments, first to last, split and stored where that was not done before.

    Segments whose sound is gone are taken back; those that another task made are taken over.
    """
    with attempt.core.database.read() as conn:
        known = segments.outline(conn, attempt.claim.task_id)
    if not known or known[-1].stop != len(content):
        with attempt.tracing.span(names.SPAN_SPLIT) as span:
            rows = list(_split(attempt, engine, content))
            span.set({names.TEXT_SEGMENTS: len(rows)})
        log.info("the text is split", characters=len(content), segments=len(rows))
        _insert(attempt, rows, have=len(known))
    else:
        done = sum(row.status == "done" for row in known)
        log.info("goes on from an earlier attempt", segments=len(known), segments_done=done)
    _take_back_missing(attempt, known)
    with attempt.core.database.read() as conn:
        return segments.outline(conn, attempt.claim.task_id)


def _split(attempt: Attempt, engine: Engine, content: str) -> Iterator[dict[str, Any]]:
    limit = min(engine.capabilities().max_units, splitter.MAX_UNITS)
    for idx, piece in enumerate(splitter.split(content, max_units=limit)):
        text = content[piece.start : piece.end]
        spoken = attempt.claim.language or language.language_of(text)
        yield {
            "task_id": attempt.claim.task_id,
            "idx": idx,
            "start": piece.start,
            "stop": piece.end,
            "units": piece.units,
            "boundary": piece.boundary,
            "language": spoken if piece.is_speakable else None,
            "input_hash": _input_hash(attempt, engine, text, spoken)
            if piece.is_speakable
            else None,
            "status": "waiting" if piece.is_speakable else "pause",
        }


def _input_hash(attempt: Attempt, engine: Engine, text: str, spoken: str) -> str:
    """The hash of everything that a segment's sound is made from."""
    claim = attempt.claim
    rate = engine.capabilities().sample_rates[0]
    parts = (engine.name, engine.version, claim.voice, spoken, claim.params, str(rate), text)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _insert(attempt: Attempt, rows: Sequence[dict[str, Any]], *, have: int) -> None:
    """Inserts in batches; rows that an earlier attempt inserted are skipped."""
    main = Counter(row["language"] for row in rows if row["language"])
    dominant = main.most_common(1)[0][0] if main else None
    for begin in range(have, max(len(rows), have + 1), BATCH):
        batch = rows[begin : begin + BATCH]

        def work(conn: Connection, now: int, batch: Sequence[Any] = batch) -> None:
            is_mine = tasks.progress(
                conn,
                attempt.claim.task_id,
                attempt.claim.attempt,
                now=now,
                phase="split",
                permille=1000 * (batch[-1]["idx"] + 1) // len(rows) if batch else 1000,
                segment_count=len(rows),
                language=dominant,
            )
            attempt.require(is_mine)
            if batch:
                segments.insert_waiting(conn, batch)

        attempt.write(work)


def _take_back_missing(attempt: Attempt, known: Sequence[SegmentRecord]) -> None:
    storage = attempt.core.storage
    missing = [
        row.idx
        for row in known
        if row.status == "done" and not (row.storage_key and storage.touch(row.storage_key))
    ]
    if missing:
        log.warning("the sound of segments is gone: it is made again", segments=len(missing))
        attempt.write(lambda conn, _now: segments.reset(conn, attempt.claim.task_id, missing))


def take_over(attempt: Attempt, row: SegmentRecord) -> dict[str, Any] | None:
    """The columns of a segment with the same input that another task made; None where none is."""
    if row.input_hash is None:
        return None
    with attempt.core.database.read() as conn:
        made = segments.made_before(conn, row.input_hash)
    key = segment_key(row.input_hash)
    if made is None or made.storage_key != key or not attempt.core.storage.touch(key):
        return None
    return {
        "storage_key": key,
        "sample_rate": made.sample_rate,
        "duration_ms": made.duration_ms,
        "rms_dbfs": made.rms_dbfs,
        "marks": made.marks,
        "reused": True,
    }


def marks_json(marks: Sequence[Any]) -> str:
    """Marks as the column holds them: [kind, start, end, at_ms] each, kind as its first letter."""
    return json.dumps(
        [[mark.kind[0], mark.start, mark.end, mark.at_ms] for mark in marks], separators=(",", ":")
    )
