"""Attribute values: clean, bounded, of four types, whatever goes in."""

import unicodedata
from enum import StrEnum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.values import (
    MAX_STACKTRACE_BYTES,
    MAX_VALUE_BYTES,
    clean_attributes,
    clean_name,
    clean_stacktrace,
    clean_text,
    clean_value,
)
from tests.support.span_strategies import any_text

#: Above every limit, without drawing every character.
_long_text = st.builds(lambda text, times: text * times, any_text, st.integers(50, 600))


class _Colour(StrEnum):
    RED = "red"


def _bad(text: str, allowed: str = "") -> list[str]:
    return [
        char for char in text if unicodedata.category(char) in {"Cc", "Cs"} and char not in allowed
    ]


@given(any_text | _long_text)
def test_text_is_clean_and_bounded_for_every_string(text: str) -> None:
    """No control character, no lone surrogate, at most MAX_VALUE_BYTES of UTF-8."""
    cleaned = clean_text(text)
    assert not _bad(cleaned)
    assert len(cleaned.encode()) <= MAX_VALUE_BYTES


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=250))
def test_text_is_unchanged_where_nothing_is_wrong(text: str) -> None:
    """Letters, digits, signs and spaces of any script come out as they went in."""
    assert clean_text(text) == text


@given(any_text | _long_text)
def test_stacktrace_is_clean_bounded_and_keeps_its_end(text: str) -> None:
    """Line breaks stay; what is cut is cut at the beginning."""
    cleaned = clean_stacktrace(text)
    assert not _bad(cleaned, allowed="\n\t")
    assert len(cleaned.encode()) <= MAX_STACKTRACE_BYTES
    tail = "".join("\ufffd" if _bad(char, "\n\t") else char for char in text[-20:])
    assert cleaned.endswith(tail)


def test_text_is_cut_between_characters() -> None:
    """A character of several bytes is kept whole or not at all."""
    cleaned = clean_text("语" * 1000)
    assert cleaned == "语" * ((MAX_VALUE_BYTES - 3) // 3) + "…"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, "9223372036854775808"),
        (2**5000, "<integer of 5001 bits>"),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (_Colour.RED, "red"),
        (["a", 1, None, True], '["a", 1, null, true]'),
        (("x\0y",), '["x\ufffdy"]'),
        ({"k": 2**70}, '{"k": "1180591620717411303424"}'),
        (b"bytes", "<bytes>"),
        (object(), "<object>"),
        (np.int64(5), 5),
        (np.float32(0.5), 0.5),
        ("line\nbreak\ttab\r", "line break tab "),
        ("NUL\0, DEL\x7f, C1\x85", "NUL\ufffd, DEL\ufffd, C1\ufffd"),
        ("lone \ud800", "lone \ufffd"),
    ],
)
def test_value_becomes_one_of_four_types(value: object, expected: object) -> None:
    """Everything becomes an exact str, int, float or bool that OTLP can carry."""
    cleaned = clean_value(value)
    assert cleaned == expected
    assert type(cleaned) is type(expected)


def test_attributes_are_sorted_and_without_nothing() -> None:
    """Keys are in order; None and keys that clean to nothing are left out."""
    cleaned = clean_attributes({"b": 1, "a": "x", "c": None, "": 2})
    assert list(cleaned.items()) == [("a", "x"), ("b", 1)]


def test_name_of_no_string_is_empty() -> None:
    """A name that is no string cannot become one by accident."""
    assert clean_name(17) == ""
    assert len(clean_name("n" * 1000).encode()) == 256
