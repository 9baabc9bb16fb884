"""Hypothesis strategies for spans: ids, attributes of every type, any Unicode, odd times."""

from hypothesis import strategies as st

from telemetry.names import SpanKind
from telemetry.spans import SpanEvent, SpanLink, SpanRecord
from telemetry.values import AttributeValue

#: Any text at all: control characters, lone surrogates, long ones.
any_text = st.text(max_size=40) | st.text(
    st.characters(categories=["Cc", "Cs", "Zs", "Lo", "Cf", "Co"]), max_size=20
)
keys = st.from_regex(r"[a-z]{1,8}(\.[a-z_]{1,8}){0,2}", fullmatch=True)
values: st.SearchStrategy[AttributeValue] = any_text | st.integers() | st.floats() | st.booleans()
attributes = st.dictionaries(keys, values, max_size=6)
moments_us = st.integers(min_value=0, max_value=2**63 // 1000)
trace_ids = st.integers(min_value=1, max_value=2**128 - 1)
span_ids = st.integers(min_value=1, max_value=2**64 - 1)

events = st.builds(SpanEvent, name=any_text, at_us=moments_us, attributes=attributes)
links = st.builds(SpanLink, trace_id=trace_ids, span_id=span_ids, attributes=attributes)
records = st.builds(
    SpanRecord,
    trace_id=trace_ids,
    span_id=span_ids,
    parent_span_id=st.none() | span_ids,
    name=any_text,
    kind=st.sampled_from(SpanKind),
    start_us=moments_us,
    end_us=moments_us,
    attributes=attributes,
    events=st.lists(events, max_size=3).map(tuple),
    links=st.lists(links, max_size=3).map(tuple),
    error=st.none() | any_text,
    has_remote_parent=st.booleans(),
)
