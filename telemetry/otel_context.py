"""Our SpanContext and the one of the OpenTelemetry API, each from the other."""

from opentelemetry import trace

from telemetry.tracing import SpanContext


def to_otel(context: SpanContext) -> trace.SpanContext:
    """The API's context of a span that is not of this process."""
    return trace.SpanContext(
        trace_id=context.trace_id,
        span_id=context.span_id,
        is_remote=True,
        trace_flags=trace.TraceFlags(context.flags),
        trace_state=trace.TraceState.from_header([context.trace_state]),
    )


def from_otel(context: trace.SpanContext) -> SpanContext | None:
    """Our context of a span of the API; None of the invalid one."""
    if not context.is_valid:
        return None
    return SpanContext(
        trace_id=context.trace_id,
        span_id=context.span_id,
        flags=context.trace_flags,
        trace_state=context.trace_state.to_header(),
    )


def current() -> SpanContext | None:
    """The innermost live span of this thread; None outside of one."""
    return from_otel(trace.get_current_span().get_span_context())
