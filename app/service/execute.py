"""Execute: an attempt from its claim to its verdict, in the process that runs it."""

import json
import random
import re

from app.domain.causes.frames import own_frames
from app.domain.errors import (
    DeadlineExceededError,
    EngineError,
    EngineRejectedError,
    ErrorKind,
    LeaseLostError,
    VoxtraceError,
)
from app.domain.records import AttemptRecord, TaskRecord
from app.domain.task import Backoff, Decision, Move, Tries, decide_error
from app.logs.logger import logger_of
from app.service import produce, segments, spans, speak
from app.service.attempt import Attempt
from app.service.finish import Verdict, settle
from app.service.produce import Produced
from app.store import audios, texts
from app.store import segments as segment_store
from app.store.database import Connection
from telemetry import names

log = logger_of(__name__)

#: What a deadline is told apart by that the attempt saw itself, wherever it was just then.
_LATE = "the limit passed"


def execute(attempt: Attempt) -> str:
    """Runs an attempt to its end and commits the verdict; returns the task's status after it.

    Nothing leaves but SystemExit and KeyboardInterrupt: an error becomes the attempt's verdict.
    Where someone else owns the task, nothing is written ("lost").
    """
    try:
        produced = _work(attempt)
        return complete(attempt, produced).status
    except LeaseLostError:
        return _lost(attempt)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - the border of the attempt: see the docstring
        try:
            return fail(attempt, error).status
        except (LeaseLostError, DeadlineExceededError):
            return _lost(attempt)


def _lost(attempt: Attempt) -> str:
    attempt.tracing.discard()
    log.warning("someone else owns the task now: what this attempt did is not written")
    return "lost"


def _work(attempt: Attempt) -> Produced:
    core, claim = attempt.core, attempt.claim
    engine = core.engines.get(claim.engine)
    if engine is None:
        message = (
            f"engine {claim.engine!r} is not installed here; there is {', '.join(core.engines)}"
        )
        raise EngineRejectedError(message, error_type="engine_missing")
    with core.database.read() as conn:
        content = texts.content(conn, claim.text_id)
    if content is None:
        message = f"text {claim.text_id} is gone"
        raise EngineRejectedError(message, error_type="text_missing")
    rows = segments.prepare(attempt, engine, content)
    speak.speak_all(attempt, engine, content, rows)
    return produce.produce(attempt, engine, content)


def complete(attempt: Attempt, produced: Produced) -> TaskRecord:
    """Commits a result: audio, captions, every text that waits for it, task, attempt, spans."""
    claim = attempt.claim

    def work(conn: Connection, now: int) -> TaskRecord:
        audio_id = audios.insert_audio(conn, _audio_values(attempt, produced, now))
        audios.put_captions(conn, audio_id, produced.captions)
        segment_store.place(conn, claim.task_id, produced.offsets_ms)
        verdict = Verdict(
            decision=Decision(move=Move.COMPLETE),
            audio={
                "audio_id": audio_id,
                "audio_duration_ms": produced.check.duration_ms,
                "audio_bytes": produced.check.bytes,
                "phase": "store",
            },
        )
        task = _settle(attempt, conn, verdict, now)
        texts.give_audio(conn, claim.task_id, audio_id)
        return task

    return attempt.write(work, is_last=True)


def _audio_values(attempt: Attempt, produced: Produced, now: int) -> dict[str, object]:
    claim = attempt.claim
    extension = produced.stored.key.rpartition(".")[2]
    return {
        "text_id": claim.text_id,
        "task_id": claim.task_id,
        "storage_key": produced.stored.key,
        "sha256": produced.stored.sha256,
        "filename": f"{_file_stem(produced.title)}.{extension}",
        "format": claim.format,
        "size_bytes": produced.stored.bytes,
        "duration_ms": produced.check.duration_ms,
        "sample_rate": produced.check.sample_rate,
        "is_valid": True,
        "checks": json.dumps(
            produced.check.as_dict()
            | {
                "loudness_lufs": produced.made.loudness_lufs,
                "gain_db": produced.made.gain_db,
            }
        ),
        "peaks": json.dumps(produced.made.peaks, separators=(",", ":")),
        "source": "made",
        "created_at": now,
    }


