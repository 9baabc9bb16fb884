"""A task's states, the moves between them, and the rules that choose a move."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from app.domain.errors import ErrorKind


class Status(StrEnum):
    """Where a task stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing moves the task any more."""
        return self in FINAL


class Move(StrEnum):
    """What happens to a task."""

    CLAIM = "claim"
    COMPLETE = "complete"
    FAIL = "fail"
    TIME_OUT = "time_out"
    CANCEL = "cancel"
    RETRY_LATER = "retry_later"
    WAIT_FOR_CAPACITY = "wait_for_capacity"
    HAND_BACK = "hand_back"
    LOSE_WORKER = "lose_worker"
    EXPIRE = "expire"


#: The state machine: (status, move) -> next status. What is not here cannot happen.
TRANSITIONS: Mapping[tuple[Status, Move], Status] = MappingProxyType(
    {
        (Status.PENDING, Move.CLAIM): Status.PROCESSING,
        (Status.PENDING, Move.CANCEL): Status.CANCELLED,
        (Status.PENDING, Move.EXPIRE): Status.FAILED,
        (Status.PROCESSING, Move.COMPLETE): Status.COMPLETED,
        (Status.PROCESSING, Move.FAIL): Status.FAILED,
        (Status.PROCESSING, Move.TIME_OUT): Status.TIMEOUT,
        (Status.PROCESSING, Move.CANCEL): Status.CANCELLED,
        (Status.PROCESSING, Move.RETRY_LATER): Status.PENDING,
        (Status.PROCESSING, Move.WAIT_FOR_CAPACITY): Status.PENDING,
        (Status.PROCESSING, Move.HAND_BACK): Status.PENDING,
        (Status.PROCESSING, Move.LOSE_WORKER): Status.PENDING,
    }
)

#: How the rows of attempts that failed tell their end.
FAILED_OUTCOMES = ("failed", "timeout", "retry", "lost")

FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.TIMEOUT, Status.CANCELLED})
LIVE = frozenset({Status.PENDING, Status.PROCESSING})
#: States from which a manual retry makes a new task of the same text.
RETRYABLE = frozenset({Status.FAILED, Status.TIMEOUT, Status.CANCELLED})

#: Losses of a worker or child after which a task is taken for poison and fails.
MAX_LOST = 5
#: Microseconds after `deadline_at` at which the worker's parent process kills.
KILL_GRACE_US = 2_000_000
#: Microseconds after `deadline_at` at which the reaper gives the verdict in its place.
REAP_GRACE_US = 4_000_000
#: Seconds after the limit at which Celery's own time limit acts: a backstop.
CELERY_GRACE_S = 10
#: Microseconds without a heartbeat after which a worker is dead.
LEASE_US = 10_000_000
#: Microseconds a `processing` row may be held by no pool slot before it is given back.
UNHELD_US = 3_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits between tries: `base_s` doubling up to `cap_s`, shortened by up to half at random."""

    base_s: float = 1.0
    cap_s: float = 300.0

    def delay_us(self, count: int, jitter: float) -> int:
        """Microseconds to wait before try `count + 1`; `jitter` is a random number in 0..1."""
        full = min(self.cap_s, self.base_s * 2.0 ** max(0, min(count, 30) - 1))
        return round(full * (0.5 + jitter / 2) * 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """What a task has used up, and what it may; `waits` are attempts that cost it nothing."""

    tries_used: int
    max_attempts: int
    lost_count: int
    waits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of an attempt that did not complete.

    Attributes:
        move: The move in `TRANSITIONS`.
        wait_reason: Why the task is pending again; None where it is final.
        delay_us: Microseconds until it may be claimed again.
        counts_try: Whether the task's `tries_used` grows by one.
        counts_loss: Whether its `lost_count` grows by one.
        error_type: Replaces the error's own type; None keeps it.
    """

    move: Move
    wait_reason: str | None = None
    delay_us: int = 0
    counts_try: bool = False
    counts_loss: bool = False
    error_type: str | None = None


#: Seconds to wait for an engine account's capacity where the engine names no time; it doubles
#: with each wait in vain, up to the most.
CAPACITY_WAIT_S = 15.0
MAX_CAPACITY_WAIT_S = 300.0


def decide_error(
    kind: ErrorKind,
    tries: Tries,
    *,
    retry_after_s: float | None,
    jitter: float,
    backoff: Backoff | None = None,
) -> Decision:
    """What an error of `kind` does to the task that met it."""
    rule = backoff or Backoff()
    match kind:
        case ErrorKind.CAPACITY:
            own_wait_s = min(MAX_CAPACITY_WAIT_S, CAPACITY_WAIT_S * 2.0 ** min(tries.waits, 10))
            wait_s = retry_after_s if retry_after_s is not None else own_wait_s
            delay_us = round(wait_s * (1 + jitter / 4) * 1_000_000)
            return Decision(move=Move.WAIT_FOR_CAPACITY, wait_reason="capacity", delay_us=delay_us)
        case ErrorKind.RETRYABLE if tries.tries_used + 1 < tries.max_attempts:
            delay_us = rule.delay_us(tries.tries_used + 1, jitter)
            if retry_after_s is not None:
                delay_us = max(delay_us, round(retry_after_s * 1_000_000))
            return Decision(
                move=Move.RETRY_LATER, wait_reason="backoff", delay_us=delay_us, counts_try=True
            )
        case ErrorKind.RETRYABLE:
            return Decision(move=Move.FAIL, counts_try=True)
        case _:
            return Decision(move=Move.FAIL)


def decide_loss(tries: Tries, jitter: float, backoff: Backoff | None = None) -> Decision:
    """What a lost worker or child does: run again at once, then with backoff, then poison."""
    lost = tries.lost_count + 1
    if lost >= MAX_LOST:
        return Decision(move=Move.FAIL, counts_loss=True, error_type="worker_lost")
    delay_us = 0 if lost == 1 else (backoff or Backoff()).delay_us(lost - 1, jitter)
    return Decision(
        move=Move.LOSE_WORKER, wait_reason="rescued", delay_us=delay_us, counts_loss=True
    )
