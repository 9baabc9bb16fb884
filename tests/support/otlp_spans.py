"""Spans as a receiver got them, decoded with the classes of the OTLP package alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.support.otlp_values import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpan:
    """A span as it came; ids in hex, `parent_span_id` "" for a root, `status` 0, 1 or 2 (error)."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: int
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any]
    events: Sequence[tuple[str, int, Mapping[str, Any]]]
    links: Sequence[tuple[str, str]]
    status: int
    status_message: str
    resource: Mapping[str, Any]
    scope: tuple[str, str]
    #: The span's own bytes: what a backend compares when a span comes twice.
    wire: bytes = field(repr=False)

    @property
    def service(self) -> str:
        """Its `service.name`."""
        return str(self.resource.get("service.name", ""))


def spans_of(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    """The spans of a request, in their order."""
    for resource_spans in request.resource_spans:
        resource = plain(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = (scope_spans.scope.name, scope_spans.scope.version)
            for span in scope_spans.spans:
                yield _span(span, resource, scope)


def _span(
    span: trace_pb2.Span, resource: Mapping[str, Any], scope: tuple[str, str]
) -> ReceivedSpan:
    return ReceivedSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        name=span.name,
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=plain(span.attributes),
        events=[
            (event.name, event.time_unix_nano, plain(event.attributes)) for event in span.events
        ],
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        status=span.status.code,
        status_message=span.status.message,
        resource=resource,
        scope=scope,
        wire=span.SerializeToString(),
    )
