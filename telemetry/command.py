"""CommandTracing: the root span of a program that submits from the command line.

Its parent is the span in the environment variable TRACEPARENT, where a caller set one. The command
itself puts the bytes into the outbox: it has the database at hand, and ends at once after.
"""

import os
from collections.abc import Mapping

from telemetry.codec import encode
from telemetry.names import ERROR_TYPE, SERVICE_CLI, SPAN_SUBMIT
from telemetry.provider import is_enabled, process_resource
from telemetry.spans import SpanRecord
from telemetry.tracing import SpanContext, new_span_id, parse_traceparent
from telemetry.values import Attributes


class CommandTracing:
    """The span of one command, from its start to `end`.

    Args:
        release: Release of voxtrace.
        started_us: When the command began.
        environ: TRACEPARENT, TRACESTATE and OTEL_SDK_DISABLED are read from it; the resource takes
            no OTEL_RESOURCE_ATTRIBUTES.
        name: Name of the span.
    """

    def __init__(
        self,
        *,
        release: str,
        started_us: int,
        environ: Mapping[str, str] = os.environ,
        name: str = SPAN_SUBMIT,
    ) -> None:
        self._release = release
        self._started_us = started_us
        self._name = name
        self._is_enabled = is_enabled(environ)
        self._parent = parse_traceparent(environ.get("TRACEPARENT"), environ.get("TRACESTATE"))
        #: What a submission's row continues.
        self.context: SpanContext = (
            self._parent.child(new_span_id()) if self._parent else SpanContext.new()
        )

    def end(
        self,
        end_us: int,
        *,
        attributes: Attributes | None = None,
        error_type: str | None = None,
        error: str = "",
    ) -> bytes | None:
        """The encoded span, for the outbox (one span); None where tracing is off."""
        if not self._is_enabled:
            return None
        failure = {} if error_type is None else {ERROR_TYPE: error_type}
        record = SpanRecord(
            trace_id=self.context.trace_id,
            span_id=self.context.span_id,
            parent_span_id=self._parent.span_id if self._parent else None,
            name=self._name,
            start_us=self._started_us,
            end_us=end_us,
            attributes={**(attributes or {}), **failure},
            error=None if error_type is None else error,
            trace_state=self.context.trace_state,
            has_remote_parent=self._parent is not None,
        )
        resource = process_resource(SERVICE_CLI, release=self._release, environ={})
        return encode([record], resource, self._release)
