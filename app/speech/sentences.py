"""Where sentences, paragraphs and chapters of a text end, by offsets; nothing is lost or changed.

Linear on any input: the patterns are possessive, and none starts twice in one run. White space
and closing quotes belong to the sentence before them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from app.domain.audio import is_cjk
from app.speech.graphemes import is_break

Boundary = Literal["clause", "sentence", "paragraph", "chapter"]

#: Milliseconds of silence after each kind of boundary.
PAUSES_MS: Mapping[Boundary, int] = MappingProxyType(
    {"clause": 120, "sentence": 300, "paragraph": 600, "chapter": 1500}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """text[start:end], and what ends there."""

    start: int
    end: int
    boundary: Boundary


#: Marks that may end a sentence, or the end of a line.
_END = re.compile(r"[。！？｡!?….]++|\n")
_WIDE_END = re.compile(r"[。！？｡]")
_SPACE = re.compile(r"\s*+")
_CLOSERS = "\"'”’)]】」』》）〉〕"
_OPENERS = "\"'“‘([【「『《（〈〔_*"
#: White space that ends a paragraph: an empty line, a form feed, an indented next line.
_PARAGRAPH = re.compile(r"\n[^\S\n]*+\n|\n(?=[\u3000\t]|[ ]{2})|[\x0c\u2029]")

#: First line of a chapter. "Part 2 of the report" in a long paragraph is none: a heading is short.
_HEADING = re.compile(
    r"""
        第[0-9０-９零〇一二三四五六七八九十百千两]{1,9}[章回节卷部篇集]
        | (?:chapter|book|part)[ \t]{1,9}(?:\d{1,4}|[ivxlcdm]{1,8})\b
        | \#{1,2}[ \t]
        | (?:prologue|epilogue|preface|序章|序言|楔子|前言|尾声|后记)[^\S\n]{0,9}$
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
#: Characters; a longer first line is prose.
_HEADING_CHARS = 80
_LIST_ITEM = re.compile(r"(?:[-*•·●]|\d{1,3}[.)、]|[(（]\d{1,3}[)）])[ \t]")

#: Words whose dot never ends a sentence.
_TITLE = re.compile(
    r"dr|mr|mrs|ms|prof|st|sr|jr|rev|gen|col|capt|lt|sgt|hon|messrs|mme|vs", re.IGNORECASE
)
#: Words whose dot ends none before a number.
_COUNTED = re.compile(
    r"nos?|figs?|vols?|ch|sec|art|eq|pp?|ver|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
    r"|approx|ca|tel",
    re.IGNORECASE,
)
#: Abbreviations with inner dots that may stand last: "at 3 p.m. Then …".
_MAY_END = frozenset({"a.m", "p.m"})
_LAST_WORD = re.compile(r"[A-Za-z.]*\Z")
#: Characters; no abbreviation is longer.
_WORD_CHARS = 12


def sentences(text: str) -> list[Sentence]:
    """`text` as sentences, in order; together they are the whole text. Linear."""
    found: list[Sentence] = []
    start = 0
    for end, boundary in _ends(text):
        found.append(Sentence(start=start, end=end, boundary=boundary))
        start = end
    if start < len(text):
        found.append(Sentence(start=start, end=len(text), boundary="paragraph"))
    return found


def _ends(text: str) -> Iterator[tuple[int, Boundary]]:
    position = 0
    quotes = _Quotes(text)
    while match := _END.search(text, position):
        is_line = match.group() == "\n"
        closed = match.start() if is_line else quotes.after_closers(match.end())
        position = _after_space(text, closed)
        boundary = _boundary(text, match, closed, position)
        if boundary is not None and is_break(text, position):
            yield position, boundary
        if boundary in {"paragraph", "chapter"}:
            quotes.forget(position)


def _after_space(text: str, index: int) -> int:
    match = _SPACE.match(text, index)
    return match.end() if match else index


class _Quotes:
    """Tells whether a straight quote closes, by counting them from the start of the paragraph."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._counted_to = 0
        self._count = 0

    def forget(self, index: int) -> None:
        self._counted_to, self._count = index, 0

    def after_closers(self, index: int) -> int:
        """The offset after the quotes and brackets that close at `index`."""
        text = self._text
        while index < len(text) and text[index] in _CLOSERS:
            if text[index] in "\"'" and not self._is_closing(index):
                break
            index += 1
        return index

    def _is_closing(self, index: int) -> bool:
        following = self._text[index + 1 : index + 2]
        if not following or following.isspace():
            return True
        if self._text[index] == "'":
            return not following.isalnum()
        self._count += self._text.count('"', self._counted_to, index)
        self._counted_to = index
        return self._count % 2 == 1


def _boundary(text: str, mark: re.Match[str], closed: int, position: int) -> Boundary | None:
    """What ends where `mark` stands, `closed` is after its quotes, `position` after white space."""
    if position >= len(text):
        return "paragraph"
    gap = text[closed:position]
    if _PARAGRAPH.search(gap):
        return "chapter" if _is_heading(text, position) else "paragraph"
    is_end = mark.group() != "\n" and _ends_sentence(text, mark, closed, position)
    if "\n" in gap:
        if is_end and _is_heading(text, position):
            return "chapter"
        if is_end and _WIDE_END.search(mark.group()):
            return "paragraph"
        if _is_line_a_sentence(text, closed, position):
            return "sentence"
    return "sentence" if is_end else None


def _is_heading(text: str, index: int) -> bool:
    if not _HEADING.match(text, index):
        return False
    return "\n" in text[index : index + _HEADING_CHARS] or len(text) <= index + _HEADING_CHARS


def _is_line_a_sentence(text: str, end: int, position: int) -> bool:
    """Lines of Chinese verse and list items end without a mark; wrapped lines of Latin go on."""
    return (end > 0 and is_cjk(text[end - 1])) or _LIST_ITEM.match(text, position) is not None


def _ends_sentence(text: str, mark: re.Match[str], closed: int, position: int) -> bool:
    if _WIDE_END.search(mark.group()):
        return True
    following = text[position : position + 4].lstrip(_OPENERS)[:1]
    if closed == position:
        before = text[mark.start() - 1 : mark.start()]
        return is_cjk(following) and (mark.group() != "." or is_cjk(before))
    if following.islower():
        return False
    return mark.group() != "." or not _is_abbreviation(text, mark.start(), following)


def _is_abbreviation(text: str, dot: int, following: str) -> bool:
    """Whether the word before the dot at `dot` is one that goes on with `following`."""
    found = _LAST_WORD.search(text[max(0, dot - _WORD_CHARS) : dot])
    word = found.group() if found else ""
    if _TITLE.fullmatch(word):
        return True
    if _COUNTED.fullmatch(word):
        return following.isdigit()
    if "." in word.strip("."):
        return word.lower() not in _MAY_END
    is_initial = len(word) == 1 and word.isupper() and word != "I"
    return is_initial and following.isalpha() and not is_cjk(following)
