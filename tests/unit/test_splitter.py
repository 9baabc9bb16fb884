"""The splitter: lossless, within its cap, at the right places, in linear time."""

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.audio import is_speakable, spoken_units
from app.speech.graphemes import is_break
from app.speech.sentences import sentences
from app.speech.splitter import MAX_UNITS, Piece, split

#: Everything that has broken a splitter: quotes, dots, joiners, flags, marks, both scripts.
_PARTS = st.sampled_from(
    [
        *"。！？…，、；：“”‘’「」《》（）—　",
        *".!?,;:\"'()[]-_ \n\t\r\x0c\u2028\u200d\ufe0f\u0301\u1100\u1161\u11a8",
        *[
            "Dr.",
            "p.m.",
            "3.14",
            "e.g. ",
            "\r\n",
            "🇨🇳",
            "👨‍👩‍👧",
            "https://a.b/c?d=e",
            "第二回 ",
            "\n\n",
            "# ",
        ],
        *["天", "好的", "word", "A", "I.", "Ω", "한", "あ", "1", "é", "e\u0301"],
    ]
)
_MESSY = st.one_of(st.text(max_size=300), st.lists(_PARTS, max_size=120).map("".join))


def _texts(text: str, pieces: list[Piece]) -> list[str]:
    return [text[piece.start : piece.end] for piece in pieces]


@given(_MESSY, st.sampled_from([1.0, 7.5, 30.0, MAX_UNITS]))
def test_split_loses_nothing_and_keeps_the_cap(text: str, max_units: float) -> None:
    """For every text and cap: the pieces joined are the text, and none is above the cap.

    Unless it is a single grapheme. Units and speakability are those of the piece's own text.
    """
    pieces = split(text, max_units=max_units)
    assert "".join(_texts(text, pieces)) == text
    for piece in pieces:
        own = text[piece.start : piece.end]
        assert own
        assert piece.units == spoken_units(own)
        assert piece.is_speakable == is_speakable(own)
        if piece.units > max_units:
            inner = range(piece.start + 1, piece.end)
            assert not any(is_break(text, index) for index in inner)


@given(_MESSY)
def test_split_cuts_at_graphemes_only(text: str) -> None:
    """For every text: no piece starts with a mark that belongs to the character before it."""
    for piece in split(text, max_units=3):
        assert is_break(text, piece.start)


@given(_MESSY)
def test_sentences_are_the_whole_text(text: str) -> None:
    """For every text: sentences follow each other without a gap, and none is empty."""
    found = sentences(text)
    assert all(sentence.start < sentence.end for sentence in found)
    assert all(one.end == two.start for one, two in pairwise(found))
    assert "".join(text[s.start : s.end] for s in found) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Dr. Smith paid $1,234.50 at 3:45 p.m. on Oct. 14. He said “Stop. Go home.” He left! ",
            [
                "Dr. Smith paid $1,234.50 at 3:45 p.m. on Oct. 14. ",
                "He said “Stop. ",
                "Go home.” ",
                "He left! ",
            ],
        ),
        (
            "See https://a.b/c.d?e=f. Version 2.5.1 is out... isn't it? J. K. Rowling, e.g. Emma.",
            [
                "See https://a.b/c.d?e=f. ",
                "Version 2.5.1 is out... isn't it? ",
                "J. K. Rowling, e.g. Emma.",
            ],
        ),
        (
            "张三说：“你好！我叫李四。”他笑了……然后走了。价格为12.5元；真的吗？！是的。",
            [
                "张三说：“你好！",
                "我叫李四。”",
                "他笑了……",
                "然后走了。",
                "价格为12.5元；真的吗？！",
                "是的。",
            ],
        ),
        (
            "我用Flask写了API。It works well. 真的很好！Dr. Li说：“OK。”",
            ["我用Flask写了API。", "It works well. ", "真的很好！", "Dr. Li说：“OK。”"],
        ),
        (
            '他说:"你好。"她笑了。"再见。"他走了。',
            ['他说:"你好。"', "她笑了。", '"再见。"', "他走了。"],
        ),
        ("“Oh dear!” said Alice. No. I won't. No. 5 is.", None),
        ("We meet at 3 p.m. Then we eat.", ["We meet at 3 p.m. ", "Then we eat."]),
        ("他用 Python 3.11 写代码. 很好！", ["他用 Python 3.11 写代码. ", "很好！"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str] | None) -> None:
    """Abbreviations, decimals, URLs, initials and quotes of both languages end nothing early."""
    expected = expected or ["“Oh dear!” said Alice. ", "No. ", "I won't. ", "No. 5 is."]
    assert [text[s.start : s.end] for s in sentences(text)] == expected


