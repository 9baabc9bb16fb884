"""The path of a task: the states it was in, from its events, with what moved it on and who did."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.records import AttemptRecord, EventRecord, TaskRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A stay in one state.

    Attributes:
        why: Kind of the event that led here (`submitted`, `claim`, `lose_worker`, …).
        attempt: Of a stay in processing.
        until: None while the task is in this state (a final one is never left).
        worker: Of a stay in processing.
        is_late: Whether the attempt's deadline passed in this stay.
    """

    status: str
    why: str
    by: str
    since: int
    until: int | None
    attempt: int | None
    worker: str | None
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineSum:
    """How the deadline of the last attempt came about: claim + limit + what a pause moved it by."""

    attempt: int
    claimed_at: int
    timeout_us: int
    moved_us: int
    deadline_at: int
    used_ratio: float


def path_of(
    task: TaskRecord, attempts: Sequence[AttemptRecord], events: Sequence[EventRecord]
) -> tuple[Step, ...]:
    """The stays of a task, oldest first; the last one is where it is now."""
    by_number = {attempt.attempt: attempt for attempt in attempts}
    moves = [event for event in events if event.to_status is not None]
    steps = []
    for index, event in enumerate(moves):
        status = event.to_status or task.status
        attempt = by_number.get(event.attempt or 0) if status == "processing" else None
        steps.append(
            Step(
                status=status,
                why=event.kind,
                by=event.by,
                since=event.at,
                until=moves[index + 1].at if index + 1 < len(moves) else None,
                attempt=attempt.attempt if attempt else None,
                worker=attempt.worker_name if attempt else None,
                is_late=attempt is not None and attempt.timed_out_at is not None,
            )
        )
    return tuple(steps)


def deadline_of(
    task: TaskRecord, attempts: Sequence[AttemptRecord], now: int
) -> DeadlineSum | None:
    """The sum behind the last attempt's deadline; None before the first claim."""
    if not attempts:
        return None
    last = attempts[-1]
    end = last.finished_at if last.finished_at is not None else now
    return DeadlineSum(
        attempt=last.attempt,
        claimed_at=last.claimed_at,
        timeout_us=task.timeout_us,
        moved_us=last.deadline_at - last.claimed_at - task.timeout_us,
        deadline_at=last.deadline_at,
        used_ratio=round((end - last.claimed_at) / (last.deadline_at - last.claimed_at), 4),
    )
