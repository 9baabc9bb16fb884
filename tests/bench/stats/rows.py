"""Drawn tasks as rows of `text`, `task` and `submission`, column by column.

What reads nothing of the lists and reports is left out: events, segments, audio. A text's
content is a sentence; its length in characters is the task's, as if it were the whole.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

import numpy as np

from tests.bench.stats import draw, shape
from tests.bench.stats.draw import Tasks, Truths

#: A column: one value for each row.
Column = Iterable[Any]
_SENTENCES: Final = shape.sentences()
_DAY_US: Final = 86_400_000_000
#: Extra submissions among a hundred tasks, answered by a task that is there.
FOLLOWED, SKIPPED = 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one table, column by column."""

    table: str
    columns: dict[str, Column]

    def tuples(self) -> Iterable[tuple[Any, ...]]:
        """The rows; read them once."""
        return zip(*self.columns.values(), strict=False)


def texts(tasks: Tasks) -> Rows:
    """The text of each task; it has audio where the task completed, else no task answers yet."""
    ids = _ids(tasks)
    audio = _where(tasks.status == draw.COMPLETED, ids)
    contents = [_SENTENCES[n % len(_SENTENCES)] for n in tasks.noise.tolist()]
    numbered = list(zip(contents, ids, strict=True))
    return Rows(
        table="text",
        columns={
            "id": ids,
            "title": [f"{content.split(' ', 3)[2]} {n}" for content, n in numbered],
            "content": [f"{content} {n}." for content, n in numbered],
            "char_count": tasks.chars.tolist(),
            "content_hash": _hex(len(ids), 32),
            "source": _named(tasks.source, shape.SOURCES),
            "created_at": tasks.submitted.tolist(),
            "task_id": audio,
            "audio_id": audio,
            "state": ["pending" if one is None else "completed" for one in audio],
        },
    )


def tasks(tasks: Tasks) -> Rows:
    """The tasks."""
    columns: dict[str, Column] = {
        **_asked(tasks),
        **_moments(tasks),
        **_running(tasks),
        **_ended(tasks),
    }
    return Rows(table="task", columns=columns)


def _asked(tasks: Tasks) -> dict[str, Column]:
    ids = _ids(tasks)
    return {
        "id": ids,
        "text_id": ids,
        "content_key": _hex(len(ids), 32),
        "trace_id": _hex(len(ids), 16),
        "span_id": _hex(len(ids), 8),
        "status": _named(tasks.status, draw.STATUSES),
        # those that wait come after all that the benchmark of writes makes
        "priority": np.where(tasks.status == draw.PENDING, 1, 0).tolist(),
        "engine": _named(tasks.engine, shape.ENGINES),
        "engine_version": _named(tasks.engine, shape.ENGINE_VERSIONS),
        "voice": _named(tasks.voice, shape.VOICES),
        "language": _named(tasks.voice, shape.VOICE_LANGUAGES),
        "format": repeat("mp3"),
        "source": _named(tasks.source, shape.SOURCES),
        "char_count": tasks.chars.tolist(),
        "timeout_us": repeat(draw.TIMEOUT_US),
        "max_attempts": repeat(3),
    }


def _moments(tasks: Tasks) -> dict[str, Column]:
    is_open = tasks.status >= draw.PENDING
    has_begun = tasks.attempt > 0
    submitted = tasks.submitted.tolist()
    deadline = tasks.claimed + draw.TIMEOUT_US
    return {
        "give_up_at": (tasks.submitted + _DAY_US).tolist(),
        "submitted_at": submitted,
        "queued_at": submitted,
        "not_before": submitted,
        "started_at": _where(has_begun, tasks.claimed.tolist()),
        "claimed_at": _where(has_begun, tasks.claimed.tolist()),
        "deadline_at": _where(has_begun, deadline.tolist()),
        "progress_at": _where(has_begun, tasks.finished.tolist()),
        "timed_out_at": _where(tasks.late, deadline.tolist()),
        "finished_at": _where(~is_open, tasks.finished.tolist()),
        "run_us": np.where(is_open, 0, tasks.run).tolist(),
        "trace_seen_at": _where(~is_open, (tasks.finished + 4_000_000).tolist()),
    }


