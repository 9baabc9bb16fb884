"""What the log of a task says of a verdict on one of its attempts."""

import logging
from typing import Final

from app.domain.records import AttemptRecord, TaskRecord
from app.domain.task import Move
from app.service.task_logs.task_log import Told

#: Level and words of a verdict, by its move; a lost attempt may also be the task's end.
_WORDS: Final = {
    Move.COMPLETE: (logging.INFO, "completed"),
    Move.FAIL: (logging.ERROR, "failed: it will not run again"),
    Move.TIME_OUT: (logging.ERROR, "timed out: it will not run again"),
    Move.CANCEL: (logging.INFO, "cancelled while it ran"),
    Move.RETRY_LATER: (logging.WARNING, "the attempt failed: the task runs again"),
    Move.WAIT_FOR_CAPACITY: (logging.INFO, "the engine has no capacity: the task waits"),
    Move.HAND_BACK: (logging.INFO, "handed back: the task goes on at its last segment"),
    Move.LOSE_WORKER: (logging.WARNING, "the attempt was lost: the task runs again"),
}


def told_of(task: TaskRecord, row: AttemptRecord, move: Move, *, delay_us: int, by: str) -> Told:
    """The line of a verdict, from the rows as they are after it."""
    level, words = _WORDS[move]
    return Told(
        task=task,
        logger=__name__,
        event=words,
        level=level,
        attempt=row.attempt,
        span_id=row.span_id,
        fields=_why(row) | _after(task, move, delay_us) | {"by": by},
    )


def _why(row: AttemptRecord) -> dict[str, object]:
    ran_us = (row.finished_at or row.claimed_at) - row.claimed_at
    return {
        "ran_s": round(ran_us / 1_000_000, 3),
        "error_type": row.error_type,
        "error": row.error_message or row.rebuilt_reason,
        "error_code": row.error_code,
        "exit_signal": row.exit_signal,
        "exit_code": row.exit_code,
    }


def _after(task: TaskRecord, move: Move, delay_us: int) -> dict[str, object]:
    if move is Move.COMPLETE:
        length_ms = task.audio_duration_ms or 0
        return {
            "audio_s": length_ms / 1000,
            "audio_bytes": task.audio_bytes,
            "rtf": round(task.run_us / 1000 / length_ms, 3) if length_ms else None,
        }
    if move is Move.CANCEL:
        return {}
    counts: dict[str, object] = {
        "tries_used": f"{task.tries_used} of {task.max_attempts}" if task.tries_used else None,
        "lost_count": task.lost_count or None,
    }
    return counts if task.is_final else counts | {"again_in_s": round(delay_us / 1_000_000, 1)}
