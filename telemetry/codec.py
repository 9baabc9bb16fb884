"""Spans to the bytes of OTLP and back.

Equal input gives equal bytes (attributes sorted by key). That matters beyond tidiness: a backend
hides a span that arrives twice only where the two are the same to the last attribute.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.trace import ReadableSpan

from telemetry.live_span import record_of
from telemetry.names import SCOPE, SERVICE_NAME, SpanKind
from telemetry.spans import (
    DecodedEvent,
    DecodedLink,
    DecodedSpan,
    Resource,
    SpanEvent,
    SpanLink,
    SpanRecord,
)
from telemetry.values import Attributes, AttributeValue, clean_attributes, clean_name, clean_text

__all__ = [
    "DecodedEvent",
    "DecodedLink",
    "DecodedSpan",
    "Resource",
    "SpanEvent",
    "SpanLink",
    "SpanRecord",
    "decode",
    "encode",
    "encode_live",
    "key_values",
]

#: SpanFlags of OTLP: one bit says that the next is meant, the next that the parent is elsewhere.
_HAS_IS_REMOTE: Final = 0x100
_IS_REMOTE: Final = 0x200
_KINDS: Final = {
    SpanKind.INTERNAL: trace_pb2.Span.SPAN_KIND_INTERNAL,
    SpanKind.SERVER: trace_pb2.Span.SPAN_KIND_SERVER,
    SpanKind.CLIENT: trace_pb2.Span.SPAN_KIND_CLIENT,
    SpanKind.PRODUCER: trace_pb2.Span.SPAN_KIND_PRODUCER,
    SpanKind.CONSUMER: trace_pb2.Span.SPAN_KIND_CONSUMER,
}
_STATUS_NAMES: Final = {0: "unset", 1: "ok", 2: "error"}


def encode(records: Sequence[SpanRecord], resource: Resource, scope_version: str) -> bytes:
    """The bytes of one ExportTraceServiceRequest.

    Args:
        records: Spans made by one resource.
        resource: What made them; for spans made from rows `provider.row_resource`.
        scope_version: Release that made them; for spans made from rows the release of the row, so
            that they are the same bytes when a later release makes them again.
    """
    return _request([_resource_spans(records, resource, SCOPE, scope_version)])


def encode_live(spans: Sequence[ReadableSpan]) -> bytes:
    """The same for ended spans of the SDK: cleaned, in microseconds, grouped by what made them."""
    groups: dict[tuple[int, str, str], list[ReadableSpan]] = {}
    for span in spans:
        scope = span.instrumentation_scope
        key = (id(span.resource), scope.name if scope else SCOPE, (scope and scope.version) or "")
        groups.setdefault(key, []).append(span)
    return _request(
        _resource_spans(map(record_of, group), dict(group[0].resource.attributes), name, version)
        for (_, name, version), group in groups.items()
    )


def _request(resource_spans: Iterable[trace_pb2.ResourceSpans]) -> bytes:
    request = ExportTraceServiceRequest(resource_spans=resource_spans)
    payload: bytes = request.SerializeToString()
    return payload


def _resource_spans(
    records: Iterable[SpanRecord], resource: Mapping[str, Any], scope: str, version: str
) -> trace_pb2.ResourceSpans:
    return trace_pb2.ResourceSpans(
        resource=ResourceMessage(attributes=key_values(resource)),
        scope_spans=[
            trace_pb2.ScopeSpans(
                scope=InstrumentationScope(name=scope, version=version),
                spans=[_span(record) for record in records],
            )
        ],
    )


def _span(record: SpanRecord) -> trace_pb2.Span:
    parent = record.parent_span_id
    error = record.error
    return trace_pb2.Span(
        trace_id=record.trace_id.to_bytes(16),
        span_id=record.span_id.to_bytes(8),
        parent_span_id=b"" if parent is None else parent.to_bytes(8),
        trace_state=clean_text(record.trace_state),
        flags=_HAS_IS_REMOTE | (_IS_REMOTE if record.has_remote_parent else 0),
        name=clean_name(record.name),
        kind=_KINDS[record.kind],
        start_time_unix_nano=record.start_us * 1000,
        end_time_unix_nano=max(record.start_us, record.end_us) * 1000,
        attributes=key_values(record.attributes),
        events=[
            trace_pb2.Span.Event(
                name=clean_name(event.name),
                time_unix_nano=event.at_us * 1000,
                attributes=key_values(event.attributes),
            )
            for event in record.events
        ],
        links=[
            trace_pb2.Span.Link(
                trace_id=link.trace_id.to_bytes(16),
                span_id=link.span_id.to_bytes(8),
                trace_state=clean_text(link.trace_state),
                attributes=key_values(link.attributes),
            )
            for link in record.links
        ],
        status=None if error is None else _error_status(error),
    )


def _error_status(description: str) -> trace_pb2.Status:
    return trace_pb2.Status(
        code=trace_pb2.Status.STATUS_CODE_ERROR, message=clean_text(description)
    )


def key_values(attributes: Attributes) -> list[KeyValue]:
    """Attributes as OTLP has them: cleaned, in the order of their keys."""
    return [
        KeyValue(key=key, value=_any_value(value))
        for key, value in clean_attributes(attributes).items()
    ]


def _any_value(value: AttributeValue) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case str():
            return AnyValue(string_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)


def decode(payload: bytes) -> list[DecodedSpan]:
    """The spans of a payload (or of several, laid end to end), in their order.

    Raises:
        ValueError: The bytes are no ExportTraceServiceRequest.
    """
    try:
        request = ExportTraceServiceRequest.FromString(payload)
    except DecodeError as error:
        message = f"payload must be an OTLP trace request, got {len(payload)} bytes: {error}"
        raise ValueError(message) from error
    return [
        _decoded(span, resource, scope_spans.scope)
        for resource_spans in request.resource_spans
        for resource in [_plain(resource_spans.resource.attributes)]
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]


def _decoded(
    span: trace_pb2.Span, resource: dict[str, Any], scope: InstrumentationScope
) -> DecodedSpan:
    return DecodedSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex() or None,
        name=span.name,
        kind=SpanKind(span.kind or SpanKind.INTERNAL),
        service=str(resource.get(SERVICE_NAME, "")),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=_plain(span.attributes),
        events=tuple(
            DecodedEvent(
                name=event.name, at_ns=event.time_unix_nano, attributes=_plain(event.attributes)
            )
            for event in span.events
        ),
        links=tuple(
            DecodedLink(
                trace_id=link.trace_id.hex(),
                span_id=link.span_id.hex(),
                trace_state=link.trace_state,
                attributes=_plain(link.attributes),
            )
            for link in span.links
        ),
        status=_STATUS_NAMES.get(span.status.code, "unset"),
        status_message=span.status.message,
        trace_state=span.trace_state,
        flags=span.flags,
        resource=resource,
        scope_name=scope.name,
        scope_version=scope.version,
    )


def _plain(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {attribute.key: _plain_value(attribute.value) for attribute in attributes}


def _plain_value(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case "array_value":
            return [_plain_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _plain(value.kvlist_value.values)
        case None:
            return None
        case name:
            return getattr(value, name)
