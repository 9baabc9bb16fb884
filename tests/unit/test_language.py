"""Languages of texts and runs of one script."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.speech.language import language_of, script_runs

_WORDS = st.sampled_from(
    [
        "天",
        "好的",
        "word",
        "p95",
        "3.1",
        "2025-10-14",
        "，",
        "。",
        " ",
        "\n",
        "“",
        "”",
        "(",
        ")",
        "¥",
        "я",
        "é",
    ]
)


@given(st.one_of(st.text(max_size=200), st.lists(_WORDS, max_size=60).map("".join)))
def test_script_runs_are_the_whole_text(text: str) -> None:
    """For every text: runs follow each other without a gap; neighbours differ in script."""
    runs = script_runs(text)
    assert "".join(text[run.start : run.end] for run in runs) == text
    assert all(run.start < run.end for run in runs)
    assert all(one.end == two.start and one.script != two.script for one, two in pairwise(runs))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("用 Python 3.11 写", ["用 ", "Python 3.11 ", "写"]),
        ("最慢的用了 43.7 秒", ["最慢的用了 43.7 秒"]),
        ("p95 从 840ms 降到 120ms。", ["p95 ", "从 ", "840ms ", "降到 ", "120ms。"]),
        ("张工说:“先看 trace，再猜", ["张工说:“先看 ", "trace，", "再猜"]),
        ("她写道，“费用 US$170.”", ["她写道，“费用 ", "US$170.”"]),
        ("“50% 的失败都在 worker-3，”她", ["“50% 的失败都在 ", "worker-3，”", "她"]),
        ("接口/api 说“OK”。", ["接口", "/api ", "说", "“OK”。"]),
        ("周报:Flask", ["周报:", "Flask"]),
        ("2025", ["2025"]),
    ],
)
def test_numbers_and_signs_go_with_their_word(text: str, expected: list[str]) -> None:
    """A number is spoken in the language of the word it stands at; openers go right."""
    assert [text[run.start : run.end] for run in script_runs(text)] == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello", "en"),
        ("你好，Flask 用户", "zh"),
        ("We met 张三 there and talked for a while", "en"),
        ("日本の首都は東京です", "ja"),
        ("中文里写了「の」字的招牌随处可见", "zh"),
        ("안녕하세요", "ko"),
        ("Привет", "ru"),
        ("123 …", "en"),
        ("", "en"),
    ],
)
def test_language_of_is_that_of_most_letters(text: str, language: str) -> None:
    """The language with the longest speech wins."""
    assert language_of(text) == language


def test_latin_letters_are_what_the_caller_says() -> None:
    """No guess between languages in Latin letters."""
    assert language_of("Bonjour", latin="fr") == "fr"
