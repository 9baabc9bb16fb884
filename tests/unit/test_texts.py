"""Texts: what is refused, what is the same content, and files in other encodings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.encoding import ENCODINGS, decode_text
from app.domain.errors import RequestError, TooLargeError
from app.domain.text import Recipe, check_content, clean_title, content_key, normalise

RECIPE = Recipe(engine="e", engine_version="1", voice="auto", format="mp3", params={})
CHINESE = "众猴慌忙罗拜道：“大王何为烦恼？”猴王道：“我虽在欢喜之时，却有一点儿远虑。”"
TRADITIONAL = "眾猴慌忙羅拜道：「大王何為煩惱？」猴王道：「我雖在歡喜之時，卻有一點兒遠慮。」"


def test_nul_and_lone_surrogate_are_named_by_offset() -> None:
    """What is no character of any text is refused, with its place."""
    with pytest.raises(RequestError, match="offset 2"):
        check_content("ab\0c", max_chars=100)
    with pytest.raises(RequestError, match=r"U\+DC00 at offset 1"):
        check_content("a\udc00", max_chars=100)


@pytest.mark.parametrize("content", ["", " \n", "…… ！？", "🎉🎉", "--- * * *"])
def test_nothing_to_speak_is_refused(content: str) -> None:
    """A text without any letter or digit is refused at once, not after a failed task."""
    with pytest.raises(RequestError, match=r"empty|no letter or digit"):
        check_content(content, max_chars=100)


def test_too_long_says_how_long() -> None:
    """The limit and the length are told."""
    with pytest.raises(TooLargeError, match="11 characters; at most 10"):
        check_content("x" * 11, max_chars=10)


def test_content_key_ignores_what_is_not_heard() -> None:
    """Newlines, composition and outer white space do not make a new text; a voice does."""
    key = content_key("Café\nzwei", RECIPE)
    assert content_key("  Cafe\u0301\r\nzwei\n", RECIPE) == key
    other = Recipe(engine="e", engine_version="1", voice="b", format="mp3", params={})
    assert content_key("Café\nzwei", other) != key


@given(st.text(max_size=200))
def test_normalise_is_stable(content: str) -> None:
    """For every text, normalising twice changes nothing more."""
    assert normalise(normalise(content)) == normalise(content)


@pytest.mark.parametrize(
    ("title", "filename", "content", "shown"),
    [
        ("A title", "x.txt", "c", "A title"),
        ("  ", "Kapitel eins.TXT", "c", "Kapitel eins"),
        (None, None, "\n\n  First line \nsecond", "First line"),
        ("a\x07b\nc", None, "c", "a b c"),
        (None, None, "\u200b", "\u200b"),
    ],
)
def test_title_is_the_first_that_shows(
    title: str | None, filename: str | None, content: str, shown: str
) -> None:
    """The given title, else the file's name, else the first line; control characters are spaces."""
    assert clean_title(title, content=content, filename=filename) == shown


@pytest.mark.parametrize("name", ["utf-8", "gb18030", "utf-16-le", "utf-16-be"])
def test_chinese_files_are_read_in_their_encoding(name: str) -> None:
    """A Chinese file's encoding is recognised and named."""
    text = CHINESE * 3
    decoded = decode_text(text.encode(ENCODINGS[name]) if "16" not in name else _marked(text, name))
    assert (decoded.content, decoded.encoding) == (text, name)


def _marked(text: str, name: str) -> bytes:
    return ("\ufeff" + text).encode(name)


def test_big5_is_told_from_gb18030() -> None:
    """A traditional text in Big5 is not read as rare characters of GB18030."""
    decoded = decode_text((TRADITIONAL * 2).encode("big5"))
    assert (decoded.content, decoded.encoding) == (TRADITIONAL * 2, "big5")


def test_utf16_without_a_mark_is_recognised() -> None:
    """Latin text in UTF-16 shows itself by its zero bytes."""
    decoded = decode_text("Hello there, world.".encode("utf-16-le"))
    assert (decoded.content, decoded.encoding) == ("Hello there, world.", "utf-16-le")


def test_nul_in_another_encoding_is_left_to_be_named() -> None:
    """A NUL does not make a file UTF-16: it stays, and the check of texts names its offset."""
    decoded = decode_text(b"ordinary English text, then a NUL \0 in a longer line of text.")
    assert decoded.encoding == "utf-8"
    with pytest.raises(RequestError, match="offset 34"):
        check_content(decoded.content, max_chars=1000)


def test_named_encoding_overrides_and_errors_name_the_offset() -> None:
    """The caller's word goes first; bytes that are no text in it are refused by offset."""
    assert decode_text("é".encode("gb18030"), encoding="GB18030").content == "é"
    with pytest.raises(RequestError, match="offset 1"):
        decode_text(b"a\xff\xfe\xfdb", encoding="utf-8")
    with pytest.raises(RequestError, match="latin-9"):
        decode_text(b"a", encoding="latin-9")


@given(
    st.text(
        st.characters(blacklist_categories=["Cs"], blacklist_characters="\ufeff\0"), max_size=100
    )
)
def test_utf8_is_read_back(text: str) -> None:
    """For every text, its UTF-8 file is read as that text."""
    assert decode_text(text.encode()).content == text
