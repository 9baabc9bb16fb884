"""Durations and counts in words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.service.figures import LANGUAGES, count, counted, duration


@pytest.mark.parametrize(
    ("us", "words"),
    [
        (27_000, "27 ms"),
        (400_000, "0.4 s"),
        (38_000_000, "38 s"),
        (252_000_000, "4 min 12 s"),
        (242_000_000, "4 min 02 s"),
        (240_000_000, "4 min"),
        (5_760_000_000, "1 h 36 min"),
        (3_599_600_000, "1 h"),
        (183_600_000_000, "2 d 3 h"),
        (None, "–"),
    ],
)
def test_duration_is_told_as_the_design_says(us: int | None, words: str) -> None:
    """The examples of the design, and the roundings between two units."""
    assert duration(us, "en") == words


@given(st.integers(min_value=0, max_value=10**14))
def test_duration_has_two_units_at_most_and_never_sixty(us: int) -> None:
    """For every duration: one or two units, in both languages, and no 60 s, 60 min or 24 h."""
    for language in LANGUAGES:
        words = duration(us, language)
        numbers = re.findall(r"[\d.]+", words)
        assert 1 <= len(numbers) <= 2
        assert not re.search(r"\b(60 (s|min|秒|分)|24 (h|小时))(?!\w)", words)


def test_count_has_thin_spaces() -> None:
    """Thousands are apart, and no value is a dash, never 0."""
    assert count(7104) == "7\u202f104"
    assert count(None) == "–"


def test_one_is_told_apart_from_others() -> None:
    """What is counted agrees with its number."""
    assert counted(1, "task waits", "tasks wait") == "1 task waits"
    assert counted(0, "task waits", "tasks wait") == "0 tasks wait"
    assert counted(7104, "task", "tasks") == "7\u202f104 tasks"