def _file_stem(title: str) -> str:
    """A title as a file's name: what file systems refuse is replaced, 80 characters at most."""
    return re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]+', "_", title).strip(" .")[:80] or "audio"


def fail(attempt: Attempt, error: BaseException) -> TaskRecord:
    """Commits what an error makes of the attempt: another try later, a wait, or the end."""
    claim = attempt.claim
    attempt.tracing.record_exception(error)
    tries = Tries(
        tries_used=claim.tries_used,
        max_attempts=claim.max_attempts,
        lost_count=claim.lost_count,
        waits=max(0, claim.attempt - 1 - claim.tries_used - claim.lost_count),
    )
    backoff = Backoff(base_s=attempt.core.settings.backoff_s)
    verdict = verdict_of(error, tries, backoff)
    if verdict.error_type == "internal":
        log.error("an unexpected error ended the attempt", exc_info=error)
    return attempt.write(lambda conn, now: _settle(attempt, conn, verdict, now), is_last=True)


def verdict_of(error: BaseException, tries: Tries, backoff: Backoff) -> Verdict:
    """The verdict on an attempt that met `error`."""
    if isinstance(error, DeadlineExceededError):
        return Verdict(
            decision=Decision(move=Move.TIME_OUT),
            error_type=error.error_type,
            error_kind=ErrorKind.PERMANENT,
            error_message=error.message,
            words=_LATE,
        )
    kind, error_type, message = _explain(error)
    retry_after_s = error.retry_after_s if isinstance(error, EngineError) else None
    decision = decide_error(
        kind,
        tries,
        retry_after_s=retry_after_s,
        jitter=random.random(),  # noqa: S311 - not a secret
        backoff=backoff,
    )
    return Verdict(
        decision=decision,
        error_type=error_type,
        error_kind=str(kind),
        error_message=message,
        error_code=error.code if isinstance(error, EngineError) else None,
        exit_signal=error.exit_signal if isinstance(error, EngineError) else None,
        frames=own_frames(error),
    )


def _explain(error: BaseException) -> tuple[ErrorKind, str, str]:
    """(kind, error_type, message). A foreign exception's message may quote the text: not told."""
    if isinstance(error, VoxtraceError):
        return error.kind, error.error_type, error.message
    if isinstance(error, MemoryError):
        return ErrorKind.RETRYABLE, "out_of_memory", "the attempt ran out of memory"
    return ErrorKind.RETRYABLE, "internal", f"unexpected {type(error).__name__}"


def _exit_of(verdict: Verdict) -> dict[str, int]:
    """The signal that ended the engine's program, where one did."""
    return {} if verdict.exit_signal is None else {names.EXIT_SIGNAL: verdict.exit_signal}


def _settle(attempt: Attempt, conn: Connection, verdict: Verdict, now: int) -> TaskRecord:
    """Settles with the live span, which ends at the very moment of the rows."""

    def live(row: AttemptRecord) -> tuple[bytes, int]:
        failed = verdict.error_type is not None
        told = {names.ATTEMPT_OUTCOME: verdict.told_outcome}
        attempt.tracing.end(
            now,
            attributes={**told, **_exit_of(verdict), **spans.cause(row)},
            error_type=verdict.error_type if failed else None,
            error=verdict.error_message or "" if failed else "",
        )
        drained = attempt.tracing.drain(now_us=now)
        attempt.drained = drained
        return (drained.payload, drained.n_spans) if drained else (b"", 0)

    claim = attempt.claim
    task = settle(attempt.core, conn, claim.task_id, claim.attempt, verdict, now=now, live=live)
    attempt.require(task is not None)
    assert task is not None  # noqa: S101 - `require` has raised
    return task
