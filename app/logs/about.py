"""What the lines of a block are about: the task, its attempt, and the trace that they belong to."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import structlog

from app.domain.claim import Claim
from app.domain.records import TaskRecord


@contextmanager
def about(
    *,
    task_id: int,
    attempt: int | None = None,
    trace_id: str | None = None,
    span_id: str | None = None,
) -> Iterator[None]:
    """Every line of the block, of libraries too, carries these.

    The ids of a span that is live in the block go before `trace_id` and `span_id`.
    """
    ids = {"task_id": task_id, "attempt": attempt, "trace_id": trace_id, "span_id": span_id}
    known = {name: value for name, value in ids.items() if value is not None}
    with structlog.contextvars.bound_contextvars(**known):
        yield


def about_claim(claim: Claim) -> AbstractContextManager[None]:
    """Every line of the block is about the attempt of a claim."""
    return about(
        task_id=claim.task_id,
        attempt=claim.attempt,
        trace_id=claim.trace_id,
        span_id=claim.attempt_span_id,
    )


def about_task(task: TaskRecord) -> AbstractContextManager[None]:
    """Every line of the block is about a task, and about its last attempt where there is one."""
    return about(task_id=task.id, attempt=task.attempt or None, trace_id=task.trace_id)


def bind_task(task_id: int) -> None:
    """The lines of this thread are about a task from here on, until `forget`."""
    structlog.contextvars.bind_contextvars(task_id=task_id)


def forget() -> None:
    """The lines of this thread are about nothing: a new request begins."""
    structlog.contextvars.clear_contextvars()