def test_boundaries_name_what_ends() -> None:
    """Empty lines end paragraphs, headings start chapters, wrapped lines end nothing."""
    text = "Title\n\nIt was a\ndark night. Rain fell."
    text += "\n\nChapter 2\nNext day\n\n　　第三回 起\n\n* * *\n\n完"
    found = [(text[p.start : p.end].strip(), p.boundary, p.is_speakable) for p in split(text)]
    assert found == [
        ("Title", "paragraph", True),
        ("It was a\ndark night. Rain fell.", "chapter", True),
        ("Chapter 2\nNext day", "chapter", True),
        ("第三回 起", "paragraph", True),
        ("* * *", "paragraph", False),
        ("完", "paragraph", True),
    ]


def test_mixed_report_is_cut_at_its_marks() -> None:
    """The mixed text: no token is torn even with a cap of 80 units."""
    text = (
        "项目周报:Flask 3.1 的 /api/task/stream 接口在 2025-10-14 上线，p95 从 840ms 降到 120ms。\n"
        "The root cause: Dr. Smith (v1.4.2) had left a 40-minute timeout in config.yaml; see "
        "https://example.org/a?b=c&d=e.\n“50% 的失败都在 worker-3，”她写道，“约合 US$170.”\n"
    )
    pieces = _texts(text, split(text, max_units=80))
    tokens = ["/api/task/stream", "2025-10-14", "v1.4.2", "40-minute", "config.yaml", "US$170"]
    tokens += ["https://example.org/a?b=c&d=e", "worker-3", "840ms", "Dr. Smith", "50%"]
    for token in tokens:
        assert any(token in piece for piece in pieces), token


def test_long_sentence_is_cut_at_its_last_good_clause() -> None:
    """Above the cap the cut is at a clause mark, and says so; commas in numbers are none."""
    text = "one two three, four 1,000,000 five six seven eight nine ten eleven twelve."
    pieces = split(text, max_units=40)
    assert _texts(text, pieces)[0] == "one two three, "
    assert pieces[0].boundary == "clause"
    assert any("1,000,000" in piece for piece in _texts(text, pieces))


def test_word_is_torn_only_if_it_is_above_the_cap() -> None:
    """A run of Latin letters inside Chinese moves to the next piece as a whole."""
    text = "天" * 14 + "Kubernetes" + "地" * 10
    assert any("Kubernetes" in piece for piece in _texts(text, split(text, max_units=40)))


def test_command_lines_stay_whole() -> None:
    """A line that fits a piece is never cut at its white space."""
    text = "".join(
        f"some words without any end of a sentence {n}\n@sleep {n}.5\n" for n in range(99)
    )
    lines = "".join(f"{piece}\0" for piece in _texts(text, split(text, max_units=60))).split("\0")
    whole = [line for piece in lines for line in piece.splitlines()]
    assert [line for line in whole if line.startswith("@")] == [f"@sleep {n}.5" for n in range(99)]


def test_lower_case_text_is_cut_at_its_dots() -> None:
    """Text without capitals has no sure sentence ends, but its dots are the best clauses."""
    text = "hello there. how are you. i am fine. " * 10
    assert all(t.endswith(". ") for t in _texts(text, split(text, max_units=50)))


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "天",
        ".",
        '"',
        " ",
        "\n",
        "\u0301",
        ')"',
        ". ",
        ", ",
        "a@",
        "。”",
        "\u200d",
        "🇨",
        "第一回\n",
    ],
)
def test_split_is_linear(unit: str) -> None:
    """Four times the text takes about four times the time, for any repeated character."""

    def cost_s(count: int) -> float:
        text = unit * count
        start = process_time()
        split(text)
        return process_time() - start

    small = max(min(cost_s(20_000) for _ in range(2)), 0.002)
    # one that was disturbed is measured again; what is not linear is never near
    assert any(cost_s(80_000) < 12 * small for _ in range(3))


def test_cap_of_nothing_is_refused() -> None:
    """A cap of zero would never end."""
    with pytest.raises(ValueError, match="max_units must be above zero"):
        split("a", max_units=0)


def test_empty_text_has_no_pieces() -> None:
    """No text, no piece."""
    assert split("") == []
