"""A trace as Jaeger's query API returns it, as the same values that the OTLP receiver gives.

Read with nothing of the code under test. Jaeger keeps lists as JSON text and tells 64-bit integers
as text: integers come back as numbers here, lists stay text.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import text

from telemetry import outbox
from tests.support.backends import Jaeger
from tests.support.home import Home
from tests.support.otlp_spans import ReceivedSpan
from tests.support.wait import wait_until
from tests.support.whole_trace import Rows, span_ids_of

#: Seconds within which what was sent must be in Jaeger.
_SOON_S: Final = 60.0

Json = Mapping[str, Any]

_READ: Mapping[str, Callable[[Any], Any]] = {
    "stringValue": str,
    "intValue": int,
    "doubleValue": float,
    "boolValue": bool,
}


def spans_of(jaeger: Jaeger, trace_id: str) -> list[ReceivedSpan]:
    """The spans of a trace, as often as Jaeger shows them; none where it does not know it."""
    asked = requests.get(f"{jaeger.url}/api/v3/traces/{trace_id}", timeout=20)
    if asked.status_code == 404:
        return []
    assert asked.ok, f"{asked.status_code} {asked.text[:300]}"
    return [span for part in asked.json()["result"]["resourceSpans"] for span in _spans(part)]


def wait_for(jaeger: Jaeger, trace_id: str, span_ids: Sequence[str]) -> list[ReceivedSpan]:
    """The spans of a trace, once all of `span_ids` (hex) are among them."""
    missing = set(span_ids)

    def look() -> list[ReceivedSpan] | None:
        nonlocal missing
        found = spans_of(jaeger, trace_id)
        missing = set(span_ids) - {span.span_id for span in found}
        return None if missing else found

    try:
        found = wait_until(look, _SOON_S, what=f"trace {trace_id} is in Jaeger")
    except AssertionError as error:
        message = f"{error}; without {sorted(missing)}"
        raise AssertionError(message) from None
    assert found is not None
    return found


def whole_trace(home: Home, jaeger: Jaeger, rows: Rows) -> list[ReceivedSpan]:
    """A task's trace, once all is there that its rows and the outbox speak of.

    Jaeger writes a trace span by span: that its task's span is there says nothing of the others.
    """
    with home.core.database.read() as conn:
        payloads = outbox.of_trace(conn, rows.task.trace_id)
    kept = {span_id for payload in payloads for span_id in _ids(payload, rows.task.trace_id)}
    return wait_for(jaeger, rows.task.trace_id, sorted(span_ids_of(rows) | kept))


def sent_at_of(home: Home, trace_id: str, span_id: str) -> int:
    """When the outbox's row with this span was acknowledged (microseconds, database time).

    Raises:
        AssertionError: None was.
    """
    wanted = text("SELECT payload, sent_at FROM span_outbox WHERE trace_id = :trace_id")
    with home.core.database.read() as conn:
        rows = conn.execute(wanted, {"trace_id": trace_id}).all()
    sent = [row.sent_at for row in rows if row.sent_at and span_id in _ids(row.payload, trace_id)]
    assert sent, f"span {span_id} of trace {trace_id} is not sent"
    return int(min(sent))


def _ids(payload: bytes, trace_id: str) -> Iterator[str]:
    """Ids of the spans of a trace in a row of the outbox."""
    for part in ExportTraceServiceRequest.FromString(payload).resource_spans:
        for group in part.scope_spans:
            for span in group.spans:
                if span.trace_id.hex() == trace_id:
                    yield span.span_id.hex()


def _spans(part: Json) -> Iterator[ReceivedSpan]:
    resource = _plain(part.get("resource", {}))
    for group in part["scopeSpans"]:
        scope = group.get("scope", {})
        for span in group["spans"]:
            yield ReceivedSpan(
                trace_id=span["traceId"],
                span_id=span["spanId"],
                parent_span_id=span.get("parentSpanId", ""),
                name=span["name"],
                kind=int(span.get("kind", 0)),
                start_ns=int(span["startTimeUnixNano"]),
                end_ns=int(span["endTimeUnixNano"]),
                attributes=_plain(span),
                events=[
                    (event["name"], int(event["timeUnixNano"]), _plain(event))
                    for event in span.get("events", [])
                ],
                links=[(link["traceId"], link["spanId"]) for link in span.get("links", [])],
                status=int(span.get("status", {}).get("code", 0)),
                status_message=span.get("status", {}).get("message", ""),
                resource=resource,
                scope=(scope.get("name", ""), scope.get("version", "")),
                wire=json.dumps(span, sort_keys=True).encode(),
            )


def _plain(holder: Json) -> dict[str, Any]:
    return {one["key"]: _value(one["value"]) for one in holder.get("attributes", [])}


def _value(value: Json) -> Any:
    [(kind, content)] = value.items()
    return _READ[kind](content)
