"""Captions: sentences as cues, at the moments of their words, in SRT and WebVTT."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.speech.captions import CaptionSegment, captions, segment_cues
from app.speech.tone import create
from app.speech.wrapping import MAX_COLUMNS, columns, wrap
from tests.support.speech import speak

_TIME = re.compile(r"(\d{2,}):(\d\d):(\d\d)[,.](\d{3}) --> (\d{2,}):(\d\d):(\d\d)[,.](\d{3})")


def _segment(text: str, offset_ms: int = 0) -> CaptionSegment:
    made = speak(create({}), text)
    return CaptionSegment(
        text=text, offset_ms=offset_ms, duration_ms=round(made.duration_ms), marks=made.marks
    )


def _times(document: str) -> list[tuple[int, int]]:
    """Start and end of each cue, in ms."""
    found = []
    for match in _TIME.finditer(document):
        h1, m1, s1, t1, h2, m2, s2, t2 = map(int, match.groups())
        found.append(
            (((h1 * 60 + m1) * 60 + s1) * 1000 + t1, ((h2 * 60 + m2) * 60 + s2) * 1000 + t2)
        )
    return found


def _ms(numbers: list[int]) -> int:
    hours, minutes, seconds, milliseconds = numbers
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds


def test_srt_has_numbers_times_and_lines() -> None:
    """One cue a sentence; times by the words' marks, moved by the segment's offset."""
    document = captions([_segment("Hello you. 你好！", 3_600_000)], "srt")
    assert document == (
        "1\n01:00:00,000 --> 01:00:00,660\nHello you.\n\n2\n01:00:00,660 --> 01:00:01,021\n你好！\n"
    )


def test_vtt_has_its_header_and_escapes() -> None:
    """What could be markup is not; the arrow cannot end a cue's text."""
    document = captions([_segment("a <b> & c --> d")], "vtt")
    assert document.startswith("WEBVTT\n\n00:00:00.000 --> ")
    assert "a &lt;b&gt; &amp; c --&gt; d" in document
    assert document.count("-->") == 1
    assert captions([_segment("a --> d")], "srt").count("-->") == 1


def test_long_sentence_has_several_cues_of_two_lines() -> None:
    """No line is wider than a screen, in English and in Chinese."""
    english = "She was considering in her own mind, as well as she could, for the hot day made her "
    chinese = "盖闻天地之数，有十二万九千六百岁为一元，将一元分为十二会，乃子丑寅卯之十二支也"
    for text in (english * 3, chinese * 2):
        for cue in segment_cues(_segment(text)):
            lines = cue.text.split("\n")
            assert len(lines) <= 2
            assert max(map(columns, lines)) <= MAX_COLUMNS + 2


def test_cue_starts_with_its_first_word() -> None:
    """A cue's moment is that of the word that it begins with."""
    segment = _segment("One two. Three four. Five.")
    starts = [cue.start_ms for cue in segment_cues(segment)]
    words = {segment.text[mark.start : mark.end]: mark.at_ms for mark in segment.marks}
    assert starts == [words["One"], words["Three"], words["Five"]]


def test_engine_without_marks_shares_the_time_out() -> None:
    """By spoken length: a sentence three times as long lasts about three times as long."""
    text = "One. " + "Three times as long as one. "
    segment = CaptionSegment(text=text, offset_ms=1000, duration_ms=33_000)
    first, second = segment_cues(segment)
    assert (first.start_ms, second.end_ms) == (1000, 34_000)
    assert first.end_ms == second.start_ms == pytest.approx(6000, abs=200)


def test_signs_alone_are_no_cue() -> None:
    """A segment without words says nothing on the screen."""
    assert captions([CaptionSegment(text="* * *", offset_ms=0, duration_ms=0)], "srt") == ""
    assert captions([], "vtt") == "WEBVTT\n\n"


@given(
    st.lists(
        st.tuples(
            st.text(alphabet="ab 天地。，.!\n", max_size=80),
            st.integers(-50, 2000),
            st.integers(0, 3000),
        ),
        max_size=6,
    ),
    st.sampled_from(["srt", "vtt"]),
)
def test_times_never_go_back(segments: list[tuple[str, int, int]], fmt: str) -> None:
    """For every list of segments, even overlapping ones: each cue lasts, and none overlaps."""
    made = [
        CaptionSegment(text=text, offset_ms=offset_ms, duration_ms=duration_ms)
        for text, offset_ms, duration_ms in segments
    ]
    times = _times(captions(made, "srt" if fmt == "srt" else "vtt"))
    assert all(start < end for start, end in times)
    assert all(one[1] <= two[0] for one, two in pairwise(times))


@given(st.text(alphabet="abc 天地，。“”（(é😀", max_size=200))
def test_wrap_changes_white_space_only(text: str) -> None:
    """For every text: the words stay, in order; only spaces become line ends, or are added."""
    assert "".join(wrap(text).split()) == "".join(text.split())


def test_wrap_keeps_marks_with_their_words() -> None:
    """No line of Chinese starts with a comma or ends with an opening quote."""
    for line in wrap("他说：“这是一个很长很长的句子，需要在合适的地方换行。”" * 2).split("\n")[1:]:
        assert line[0] not in "，。”、"
        assert line[-1] not in "“（"
