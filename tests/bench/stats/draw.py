"""Draws tasks by the thousand: what each is and how it went, as columns of numbers.

The same count and end give the same tasks. All times are microseconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.bench.stats import shape
from tests.bench.stats.shape import HOUR_US, HOURS, Ints

Truths = NDArray[np.bool_]

#: Tasks of one batch, at least: whole hours are taken until there are as many.
BATCH: Final = 4000
TIMEOUT_US: Final = 2_400_000_000
COMPLETED, FAILED, TIMEOUT, CANCELLED, PENDING, PROCESSING = range(6)
STATUSES: Final = (*shape.ENDS, "pending", "processing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """Some tasks in the order of their ids; indexes point into the tuples of `shape`.

    Attributes:
        first: The id of the first.
        status: Index into `STATUSES`.
        cause: Index into `shape.CAUSES`; only of failed ones.
        wait, capacity: What they waited: in all, and for capacity.
        claimed: When the last attempt began; of those without an attempt it means nothing.
        tries: Retryable errors.
        attempt: Attempts in all.
        late: Whether a deadline passed.
        noise: Random numbers from 0 to 2**31, for what needs no shape.
    """

    first: int
    status: Ints
    submitted: Ints
    source: Ints
    voice: Ints
    worker: Ints
    release: Ints
    cause: Ints
    chars: Ints
    run: Ints
    capacity: Ints
    capacity_count: Ints
    tries: Ints
    lost: Ints
    attempt: Ints
    late: Truths
    claimed: Ints
    finished: Ints
    noise: Ints

    @property
    def engine(self) -> Ints:
        """Index of the engine: each voice is one engine's."""
        return self.voice % len(shape.ENGINES)


def batches(count: int, end: int) -> Iterator[Tasks]:
    """Every task of a database of `count`, oldest first; the last of them have not ended."""
    hours = shape.hour_counts(count, end)
    first, begun = 1, 0
    while begun < HOURS:
        stop = begun + 1
        while stop < HOURS and hours[begun:stop].sum() < BATCH:
            stop += 1
        size = int(hours[begun:stop].sum())
        if size:
            rng = np.random.default_rng([6, count, first])
            submitted = _moments(rng, hours, range(begun, stop), end)
            yield _drawn(rng, first, submitted, end, is_last=first + size > count)
        first, begun = first + size, stop


def _moments(rng: np.random.Generator, hours: Ints, which: range, end: int) -> Ints:
    starts = end - (HOURS - np.repeat(which, hours[which.start : which.stop])) * HOUR_US
    return np.sort(starts + rng.integers(0, HOUR_US - 1_000_000, len(starts)))


def _drawn(
    rng: np.random.Generator, first: int, submitted: Ints, end: int, *, is_last: bool
) -> Tasks:
    size = len(submitted)
    voice = rng.choice(len(shape.VOICES), size, p=shape.voice_shares())
    status = rng.choice(4, size, p=shape.END_SHARES)
    if is_last:
        _leave_open(status)
    cause = voice % 4 * 10 + rng.choice(10, size, p=shape.cause_shares())
    again = np.array([one.is_tried_again for one in shape.CAUSES])[cause] & (status == FAILED)
    tries = np.where(again, 3, (rng.random(size) < 0.03) * rng.integers(1, 3, size))
    lost = (rng.random(size) < 0.003).astype(np.int64)
    full = np.isin(voice % 4, shape.CLOUDS) & (rng.random(size) < 0.02)
    capacity_count = full * rng.integers(1, 4, size)
    capacity = _lognormal(rng, 45e6, 0.8, size) * capacity_count
    length = rng.standard_normal(size)
    run = (3.4e6 * np.exp(1.1 * (0.8 * length + 0.6 * rng.standard_normal(size)))).astype(np.int64)
    late = (status == TIMEOUT) | (rng.random(size) < 0.002) & (status == COMPLETED)
    run = np.where(late, TIMEOUT_US + run % 60_000_000, run)
    unbegun = (status == PENDING) | (status == CANCELLED) & (rng.random(size) < 0.5)
    wait = _lognormal(rng, 350_000, 1.2, size) + capacity + (tries + lost) * 9_000_000
    wait = np.where(unbegun & (status == CANCELLED), wait * 20, wait)
    run = np.where(unbegun, 0, run)
    finished = np.minimum(submitted + wait + run, end - 1)
    worker = rng.integers(0, len(shape.WORKERS), size)
    is_planted = _planted(rng, status, voice, worker, end - finished)
    status = np.where(is_planted, FAILED, status)
    cause = np.where(is_planted, shape.PLANTED_CAUSE, cause)
    begun = np.maximum(1, tries + lost + capacity_count + ~again)
    return Tasks(
        first=first,
        status=status,
        submitted=submitted,
        source=rng.choice(len(shape.SOURCES), size, p=shape.SOURCE_SHARES),
        voice=voice,
        worker=worker,
        release=releases(submitted, worker, end),
        cause=cause,
        chars=np.clip(900 * np.exp(0.9 * length), 1, 200_000).astype(np.int64),
        run=np.minimum(run, finished - submitted),
        capacity=np.where(unbegun, 0, np.minimum(capacity, finished - submitted)),
        capacity_count=np.where(unbegun, 0, capacity_count),
        tries=np.where(unbegun, 0, tries),
        lost=np.where(unbegun, 0, lost),
        attempt=np.where(unbegun, 0, begun),
        late=late & (finished - submitted > TIMEOUT_US),
        claimed=finished - np.minimum(run, finished - submitted),
        finished=finished,
        noise=rng.integers(0, 2**31, size),
    )


def _planted(
    rng: np.random.Generator, status: Ints, voice: Ints, worker: Ints, age: Ints
) -> Truths:
    """What fails of late for one reason: tasks of one engine on one worker that completed."""
    at_fault = (voice % 4 == shape.PLANTED_ENGINE) & (worker == shape.PLANTED_WORKER)
    chosen: Truths = at_fault & (age <= shape.PLANTED_US) & (status == COMPLETED)
    return chosen & (rng.random(len(status)) < shape.PLANTED_SHARE)


def _leave_open(status: Ints) -> None:
    """The newest tasks wait or run; at most a tenth of the batch."""
    processing = min(shape.PROCESSING, len(status) // 50)
    pending = min(shape.PENDING, len(status) // 20)
    status[len(status) - pending - processing :] = PROCESSING
    status[len(status) - pending :] = PENDING


def _lognormal(rng: np.random.Generator, median: float, sigma: float, size: int) -> Ints:
    drawn: Ints = (median * np.exp(sigma * rng.standard_normal(size))).astype(np.int64)
    return drawn


def releases(at: Ints, worker: Ints, end: int) -> Ints:
    """A release a week; each is taken by one worker after the other in its first eight hours."""
    span = HOURS * HOUR_US / len(shape.RELEASES)
    since = at - (end - HOURS * HOUR_US) - worker * HOUR_US
    found: Ints = np.clip(since // span, 0, len(shape.RELEASES) - 1).astype(np.int64)
    return found
