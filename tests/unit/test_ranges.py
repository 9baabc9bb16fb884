"""Byte ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.ranges import Span, applies, parse_range


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-9", Span(first=0, last=9)),
        ("bytes=90-", Span(first=90, last=99)),
        ("bytes=90-500", Span(first=90, last=99)),
        ("bytes=-10", Span(first=90, last=99)),
        ("bytes=-500", Span(first=0, last=99)),
        ("bytes=100-", "unsatisfiable"),
        ("bytes=-0", "unsatisfiable"),
        ("bytes=9-0", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=-", None),
        ("bytes=x-9", None),
    ],
)
def test_range_of_a_hundred_bytes(header: str | None, span: Span | str | None) -> None:
    """The cases of RFC 9110, section 14; what is malformed or several is ignored."""
    assert parse_range(header, 100) == span


@given(st.text(max_size=40) | st.from_regex(r"bytes=\d{0,20}-\d{0,20}"), st.integers(0, 10**12))
def test_every_range_lies_within_the_file(header: str, size: int) -> None:
    """For every header and size: what is sent exists, and nothing raises."""
    span = parse_range(header, size)
    if isinstance(span, Span):
        assert 0 <= span.first <= span.last < size


def test_if_range_needs_the_strong_etag() -> None:
    """A weak or another tag makes the answer whole."""
    assert applies(None, "abc")
    assert applies('"abc"', "abc")
    assert not applies('W/"abc"', "abc")
    assert not applies("Wed, 21 Oct 2015 07:28:00 GMT", "abc")
