"""What espeak is given: prepared texts, parts it speaks in full, voices from its data files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import EngineRejectedError
from app.speech.engine import Mark, SegmentRequest
from app.speech.espeak_limits import MAX_WORD_BYTES, parts
from app.speech.espeak_plan import plan
from app.speech.espeak_text import prepare, to_original
from app.speech.espeak_voices import data_path, read_voices, voice_of_language
from app.speech.graphemes import is_break
from app.speech.language import LANGUAGES
from app.speech.marks import tokens

VOICES = read_voices(data_path())
_PARTS = st.sampled_from(["天", "ab ", "7", "x", "， ", "한", "の", "😀", "e\u0301"])


@pytest.mark.parametrize(
    ("original", "spoken"),
    [
        ("_so_ snake_case", " so  snake case"),
        ("a\0b\x01\x85", "a b  "),
        ("\ud800x", " x"),
        ("①⑩ ٣ ０Ａ", "110 3 0A"),
        ("⅐ ½ x²", "1/7 ½ x²"),
        ("ﬁne 𝟙", "fine 1"),
        ("私は学ぶ", "私 は 学 ぶ"),
        ("床前明月光\n疑是地上霜", "床前明月光。\n疑是地上霜"),
        ("to do\n- one\n- two", "to do.\n- one.\n- two"),
        ("tab\tstays\n", "tab\tstays\n"),
    ],
)
def test_prepared_text_can_be_spoken_in_full(original: str, spoken: str) -> None:
    """Silent characters become spoken ones, line ends of verse become sentence ends."""
    assert prepare(original).text == spoken


@given(st.text(max_size=100))
def test_every_prepared_character_knows_its_origin(original: str) -> None:
    """For every text: origins are offsets of it, in order, and it can be written as UTF-8."""
    spoken = prepare(original)
    assert len(spoken.offsets) == len(spoken.text)
    assert list(spoken.offsets) == sorted(spoken.offsets)
    assert all(0 <= offset < len(original) for offset in spoken.offsets)
    spoken.text.encode()


def test_marks_go_back_to_words_of_the_original() -> None:
    """A mark on a part of a word stands for the word; the second part adds nothing."""
    original = "⑩ v1.4.2"
    spoken = prepare(original)
    marks = [Mark(kind="word", start=token.start, end=token.end, at_ms=n * 100)
             for n, token in enumerate(tokens(spoken.text))]  # fmt: skip
    marks.append(Mark(kind="word", start=6, end=7, at_ms=900))
    found = [(original[m.start : m.end], m.at_ms) for m in to_original(marks, spoken, original)]
    assert found == [("⑩", 0), ("v1.4.2", 100)]


@given(
    st.one_of(
        st.text(max_size=600),
        st.lists(
            st.sampled_from(["天", "ab ", "7", "x", "， ", "한", "の", "😀", "e\u0301"]),
            max_size=900,
        ).map("".join),
    ),
    st.booleans(),
)
def test_parts_are_the_whole_text(text: str, spells_han: bool) -> None:  # noqa: FBT001 - drawn
    """For every text: parts follow each other without a gap, and tear no grapheme."""
    spans = parts(text, spells_han=spells_han)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(is_break(text, start) for start, _ in spans)


@pytest.mark.parametrize(
    ("text", "most_chars"),
    [("天" * 1000, 200), ("7" * 500, 30), ("ab" * 500, MAX_WORD_BYTES), ("1234 " * 200, 200)],
)
def test_parts_stay_within_what_espeak_keeps(text: str, most_chars: int) -> None:
    """No part is longer than the lists of the library hold."""
    assert max(end - start for start, end in parts(text)) <= most_chars


def test_ordinary_text_is_one_part() -> None:
    """Sentences with marks are not cut: their melody stays whole."""
    text = "She was considering, in her own mind, whether to get up. " * 20
    assert parts(text) == [(0, len(text))]
    assert parts("今天是个好日子，我们出去走走吧。" * 40) == [(0, 640)]


def test_words_are_not_torn_where_a_gap_is_near() -> None:
    """A long clause is cut between words."""
    text = "extraordinary circumstances " * 60
    for start, _ in parts(text):
        assert start == 0 or text[start - 1] == " "


def test_voices_are_those_of_the_data_files() -> None:
    """Ids are file names, but British is en-gb; the library was not needed to know."""
    assert len(VOICES) > 100
    assert VOICES["en-gb"].file == "gmw/en"
    assert VOICES["yue-latn-jyutping"].file == "sit/yue-Latn-jyutping"
    assert VOICES["cmn"].voice.languages[0] == "cmn"


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("zh", "cmn"), ("zh-CN", "cmn"), ("zh_Hant_HK", "yue"), ("zh-HK", "yue"), ("yue", "yue"),
        ("en", "en-us"), ("en-GB", "en-gb"), ("en-AU", "en-us"), ("fr", "fr"), ("fr-CA", "fr"),
        ("pt-PT", "pt"), ("no", "nb"), ("ja-JP", "ja"), ("tlh", None),
    ],
)  # fmt: skip
def test_language_finds_its_voice(language: str, voice: str | None) -> None:
    """By tag, alias, or shorter tag."""
    found = voice_of_language(language, VOICES)
    assert (found.voice.id if found else None) == voice


def test_every_detected_language_has_a_voice() -> None:
    """What language_of can answer is what espeak can speak."""
    for language in [*LANGUAGES.values(), "en"]:
        assert voice_of_language(language, VOICES) is not None, language


@pytest.mark.parametrize(("voice", "language"), [("nobody", ""), ("", "xx-YY")])
def test_unknown_voice_and_language_are_rejected(voice: str, language: str) -> None:
    """Named, with examples of what is allowed."""
    request = SegmentRequest(text="a", voice=voice, language=language, sample_rate=22050)
    with pytest.raises(EngineRejectedError, match=voice or language):
        plan(request, VOICES)


def test_pause_between_voices_follows_the_marks() -> None:
    """None inside a sentence, a short one at a comma, a longer one at its end."""
    request = SegmentRequest(text="用 Flask，写。OK 了", sample_rate=22050)
    assert [run.pause_ms for run in plan(request, VOICES)][:3] == [0, 120, 300]
