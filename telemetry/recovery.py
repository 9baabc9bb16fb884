"""Spans made from rows: an attempt whose process died, and the markers of one that runs.

The attempt span of a killed process died with it; whoever gives the verdict rebuilds it here, in
the verdict's transaction, under the span id that the row has had since the claim. The markers have
ids derived from the attempt's: two writers make the same span, which a backend shows once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from telemetry.codec import SpanEvent, SpanLink, SpanRecord
from telemetry.names import (
    ATTEMPT,
    ATTEMPT_OUTCOME,
    DEADLINE_EXCEEDED,
    DEADLINE_US,
    ERROR_TYPE,
    EVENT_DEADLINE_EXCEEDED,
    EXIT_CODE,
    EXIT_SIGNAL,
    LAST_HEARTBEAT_US,
    MESSAGING_ATTRIBUTES,
    MESSAGING_CLIENT_ID,
    MESSAGING_MESSAGE_ID,
    RECOVERED_BY,
    RECOVERED_REASON,
    SPAN_ATTEMPT,
    SPAN_ATTEMPT_STARTED,
    SPAN_DEADLINE_EXCEEDED,
    SPAN_RECOVERED,
    TASK_ID,
    WORKER_NAME,
    SpanKind,
)
from telemetry.tracing import SpanContext, derived_span_id
from telemetry.values import AttributeValue

#: `error.type` of what a deadline ended, where the caller knows none better.
DEADLINE_ERROR_TYPE = "deadline_exceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptIdentity:
    """An attempt as its row names it from the claim on.

    Attributes:
        task: Context of the task span, the attempt's parent.
        span_id: Of the attempt span.
        task_id: Id of the task.
        attempt: Number of the attempt, from 1.
        worker_name: Worker that claimed it.
        claimed_at_us: When, in the database's time.
        deadline_us: Until when, in the database's time; None for no deadline.
    """

    task: SpanContext
    span_id: int
    task_id: str
    attempt: int
    worker_name: str
    claimed_at_us: int
    deadline_us: int | None = None

    @property
    def context(self) -> SpanContext:
        """Context of the attempt span."""
        return self.task.child(self.span_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """How an attempt ended that could not tell itself, and who tells it.

    Attributes:
        ended_at_us: When, in the database's time.
        outcome: `voxtrace.attempt.outcome`.
        recovered_by: Who rebuilds the span.
        recovered_reason: Why it must be rebuilt.
        error_type: None where the end was no failure (cancelled, handed back).
        description: Of the failure; never a text.
        last_heartbeat_us: Last sign of life, None if unknown; so are the signal and the exit code.
        exceeded_deadline: The row had been flagged, or is now.
        attributes: What else the row tells.
    """

    ended_at_us: int
    outcome: str
    recovered_by: str
    recovered_reason: str
    error_type: str | None = None
    description: str = ""
    last_heartbeat_us: int | None = None
    exit_signal: int | None = None
    exit_code: int | None = None
    exceeded_deadline: bool = False
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)


def attempt_attributes(identity: AttemptIdentity) -> dict[str, AttributeValue]:
    """What every attempt span says, lived or rebuilt."""
    attributes: dict[str, AttributeValue] = {
        **dict(MESSAGING_ATTRIBUTES),
        MESSAGING_MESSAGE_ID: identity.task_id,
        MESSAGING_CLIENT_ID: identity.worker_name,
        **_marker_attributes(identity),
    }
    if identity.deadline_us is not None:
        attributes[DEADLINE_US] = identity.deadline_us
    return attributes


def rebuilt_attempt(
    identity: AttemptIdentity, death: Death, *, links: tuple[SpanLink, ...] = ()
) -> SpanRecord:
    """The attempt span of a process that died, in the place of the one it could not send."""
    known: dict[str, AttributeValue | None] = {
        ERROR_TYPE: death.error_type,
        LAST_HEARTBEAT_US: death.last_heartbeat_us,
        EXIT_SIGNAL: death.exit_signal,
        EXIT_CODE: death.exit_code,
    }
    attributes: dict[str, AttributeValue] = {
        **death.attributes,
        **attempt_attributes(identity),
        ATTEMPT_OUTCOME: death.outcome,
        SPAN_RECOVERED: True,
        RECOVERED_BY: death.recovered_by,
        RECOVERED_REASON: death.recovered_reason,
        **{key: value for key, value in known.items() if value is not None},
    }
    events: tuple[SpanEvent, ...] = ()
    if death.exceeded_deadline and identity.deadline_us is not None:
        attributes[DEADLINE_EXCEEDED] = True
        events = (_deadline_event(identity.deadline_us),)
    return SpanRecord(
        trace_id=identity.task.trace_id,
        span_id=identity.span_id,
        parent_span_id=identity.task.span_id,
        name=SPAN_ATTEMPT,
        kind=SpanKind.CONSUMER,
        start_us=identity.claimed_at_us,
        end_us=death.ended_at_us,
        attributes=attributes,
        events=events,
        links=links,
        error=None if death.error_type is None else death.description,
        trace_state=identity.task.trace_state,
        has_remote_parent=True,
    )


def start_marker(identity: AttemptIdentity) -> SpanRecord:
    """The marker that shows, from the claim on, that an attempt runs."""
    attributes = _marker_attributes(identity)
    return _marker(identity, SPAN_ATTEMPT_STARTED, identity.claimed_at_us, attributes)


def deadline_marker(
    identity: AttemptIdentity, *, error_type: str = DEADLINE_ERROR_TYPE
) -> SpanRecord:
    """The marker that shows, from the deadline on, that an attempt ran past it.

    Raises:
        ValueError: The attempt has no deadline.
    """
    if identity.deadline_us is None:
        message = f"attempt {identity.attempt} of task {identity.task_id} has no deadline to mark"
        raise ValueError(message)
    attributes = {
        **_marker_attributes(identity),
        DEADLINE_US: identity.deadline_us,
        DEADLINE_EXCEEDED: True,
        ERROR_TYPE: error_type,
    }
    return _marker(
        identity,
        SPAN_DEADLINE_EXCEEDED,
        identity.deadline_us,
        attributes,
        error=SPAN_DEADLINE_EXCEEDED,
    )


def _marker(
    identity: AttemptIdentity,
    name: str,
    at_us: int,
    attributes: Mapping[str, AttributeValue],
    *,
    error: str | None = None,
) -> SpanRecord:
    return SpanRecord(
        trace_id=identity.task.trace_id,
        span_id=derived_span_id(identity.span_id, name),
        parent_span_id=identity.span_id,
        name=name,
        start_us=at_us,
        end_us=at_us,
        attributes=attributes,
        error=error,
        trace_state=identity.task.trace_state,
    )


def _marker_attributes(identity: AttemptIdentity) -> dict[str, AttributeValue]:
    return {
        TASK_ID: identity.task_id,
        ATTEMPT: identity.attempt,
        WORKER_NAME: identity.worker_name,
    }


def _deadline_event(deadline_us: int) -> SpanEvent:
    return SpanEvent(
        name=EVENT_DEADLINE_EXCEEDED, at_us=deadline_us, attributes={DEADLINE_US: deadline_us}
    )