def _running(tasks: Tasks) -> dict[str, Column]:
    has_begun = tasks.attempt > 0
    start = tasks.worker * len(shape.RELEASES) + tasks.release
    segments = (tasks.chars // 200 + 1).tolist()
    return {
        "attempt": tasks.attempt.tolist(),
        "tries_used": tasks.tries.tolist(),
        "lost_count": tasks.lost.tolist(),
        "worker_id": _where(has_begun, [f"{n:016x}" for n in start.tolist()]),
        "worker_name": _where(has_begun, _named(tasks.worker, shape.WORKERS)),
        "host": _where(has_begun, _named(tasks.worker, shape.HOSTS)),
        "release": _where(has_begun, _named(tasks.release, shape.RELEASES)),
        "wait_reason": ["claimed" if one else "queued" for one in has_begun.tolist()],
        "capacity_count": tasks.capacity_count.tolist(),
        "capacity_us": tasks.capacity.tolist(),
        "segment_count": _where(has_begun, segments),
        "segments_done": _where(has_begun, segments, 0),
    }


def _ended(tasks: Tasks) -> dict[str, Column]:
    completed = tasks.status == draw.COMPLETED
    causes: list[shape.Cause | None] = [
        shape.CAUSES[cause] if status == draw.FAILED else None
        for cause, status in zip(tasks.cause.tolist(), tasks.status.tolist(), strict=True)
    ]
    late = (tasks.status == draw.TIMEOUT).tolist()
    audio_ms = _audio_ms(tasks)
    return {
        "phase": _where(completed, repeat("store", len(late))),
        "phase_permille": np.where(completed, 1000, 0).tolist(),
        "error_type": _told(causes, late, "error_type", "deadline_exceeded"),
        "error_kind": _told(causes, late, "kind", "permanent"),
        "error_message": [
            one.message.format(n=noise % 997) if one else None
            for one, noise in zip(causes, tasks.noise.tolist(), strict=True)
        ],
        "fingerprint": _told(causes, late, "fingerprint", "v1:0000000000000000"),
        "audio_id": _where(completed, _ids(tasks)),
        "audio_duration_ms": _where(completed, audio_ms),
        "audio_bytes": _where(completed, [ms * 8 for ms in audio_ms]),
    }


def submissions(tasks: Tasks) -> Rows:
    """One for each task, and a few more that it answers."""
    extra = {0: "followed"} | dict.fromkeys(range(FOLLOWED, FOLLOWED + SKIPPED), "skipped")
    completed = (tasks.status == draw.COMPLETED).tolist()
    found = [
        (task_id, word, source, at, engine, chars, audio_ms if word == "skipped" else 0)
        for task_id, source, at, engine, chars, audio_ms, noise, is_done in zip(
            _ids(tasks),
            _named(tasks.source, shape.SOURCES),
            tasks.submitted.tolist(),
            _named(tasks.engine, shape.ENGINES),
            tasks.chars.tolist(),
            _audio_ms(tasks),
            (tasks.noise % 100).tolist(),
            completed,
            strict=True,
        )
        for word in (("new", extra[noise]) if is_done and noise in extra else ("new",))
    ]
    task_ids, words, sources, moments, engines, char_counts, sounds = zip(*found, strict=True)
    return Rows(
        table="submission",
        columns={
            "text_id": task_ids,
            "task_id": task_ids,
            "disposition": words,
            "source": sources,
            "created_at": moments,
            "engine": engines,
            "char_count": char_counts,
            "audio_ms": sounds,
        },
    )


def _audio_ms(tasks: Tasks) -> list[int]:
    """Milliseconds of the sound of each task, were it completed."""
    found: list[int] = (tasks.chars * 65 + tasks.noise % 65).tolist()
    return found


def _ids(tasks: Tasks) -> list[int]:
    return list(range(tasks.first, tasks.first + len(tasks.status)))


def _named(indexes: Any, names: tuple[str, ...]) -> list[str]:
    return [names[index] for index in indexes.tolist()]


def _where(mask: Truths, values: Iterable[Any], other: Any = None) -> list[Any]:
    pairs = zip(mask.tolist(), values, strict=True)
    return [value if is_there else other for is_there, value in pairs]


def _told(
    causes: list[shape.Cause | None], late: list[bool], name: str, of_late: str
) -> list[str | None]:
    return [
        getattr(one, name) if one else of_late if is_late else None
        for one, is_late in zip(causes, late, strict=True)
    ]


def _hex(count: int, size: int) -> list[str]:
    """Random keys of `size` bytes each, in hexadecimal digits."""
    digits = secrets.token_bytes(count * size).hex()
    return [digits[at : at + 2 * size] for at in range(0, len(digits), 2 * size)]
