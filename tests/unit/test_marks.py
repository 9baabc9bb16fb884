"""Word marks from raw events: merged, shared out, never made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.speech.marks import Event, moved, tokens, word_marks


def _words(text: str, events: list[tuple[int, int]], end_ms: int) -> list[tuple[str, int]]:
    marks = word_marks(text, [Event(*event) for event in events], end_ms)
    return [(text[mark.start : mark.end], mark.at_ms) for mark in marks]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It’s 3.14, o'clock!", ["It’s", "3.14", "o'clock"]),
        ("接口/api v1.4.2", ["接", "口", "api", "v1.4.2"]),
        ("'quoted' dogs’", ["quoted", "dogs"]),
        ("ne\u0301e हिन्दी 한국어", ["ne\u0301e", "हिन्दी", "한국어"]),
        ("1,234.50 10:45 a,b", ["1,234.50", "10:45", "a", "b"]),
        ("", []),
        ("…—!", []),
    ],
)
def test_tokens_are_words_numbers_and_characters(text: str, expected: list[str]) -> None:
    """Apostrophes and marks stay in words, points in numbers; Han characters stand alone."""
    assert [text[token.start : token.end] for token in tokens(text)] == expected


def test_several_events_in_one_word_are_one_mark() -> None:
    """A number's many events make one mark, at the first of them."""
    assert _words("in 2025 we", [(0, 0), (3, 300), (4, 500), (4, 900), (8, 1300)], 1500) == [
        ("in", 0),
        ("2025", 300),
        ("we", 1300),
    ]


def test_joined_words_share_the_time_between_events() -> None:
    """A word without an event gets its part of the time up to the next event."""
    assert _words("of the bank", [(0, 0), (7, 210)], 600) == [("of", 0), ("the", 90), ("bank", 210)]


def test_word_without_time_has_no_mark() -> None:
    """Where nothing lies between two events, the word between was not spoken: no mark."""
    assert _words("of the bank", [(0, 0), (7, 20)], 600) == [("of", 0), ("bank", 20)]


def test_text_without_events_is_marked_only_if_there_is_time() -> None:
    """No event at all: the words share the audio, or have none."""
    assert _words("one two", [], 800) == [("one", 0), ("two", 457)]
    assert _words("one two", [], 10) == []


@given(
    st.text(alphabet="ab 天1.，’ ", max_size=40),
    st.lists(st.tuples(st.integers(-3, 50), st.integers(0, 5000)), max_size=20),
    st.integers(0, 6000),
)
def test_marks_are_ordered_for_any_events(
    text: str, events: list[tuple[int, int]], end_ms: int
) -> None:
    """For every list of events: marks are words of the text, in order, times never going back."""
    marks = word_marks(text, [Event(*event) for event in events], end_ms)
    spans = [(token.start, token.end) for token in tokens(text)]
    found = [(mark.start, mark.end) for mark in marks]
    assert found == [span for span in spans if span in found]
    assert [mark.at_ms for mark in marks] == sorted(mark.at_ms for mark in marks)


def test_moved_marks_are_those_of_the_whole() -> None:
    """Offsets and moments both move."""
    (mark,) = moved(word_marks("a", [Event(0, 5)], 100), 10, 1000)
    assert (mark.start, mark.end, mark.at_ms) == (10, 11, 1005)
