"""The codec: round trip, equal bytes for equal spans, payloads that can be laid end to end."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from telemetry.codec import decode, encode, encode_live
from telemetry.live_span import copy_of, record_of
from telemetry.spans import DecodedSpan, SpanRecord
from telemetry.values import clean_attributes, clean_name, clean_text
from tests.support.span_strategies import attributes, records

_RESOURCE = {"service.name": "voxtrace", "service.version": "1.2.3"}


def _expected(record: SpanRecord) -> dict[str, Any]:
    return {
        "trace_id": f"{record.trace_id:032x}",
        "span_id": f"{record.span_id:016x}",
        "parent_span_id": None
        if record.parent_span_id is None
        else f"{record.parent_span_id:016x}",
        "name": clean_name(record.name),
        "kind": record.kind,
        "start_us": record.start_us,
        "end_us": max(record.start_us, record.end_us),
        "attributes": clean_attributes(record.attributes),
        "events": [
            (clean_name(event.name), event.at_us, clean_attributes(event.attributes))
            for event in record.events
        ],
        "links": [
            (f"{link.trace_id:032x}", f"{link.span_id:016x}", clean_attributes(link.attributes))
            for link in record.links
        ],
        "status": "unset" if record.error is None else "error",
        "status_message": clean_text(record.error or ""),
    }


def _got(span: DecodedSpan) -> dict[str, Any]:
    return {
        **{
            name: getattr(span, name)
            for name in _expected(_record())
            if name not in {"events", "links"}
        },
        "events": [(event.name, event.at_us, event.attributes) for event in span.events],
        "links": [(link.trace_id, link.span_id, link.attributes) for link in span.links],
    }


def _record(**changes: Any) -> SpanRecord:
    values: dict[str, Any] = {
        "trace_id": 1, "span_id": 2, "name": "segment", "start_us": 10**15, "end_us": 10**15 + 1,
    }  # fmt: skip
    return SpanRecord(**(values | changes))


@settings(max_examples=50)
@given(st.lists(records, max_size=4))
def test_round_trip_forgets_nothing_for_every_span(spans: list[SpanRecord]) -> None:
    """What is decoded is what was encoded, cleaned; in order, to the microsecond."""
    decoded = decode(encode(spans, _RESOURCE, "1.2.3"))
    assert [_got(span) for span in decoded] == [_expected(span) for span in spans]
    for span in decoded:
        assert (span.service, span.resource) == ("voxtrace", _RESOURCE)
        assert (span.scope_name, span.scope_version) == ("voxtrace", "1.2.3")


@settings(max_examples=50)
@given(records, st.randoms(use_true_random=False))
def test_bytes_are_equal_whatever_the_order_of_attributes(
    record: SpanRecord, order: random.Random
) -> None:
    """The order in which a writer met the facts does not show in the bytes."""
    items = list(record.attributes.items())
    order.shuffle(items)
    shuffled = copy_record(record, attributes=dict(items))
    assert encode([record], _RESOURCE, "1") == encode(
        [shuffled], dict(reversed(_RESOURCE.items())), "1"
    )


def copy_record(record: SpanRecord, **changes: Any) -> SpanRecord:
    """The record with other values in some places."""
    values = {name: getattr(record, name) for name in record.__slots__}
    return SpanRecord(**(values | changes))


@settings(max_examples=25)
@given(st.lists(st.lists(records, max_size=2), max_size=4))
def test_payloads_laid_end_to_end_are_one_payload(batches: list[list[SpanRecord]]) -> None:
    """The forwarder may join stored bytes without reading them."""
    payloads = [encode(batch, _RESOURCE, "1") for batch in batches]
    joined = decode(b"".join(payloads))
    assert joined == [span for payload in payloads for span in decode(payload)]


@pytest.mark.parametrize("payload", [b"\xff\xff\xff", b"\x0a\x05abc", b"plainly not protobuf"])
def test_decode_refuses_what_is_no_payload(payload: bytes) -> None:
    """Broken bytes are a ValueError that says what was wanted."""
    with pytest.raises(ValueError, match="must be an OTLP trace request"):
        decode(payload)


def _live(**span_arguments: Any) -> ReadableSpan:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "w"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("voxtrace", "9")
    other = SpanContext(trace_id=5, span_id=6, is_remote=True)
    span = tracer.start_span("live", kind=SpanKind.CONSUMER, links=[Link(other)], **span_arguments)
    span.add_event("thing", {"n": 1}, timestamp=1_000_000_999)
    span.set_status(Status(StatusCode.ERROR, "bad\0thing"))
    span.end(2_000_000_999)
    return exporter.get_finished_spans()[0]


@settings(max_examples=30)
@given(attributes)
def test_live_span_is_encoded_clean_and_in_microseconds(values: dict[str, Any]) -> None:
    """A span of the SDK leaves cleaned, rounded down to the microsecond, with its own scope."""
    span = _live(attributes=values, start_time=1_000_000_001)
    (decoded,) = decode(encode_live([span]))
    assert (decoded.start_ns, decoded.end_ns) == (1_000_000_000, 2_000_000_000)
    assert decoded.attributes == clean_attributes(values)
    assert [(event.name, event.at_ns) for event in decoded.events] == [("thing", 1_000_000_000)]
    assert [(link.trace_id[-1], link.span_id[-1]) for link in decoded.links] == [("5", "6")]
    assert (decoded.status, decoded.status_message) == ("error", "bad\ufffdthing")
    assert (decoded.kind.name, decoded.service) == ("CONSUMER", "w")
    assert (decoded.scope_name, decoded.scope_version) == ("voxtrace", "9")


def test_live_span_and_its_record_have_the_same_bytes() -> None:
    """Live or made by hand, the same facts are the same bytes."""
    span = _live(attributes={"b": 1, "a": "x"})
    assert encode_live([span]) == encode([record_of(span)], {"service.name": "w"}, "9")


def test_live_span_that_has_not_ended_is_refused() -> None:
    """A span without an end has no place in a payload."""
    with pytest.raises(ValueError, match="must have a context, a start and an end"):
        record_of(copy_of(_live(), end_time=None))


def test_end_before_start_becomes_no_duration() -> None:
    """A clock that stepped back makes a span of no length, not one of 584 years."""
    (span,) = decode(encode([_record(start_us=50, end_us=40)], _RESOURCE, "1"))
    assert (span.start_us, span.end_us) == (50, 50)


@pytest.mark.parametrize(("remote", "flags"), [(False, 0x100), (True, 0x300)])
def test_flags_say_whether_the_parent_is_elsewhere(*, remote: bool, flags: int) -> None:
    """OTLP's span flags carry has_is_remote and is_remote."""
    (span,) = decode(encode([_record(has_remote_parent=remote)], _RESOURCE, "1"))
    assert span.flags == flags
