"""espeak leaves no word out: each token of a text has a word mark, and the time to be spoken."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.errors import EngineRejectedError
from app.speech.engine import Engine
from app.speech.registry import load_engines
from tests.support.speech import Speech, speak

DATA = Path(__file__).parents[1] / "data"
MIXED = (DATA / "texts" / "mixed-report.zh-en.txt").read_text(encoding="utf-8")

#: What a reader calls a word, told apart from the product's own idea: letters and digits that
#: touch, and each Han character.
_TOKEN = re.compile(r"[\u4e00-\u9fff]|(?:(?![\u4e00-\u9fff_])\w)+")


@pytest.fixture(scope="module")
def espeak() -> Iterator[Engine]:
    """One engine, one host."""
    engine = load_engines(["espeak"])["espeak"]
    yield engine
    engine.close()


def _assert_all_spoken(made: Speech) -> None:
    """Every token overlaps a mark, and the marks leave each its time (20 ms a character)."""
    for token in _TOKEN.finditer(made.text):
        if not any(m.start < token.end() and token.start() < m.end for m in made.marks):
            message = f"{token.group()!r} at {token.start()} has no word mark"
            raise AssertionError(message)
    least_ms = 20 * sum(len(token.group()) for token in _TOKEN.finditer(made.text))
    assert made.duration_ms > least_ms


def test_mixed_report_is_spoken_in_full(espeak: Engine) -> None:
    """Chinese, English, numbers, URL, address and units of the mixed text: each is heard."""
    for line in MIXED.splitlines():
        _assert_all_spoken(speak(espeak, line))


def test_each_word_of_the_mixed_report_takes_time(espeak: Engine) -> None:
    """Without marks: a line is longer than the same line with one of its words left out."""
    line = MIXED.splitlines()[0]
    whole_ms = speak(espeak, line).duration_ms
    for token in _TOKEN.finditer(line):
        without = line[: token.start()] + " " + line[token.end() :]
        assert speak(espeak, without).duration_ms < whole_ms - 25, token.group()


@pytest.mark.parametrize("seed", range(8))
def test_generated_mixes_are_spoken_in_full(espeak: Engine, seed: int) -> None:
    """Random mixes of Chinese, English, acronyms, numbers, paths and signs."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    words = [
        *[
            "项目",
            "接口",
            "上线",
            "的",
            "从",
            "失败率",
            "第",
            "届",
            "我们",
            "一百二十",
            "重庆",
            "元",
        ],
        *["Flask", "API", "the", "of the", "there was", "p95", "iPhone", "café", "it’s", "I", "A"],
        *["3.1", "2025-10-14", "50%", "1,234.50", "840ms", "v1.4.2", "12345678901", "0", "007"],
        *["/api/task", "a@b.org", "x=y", "C++", "snake_case", "_so_", "℃", "$5", "#1", "①", "٣"],
    ]
    seams = ["", " ", " ", " ", "，", "。", ", ", ". ", "：“", "” ", " (", ") ", "——", "\n", "、"]
    text = "".join(chance.choice(words) + chance.choice(seams) for _ in range(120))
    _assert_all_spoken(speak(espeak, text))


@pytest.mark.parametrize(
    "text",
    [
        " ".join(str(1000 + 137 * n) for n in range(60)),
        "，".join(f"{1000 + 137 * n}元" for n in range(60)),
        "天地玄黄宇宙洪荒" * 60,
        "0123456789" * 30,
        "ba" * 200,
        "extraordinarily " * 100,
        "a " * 400,
        "Привет " * 150,
        "そして" * 60,
        "그래서 명예 " * 60,
        "𠮷野家" * 40,
        "𓀀 " * 20,
        "わたしはがくせいです" * 20,
        "สวัสดีครับวันนี้อากาศดี" * 20,
    ],
    ids=lambda text: text[:9],
)
def test_long_clauses_and_words_are_spoken_in_full(espeak: Engine, text: str) -> None:
    """What would overflow the library's lists (clause and word) is spoken all the same.

    The text twice takes twice as long; where the end were dropped, it would not.
    """
    made = speak(espeak, text)
    _assert_all_spoken(made)
    half = speak(espeak, text[: len(text) // 2])
    assert made.duration_ms > 1.7 * half.duration_ms


@pytest.mark.parametrize(
    ("text", "voice", "language", "files"),
    [
        ("你好 world", "", "", ["sit/cmn", "gmw/en-US"]),
        ("你好 world", "yue", "", ["sit/yue", "gmw/en-US"]),
        ("你好 world", "", "zh-HK", ["sit/yue", "gmw/en-US"]),
        ("你好 world", "en-gb", "", ["sit/cmn", "gmw/en"]),
        ("你好 world", "", "en", ["sit/cmn", "gmw/en-US"]),
        ("Bonjour 你好", "", "fr", ["roa/fr", "sit/cmn"]),
        ("なまえは Tom", "", "", ["jpx/ja", "gmw/en-US"]),
        ("Привет, 안녕", "auto", "", ["zle/ru", "ko"]),
        ("2025", "", "zh", ["sit/cmn"]),
    ],
)
def test_each_script_has_the_right_voice(
    text: str, voice: str, language: str, files: list[str]
) -> None:
    """The asked voice for its script, else the asked language's, else the script's usual one."""
    from app.speech.engine import SegmentRequest
    from app.speech.espeak_plan import plan
    from app.speech.espeak_voices import data_path, read_voices

    request = SegmentRequest(text=text, voice=voice, language=language, sample_rate=22050)
    assert [run.voice.file for run in plan(request, read_voices(data_path()))] == files


def test_change_of_voice_inside_a_sentence_is_no_pause(espeak: Engine) -> None:
    """Where no mark stands between two scripts, no more than 60 ms of quiet do."""
    import numpy as np

    pcm = np.frombuffer(speak(espeak, "用Flask写").pcm, dtype="<i2")
    loud = np.flatnonzero(np.abs(pcm.astype(int)) > 104)
    assert np.diff(loud).max() < 0.06 * 22050


@pytest.mark.parametrize(
    ("text", "voice"), [("こんにちは、世界。今日はいい天気ですね。", ""), ("学生です", "ja")]
)
def test_kanji_are_refused_not_named(espeak: Engine, text: str, voice: str) -> None:
    """Japanese with kanji is refused: espeak would say "Chinese letter" for each of them."""
    with pytest.raises(EngineRejectedError, match="kanji") as caught:
        speak(espeak, text, voice=voice)
    assert caught.value.error_type == "unreadable_script"


def test_chinese_with_a_little_kana_is_spoken(espeak: Engine) -> None:
    """A kana sign in a Chinese text does not make it Japanese."""
    assert speak(espeak, "我喜欢鲜の每日这个牌子的牛奶，每天早上都喝一瓶。").pcm
