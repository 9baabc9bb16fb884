"""An ended span of the OpenTelemetry SDK: as a value of ours, and as a changed copy."""

from typing import TYPE_CHECKING, Any, cast

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import StatusCode

from telemetry.names import SpanKind
from telemetry.spans import SpanEvent, SpanLink, SpanRecord

if TYPE_CHECKING:
    from telemetry.values import Attributes


def record_of(span: ReadableSpan) -> SpanRecord:
    """The span with times in microseconds (rounded down); the codec cleans its values.

    Raises:
        ValueError: The span has no context, never started, or has not ended.
    """
    context, parent = span.get_span_context(), span.parent
    if context is None or span.start_time is None or span.end_time is None:
        message = f"span '{span.name}' must have a context, a start and an end"
        raise ValueError(message)
    return SpanRecord(
        trace_id=context.trace_id,
        span_id=context.span_id,
        parent_span_id=parent.span_id if parent else None,
        name=span.name,
        kind=SpanKind(span.kind.value + 1),
        start_us=span.start_time // 1000,
        end_us=span.end_time // 1000,
        attributes=cast("Attributes", span.attributes or {}),
        events=_events(span),
        links=_links(span),
        error=_error(span),
        trace_state=context.trace_state.to_header(),
        has_remote_parent=bool(parent and parent.is_remote),
    )


def _events(span: ReadableSpan) -> tuple[SpanEvent, ...]:
    return tuple(
        SpanEvent(
            name=event.name,
            at_us=event.timestamp // 1000,
            attributes=cast("Attributes", event.attributes or {}),
        )
        for event in span.events
    )


def _links(span: ReadableSpan) -> tuple[SpanLink, ...]:
    return tuple(
        SpanLink(
            trace_id=link.context.trace_id,
            span_id=link.context.span_id,
            trace_state=link.context.trace_state.to_header(),
            attributes=cast("Attributes", link.attributes or {}),
        )
        for link in span.links
    )


def _error(span: ReadableSpan) -> str | None:
    status = span.status
    return (status.description or "") if status.status_code is StatusCode.ERROR else None


def copy_of(span: ReadableSpan, **changes: Any) -> ReadableSpan:
    """The span with other values in some places: what a processor hands on instead of it.

    Args:
        span: An ended span.
        changes: Keyword arguments of `ReadableSpan`, as `attributes` or `end_time`.
    """
    values: dict[str, Any] = {
        "name": span.name,
        "context": span.get_span_context(),
        "parent": span.parent,
        "resource": span.resource,
        "attributes": span.attributes,
        "events": span.events,
        "links": span.links,
        "kind": span.kind,
        "status": span.status,
        "start_time": span.start_time,
        "end_time": span.end_time,
        "instrumentation_scope": span.instrumentation_scope,
    }
    return ReadableSpan(**(values | changes))


def ended_by(span: ReadableSpan, at_us: int) -> ReadableSpan:
    """The span with nothing in it after a moment by which it is known to have ended.

    A clock that is shifted by a measured offset may run ahead of the clock it is to tell.
    """
    at_ns = at_us * 1000
    if span.end_time is None or span.start_time is None or span.end_time <= at_ns:
        return span
    events = [
        Event(event.name, event.attributes, min(event.timestamp, at_ns)) for event in span.events
    ]
    return copy_of(
        span, start_time=min(span.start_time, at_ns), end_time=at_ns, events=tuple(events)
    )
