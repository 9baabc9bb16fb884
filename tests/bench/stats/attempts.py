"""Attempts of drawn tasks, as rows of `task_attempt`: those that led nowhere, then the last one.

An attempt that failed tells why as its task does; a later one of the same task with the same cause
is a repeat. Before the last attempt workers change; each has the release that it has at that time.
"""

from typing import Final

import numpy as np

from tests.bench.stats import draw, shape
from tests.bench.stats.draw import Tasks, Truths
from tests.bench.stats.rows import Column, Rows
from tests.bench.stats.shape import Ints

COMPLETED, FAILED, TIMEOUT, CANCELLED, RUNNING, CAPACITY, LOST, RETRY = range(8)
OUTCOMES: Final = ("completed", "failed", "timeout", "cancelled", None, "capacity", "lost", "retry")
_LAST: Final = np.array([COMPLETED, FAILED, TIMEOUT, CANCELLED, RUNNING, RUNNING])
#: Of lost and late attempts: their fingerprint stands behind those of the causes.
_TOLD: Final = (
    *((one.error_type, one.kind, one.code, one.fingerprint) for one in shape.CAUSES),
    ("worker_lost", "retryable", None, "v2:00000000000000aa"),
    ("deadline_exceeded", "permanent", None, "v2:00000000000000bb"),
)
_LOST_CAUSE: Final = len(shape.CAUSES)
_LATE_CAUSE: Final = _LOST_CAUSE + 1


def attempts(tasks: Tasks, end: int) -> Rows:
    """Every attempt of some tasks; `end` is that of the whole."""
    of = np.repeat(np.arange(len(tasks.status)), tasks.attempt)
    firsts = np.cumsum(tasks.attempt) - tasks.attempt
    number = np.arange(len(of)) - firsts[of]
    outcome = _outcomes(tasks, of, number)
    is_last = number == tasks.attempt[of] - 1
    step = np.maximum(1, (tasks.claimed - tasks.submitted)[of] // tasks.attempt[of])
    begun = np.where(is_last, tasks.claimed[of], tasks.submitted[of] + number * step)
    ended = np.where(is_last, tasks.finished[of], begun + step // 2)
    away = np.where(is_last, 0, 1 + (tasks.noise[of] + number * 3) % 7)
    worker = (tasks.worker[of] + away) % len(shape.WORKERS)
    release = np.where(is_last, tasks.release[of], draw.releases(begun, worker, end))
    cause = _causes(tasks, of, outcome)
    columns: dict[str, Column] = {
        "task_id": (tasks.first + of).tolist(),
        "attempt": (number + 1).tolist(),
        "span_id": [f"{n:016x}" for n in (tasks.noise[of] + number).tolist()],
        **_who(worker, release),
        **_what(tasks, of),
        "queued_at": tasks.submitted[of].tolist(),
        "claimed_at": begun.tolist(),
        "deadline_at": (begun + draw.TIMEOUT_US).tolist(),
        "begun_at": begun.tolist(),
        "finished_at": _none_where(outcome == RUNNING, ended.tolist()),
        "outcome": [OUTCOMES[one] for one in outcome.tolist()],
        **_failures(cause),
        "is_repeat": _repeats(of, number, cause),
    }
    return Rows(table="task_attempt", columns=columns)


def _outcomes(tasks: Tasks, of: Ints, number: Ints) -> Ints:
    """Those that waited for capacity come first, then those that were lost, then failed tries."""
    waited = tasks.capacity_count[of]
    earlier = np.where(number < waited, CAPACITY, RETRY)
    earlier = np.where((number >= waited) & (number < waited + tasks.lost[of]), LOST, earlier)
    found: Ints = np.where(
        number == tasks.attempt[of] - 1, _LAST[tasks.status[of]], earlier
    ).astype(np.int64)
    return found


def _causes(tasks: Tasks, of: Ints, outcome: Ints) -> Ints:
    """Index into `_TOLD`; -1 of attempts that did not fail."""
    cause = np.where(np.isin(outcome, (FAILED, RETRY)), tasks.cause[of], -1)
    cause = np.where(outcome == LOST, _LOST_CAUSE, cause)
    found: Ints = np.where(outcome == TIMEOUT, _LATE_CAUSE, cause).astype(np.int64)
    return found


def _who(worker: Ints, release: Ints) -> dict[str, Column]:
    start = worker * len(shape.RELEASES) + release
    return {
        "worker_id": [f"{n:016x}" for n in start.tolist()],
        "worker_name": [shape.WORKERS[n] for n in worker.tolist()],
        "host": [shape.HOSTS[n] for n in worker.tolist()],
        "release": [shape.RELEASES[n] for n in release.tolist()],
    }


def _what(tasks: Tasks, of: Ints) -> dict[str, Column]:
    return {
        "engine": [shape.ENGINES[n] for n in tasks.engine[of].tolist()],
        "voice": [shape.VOICES[n] for n in tasks.voice[of].tolist()],
        "language": [shape.VOICE_LANGUAGES[n] for n in tasks.voice[of].tolist()],
        "source": [shape.SOURCES[n] for n in tasks.source[of].tolist()],
        "char_count": tasks.chars[of].tolist(),
        "wait_reason": ["queued"] * len(of),
    }


def _failures(cause: Ints) -> dict[str, Column]:
    told = [_TOLD[one] if one >= 0 else (None,) * 4 for one in cause.tolist()]
    names = ("error_type", "error_kind", "error_code", "fingerprint")
    columns: dict[str, Column] = dict(zip(names, zip(*told, strict=True), strict=True))
    return columns | {"template": ["" if one >= 0 else None for one in cause.tolist()]}


def _repeats(of: Ints, number: Ints, cause: Ints) -> list[bool]:
    """Whether the same task had failed so before: causes of a task's tries are one."""
    key = of * (len(_TOLD) + 1) + cause
    _, first = np.unique(key, return_index=True)
    is_first = np.zeros(len(of), dtype=np.bool_)
    is_first[first] = True
    found: list[bool] = (~is_first & (cause >= 0) & (number > 0)).tolist()
    return found


def _none_where(mask: Truths, values: list[int]) -> list[int | None]:
    return [None if is_open else one for is_open, one in zip(mask.tolist(), values, strict=True)]
