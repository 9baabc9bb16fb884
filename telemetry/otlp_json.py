"""Spans out of the JSON of OTLP, as Jaeger's query API writes it.

Source: OTLP specification, "JSON Protobuf Encoding": ids in hex, 64-bit integers as strings, enums
as numbers. Jaeger keeps lists as JSON text. What cannot be read is an error, never left out.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from telemetry.names import SERVICE_NAME, SpanKind
from telemetry.spans import DecodedEvent, DecodedLink, DecodedSpan

_STATUS: Final = {0: "unset", 1: "ok", 2: "error"}
_STATUS_WORDS: Final = {f"STATUS_CODE_{name.upper()}": name for name in _STATUS.values()}


def spans_of(resource_spans: Iterable[Mapping[str, Any]]) -> list[DecodedSpan]:
    """The spans of a list `resourceSpans`, in its order.

    Raises:
        ValueError: It is not of that shape.
    """
    try:
        return [
            _span(span, resource, scope_spans.get("scope", {}))
            for one in resource_spans
            for resource in [_attributes(one.get("resource", {}).get("attributes", ()))]
            for scope_spans in one.get("scopeSpans", ())
            for span in scope_spans.get("spans", ())
        ]
    except (KeyError, TypeError, AttributeError) as error:
        message = f"a trace must be OTLP JSON, got something else: {type(error).__name__}: {error}"
        raise ValueError(message) from error


def _span(
    span: Mapping[str, Any], resource: dict[str, Any], scope: Mapping[str, Any]
) -> DecodedSpan:
    status = span.get("status", {})
    return DecodedSpan(
        trace_id=span["traceId"].lower(),
        span_id=span["spanId"].lower(),
        parent_span_id=span.get("parentSpanId", "").lower() or None,
        name=span.get("name", ""),
        kind=_kind(span.get("kind", 0)),
        service=str(resource.get(SERVICE_NAME, "")),
        start_ns=int(span["startTimeUnixNano"]),
        end_ns=int(span["endTimeUnixNano"]),
        attributes=_attributes(span.get("attributes", ())),
        events=tuple(_event(event) for event in span.get("events", ())),
        links=tuple(_link(link) for link in span.get("links", ())),
        status=_status(status.get("code", 0)),
        status_message=status.get("message", ""),
        trace_state=span.get("traceState", ""),
        flags=int(span.get("flags", 0)),
        resource=resource,
        scope_name=scope.get("name", ""),
        scope_version=scope.get("version", ""),
    )


def _event(event: Mapping[str, Any]) -> DecodedEvent:
    return DecodedEvent(
        name=event.get("name", ""),
        at_ns=int(event["timeUnixNano"]),
        attributes=_attributes(event.get("attributes", ())),
    )


def _link(link: Mapping[str, Any]) -> DecodedLink:
    return DecodedLink(
        trace_id=link["traceId"].lower(),
        span_id=link["spanId"].lower(),
        trace_state=link.get("traceState", ""),
        attributes=_attributes(link.get("attributes", ())),
    )


def _kind(value: int | str) -> SpanKind:
    if isinstance(value, str):
        return SpanKind[value.removeprefix("SPAN_KIND_")]
    return SpanKind(value or SpanKind.INTERNAL)


def _status(code: int | str) -> str:
    return _STATUS_WORDS[code] if isinstance(code, str) else _STATUS[code]


def _attributes(attributes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {one["key"]: _value(one.get("value", {})) for one in attributes}


def _value(value: Mapping[str, Any]) -> Any:
    for name, content in value.items():
        match name:
            case "intValue":
                return int(content)
            case "doubleValue":
                return float(content)
            case "arrayValue":
                return [_value(item) for item in content.get("values", ())]
            case "kvlistValue":
                return _attributes(content.get("values", ()))
            case _:
                return content
    return None
