"""What espeak is given to read: a text that it speaks in full, with a way back to the original.

Measured on 1.52: control characters shift its offsets, "_" makes it join words, digits of other
scripts and circled ones are silent, so is a Han character that kana follow, and a line of Chinese
runs into the next.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.domain.audio import is_cjk
from app.speech.engine import Mark
from app.speech.marks import tokens
from app.speech.scripts import script_of
from app.speech.sentences import sentences

#: Forms of letters and digits that espeak spells or leaves out (UAX #44, decomposition tags).
_FORMS = frozenset(
    [
        *("<circle>", "<final>", "<font>", "<fraction>", "<initial>", "<isolated>", "<medial>"),
        *("<narrow>", "<square>", "<sub>", "<super>", "<wide>"),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenText:
    """A text for espeak.

    Args:
        text: What is spoken.
        offsets: For each of its characters, where in the original it comes from.
    """

    text: str
    offsets: Sequence[int]


def prepare(original: str) -> SpokenText:
    """`original` as espeak should get it."""
    ends = _unmarked_ends(original)
    parts: list[str] = []
    offsets: list[int] = []
    for index, char in enumerate(original):
        seam = " " if _is_kana_seam(original, index) else ""
        part = _reading(char) + ends.get(index, seam)
        parts.append(part)
        offsets += [index] * len(part)
    return SpokenText(text="".join(parts), offsets=offsets)


def to_original(marks: Iterable[Mark], spoken: SpokenText, original: str) -> Iterator[Mark]:
    """Marks of the spoken text as marks of the original: one for each of its words."""
    words = tokens(original)
    starts = [word.start for word in words]
    last = -1
    for mark in marks:
        index = bisect_right(starts, spoken.offsets[mark.start]) - 1
        if index > last:
            word = words[index]
            yield Mark(kind=mark.kind, start=word.start, end=word.end, at_ms=mark.at_ms)
            last = index


def _unmarked_ends(text: str) -> dict[int, str]:
    """Full stops to add after lines that are sentences without saying so, by offset."""
    ends: dict[int, str] = {}
    for sentence in sentences(text)[:-1]:
        words = text[sentence.start : sentence.end].rstrip()
        if words[-1:].isalnum():
            ends[sentence.start + len(words) - 1] = "。" if is_cjk(words[-1]) else "."
    return ends


def _is_kana_seam(text: str, index: int) -> bool:
    """Whether Han and kana touch after `index`."""
    pair = text[index : index + 2]
    return len(pair) == 2 and {script_of(pair[0]), script_of(pair[1])} == {"Hani", "Kana"}


@lru_cache(maxsize=8192)
def _reading(char: str) -> str:
    """One or more characters that espeak speaks for `char`."""
    if char == "_" or (unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t"):
        return " "
    if char < "\u0100" or not char.isalnum():
        return char
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKC", char).replace("\u2044", "/")
    form = unicodedata.decomposition(char).partition(" ")[0]
    return plain if form in _FORMS or plain.isascii() or "\uf900" <= char <= "\ufaff" else char
