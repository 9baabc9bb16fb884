"""Trace context: W3C headers in and out, ids that are never zero, ids that markers share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.tracing import (
    SpanContext,
    derived_span_id,
    new_span_id,
    new_trace_id,
    parse_traceparent,
    parse_tracestate,
)
from tests.support.span_strategies import span_ids, trace_ids

_TRACE = "0af7651916cd43dd8448eb211c80319c"
_SPAN = "b7ad6b7169203331"


@given(trace_ids, span_ids, st.integers(0, 255))
def test_traceparent_round_trip_for_every_context(trace_id: int, span_id: int, flags: int) -> None:
    """Ids survive formatting and parsing; flags that version 00 does not know are cleared."""
    context = SpanContext(trace_id=trace_id, span_id=span_id, flags=flags)
    parsed = parse_traceparent(context.traceparent)
    assert parsed == SpanContext(trace_id=trace_id, span_id=span_id, flags=flags & 3)


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        (f"00-{_TRACE}-{_SPAN}-01", 1),
        (f"00-{_TRACE}-{_SPAN}-03", 3),
        (f"00-{_TRACE}-{_SPAN}-00", 0),
        (f"00-{_TRACE}-{_SPAN}-ff", 255),
        (f" 00-{_TRACE}-{_SPAN}-01\t", 1),
        (f"cc-{_TRACE}-{_SPAN}-01", 1),
        (f"cc-{_TRACE}-{_SPAN}-01-what-the-future-brings", 1),
    ],
)
def test_traceparent_is_read_whatever_its_flags_and_version(header: str, flags: int) -> None:
    """The random flag, unknown flags and later versions do not make a header malformed."""
    context = parse_traceparent(header)
    assert context is not None
    assert (context.trace_id_hex, context.span_id_hex, context.flags) == (_TRACE, _SPAN, flags)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00",
        f"ff-{_TRACE}-{_SPAN}-01",
        f"00-{_TRACE}-{_SPAN}-01-extra",
        f"cc-{_TRACE}-{_SPAN}-01.extra",
        f"00-{'0' * 32}-{_SPAN}-01",
        f"00-{_TRACE}-{'0' * 16}-01",
        f"00-{_TRACE.upper()}-{_SPAN}-01",
        f"00-{_TRACE[:-1]}-{_SPAN}-01",
        f"00-{_TRACE}-{_SPAN}-1",
        f"00-{_TRACE}-{_SPAN}-0g",
        f"00_{_TRACE}_{_SPAN}_01",
        f"00-{_TRACE}-{_SPAN}-01\n",
        f"00-{_TRACE}-{_SPAN}-01, 00-{_TRACE}-{_SPAN}-01",
    ],
)
def test_traceparent_that_is_malformed_is_none(header: str | None) -> None:
    """What the recommendation calls invalid starts a new trace instead."""
    assert parse_traceparent(header) is None


@given(st.text(max_size=80))
def test_traceparent_never_raises_for_any_text(text: str) -> None:
    """A header is somebody else's input."""
    parse_traceparent(text, text)


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        (" a=1 ,\tb=2,,", "a=1,b=2"),
        ("tenant@vendor=x", "tenant@vendor=x"),
        ("UPPER=1", ""),
        ("a=1,a=2", ""),
        ("a=has,comma", ""),
        ("a", ""),
        ("a=", ""),
        (",".join(f"k{n}=v" for n in range(33)), ""),
        (None, ""),
    ],
)
def test_tracestate_is_kept_whole_or_dropped(header: str | None, kept: str) -> None:
    """A malformed tracestate is dropped; a good one comes out in its shortest form."""
    assert parse_tracestate(header) == kept
    context = parse_traceparent(f"00-{_TRACE}-{_SPAN}-01", header)
    assert context is not None
    assert context.trace_state == kept


def test_tracestate_that_is_long_keeps_its_first_members() -> None:
    """At most 512 characters of whole members, the most recent ones."""
    kept = parse_tracestate(",".join(f"k{n}={'v' * 100}" for n in range(10)))
    assert kept == ",".join(f"k{n}={'v' * 100}" for n in range(4))


def test_context_refuses_ids_that_are_none() -> None:
    """A context without ids is None, never a value with zeros."""
    with pytest.raises(ValueError, match="trace id must be"):
        SpanContext(trace_id=0, span_id=1)
    with pytest.raises(ValueError, match="trace id must be"):
        SpanContext(trace_id=1, span_id=1 << 64)


def test_child_is_recorded_whatever_the_caller_decided() -> None:
    """An unsampled caller's task is sampled; the random flag and the state go on."""
    caller = SpanContext(trace_id=1, span_id=2, flags=2, trace_state="a=1")
    child = caller.child(7)
    assert (child.trace_id, child.span_id, child.trace_state) == (1, 7, "a=1")
    assert child.is_sampled
    assert not caller.is_sampled
    assert child.traceparent.endswith("-03")


def test_context_from_hex_is_the_row_s() -> None:
    """Ids in a row come back as they went in, leading zeros included."""
    context = SpanContext.from_hex("0" * 31 + "a", "0" * 15 + "b")
    assert (context.trace_id_hex, context.span_id_hex) == ("0" * 31 + "a", "0" * 15 + "b")


def test_new_ids_are_not_repeated() -> None:
    """Ten thousand ids of each sort are all different and in range."""
    assert len({new_trace_id() for _ in range(10_000)}) == 10_000
    assert len({new_span_id() for _ in range(10_000)}) == 10_000
    assert SpanContext.new() != SpanContext.new()


@given(span_ids, st.text(max_size=20))
def test_derived_id_is_the_same_for_all_and_never_zero(span_id: int, label: str) -> None:
    """Two writers that never met derive the same id; another label gives another."""
    derived = derived_span_id(span_id, label)
    assert derived == derived_span_id(span_id, label)
    assert 0 < derived < 1 << 64
    assert derived not in {span_id, derived_span_id(span_id, label + "x")}


def test_derived_id_is_what_it_always_was() -> None:
    """Rows written by an older release derive the same ids: the value is pinned."""
    assert derived_span_id(1, "deadline exceeded") == 0xB38A99C7A1098BED
