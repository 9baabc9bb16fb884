"""Where a canary's trace is: in Jaeger, with the collector, or still here."""

from dataclasses import dataclass
from typing import Final, Protocol

from app.domain.canary import Cause
from app.domain.records import TaskRecord
from telemetry import provider
from telemetry.jaeger import JaegerError, JaegerTrace

#: Microseconds after its end until its trace must have arrived.
TRACE_US: Final = 60_000_000


class TraceSource(Protocol):
    """Looks traces up; `telemetry.jaeger.JaegerClient` does."""

    def trace(self, trace_id: str) -> JaegerTrace | None:
        """The trace with this id; None where there is none. Raises JaegerError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceVerdict:
    """Whether its trace is where it should be, and if not, what it would be blamed on."""

    is_found: bool
    cause: Cause


def trace_verdict(
    task: TaskRecord, jaeger: TraceSource | None, *, unsent: int | None
) -> TraceVerdict:
    """Looks for the trace of a task that is over.

    Args:
        task: The canary's task.
        jaeger: Asked once, where one is set and the spans have left.
        unsent: Rows of it that no collector has acknowledged; None where none is set.
    """
    if unsent is None or not provider.is_enabled():
        return _not_looked_for()
    if unsent:
        return _missing("unsent", "its spans still wait for the collector")
    if jaeger is None:
        return _found("sent", "its spans were sent to the collector")
    try:
        trace = jaeger.trace(task.trace_id)
    except JaegerError as error:
        return _missing("no_jaeger", str(error))
    if trace is not None and any(span.span_id == task.span_id for span in trace.spans):
        return _found("found", "its trace was found in Jaeger")
    return _missing("not_in_jaeger", "the collector took its spans, but Jaeger does not have them")


def _not_looked_for() -> TraceVerdict:
    if provider.is_enabled():
        return _found("kept", "no collector is set: its spans stay in the outbox")
    return _found("off", "tracing is turned off: OTEL_SDK_DISABLED")


def _found(code: str, words: str) -> TraceVerdict:
    return TraceVerdict(is_found=True, cause=Cause(code=code, words=words))


def _missing(code: str, words: str) -> TraceVerdict:
    told = f"no trace after {TRACE_US // 1_000_000} s: {words}"
    return TraceVerdict(is_found=False, cause=Cause(code=code, words=told))
