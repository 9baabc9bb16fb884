"""What espeak silently leaves out, and how a text is cut so that it leaves out nothing.

libespeak-ng 1.52 keeps a clause in lists of fixed length, and drops what does not fit without a
word (measured by its word events): phonemes of a clause above about 1000 (200 Han characters, 45
numbers of four digits), words of a clause above 300, phonemes of a word above about 200 (40 digits,
150 letters, 25 emoji), bytes of a word above 160. Each part of a text that is cut here is spoken by
a call of its own.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from app.speech.graphemes import is_break
from app.speech.scripts import script_of

#: Phonemes (guessed high) of one clause and of one word.
MAX_CLAUSE_LOAD = 750.0
MAX_WORD_LOAD = 170.0
#: Bytes of one word in UTF-8.
MAX_WORD_BYTES = 130

#: Phonemes at most, for one character.
_LETTER_LOAD = 2.0
_DIGIT_LOAD = 7.0
_CJK_LOAD = 5.0
_HANGUL_LOAD = 7.0
_MARK_LOAD = 1.0
_SIGN_LOAD = 10.0
_NAMED_LOAD = 25.0
#: For each word: with one phoneme a word, 300 words are still below `MAX_CLAUSE_LOAD`.
_SPACE_LOAD = 1.0


def parts(text: str, *, spells_han: bool = False) -> list[tuple[int, int]]:
    """`text` as spans that espeak speaks in full, in order; usually one. Linear.

    Args:
        text: Of one voice.
        spells_han: Whether the voice names each Han character ("Chinese letter"), as `ja` does.
    """
    cuts = [0, *_cuts(text, spells_han=spells_han), len(text)]
    return [(start, end) for start, end in pairwise(cuts) if start < end]


def _cuts(text: str, *, spells_han: bool) -> Iterator[int]:
    start = gap = word_bytes = 0  # offsets of the part and of the word at hand
    clause = word = 0.0
    for index, char in enumerate(text):
        if _is_gap(text, index, splits_han=not spells_han):
            gap, word, word_bytes = index, 0.0, 0
        weight = _weight(char, spells_han=spells_han)
        is_word_full = word + weight > MAX_WORD_LOAD or word_bytes >= MAX_WORD_BYTES
        is_clause_full = clause + weight > MAX_CLAUSE_LOAD
        if (is_word_full or is_clause_full) and is_break(text, index):
            if is_word_full or gap <= start:
                gap, word, word_bytes = index, 0.0, 0
            if gap > start:
                yield gap
            start, clause = gap, word
        clause = 0.0 if _ends_clause(text, index) else clause + weight
        if not char.isspace():
            word += weight
            word_bytes += len(char.encode(errors="replace"))


def _is_gap(text: str, index: int, *, splits_han: bool) -> bool:
    """Whether a new word starts at `index`: after white space, and at each Han character."""
    char = text[index]
    before = text[index - 1] if index else " "
    starts = before.isspace() and not char.isspace()
    is_han = splits_han and "Hani" in {script_of(char), script_of(before)}
    return (starts or is_han) and is_break(text, index)


def _ends_clause(text: str, index: int) -> bool:
    char = text[index]
    if char in "，。、；：！？…":
        return True
    return char in ",.;:!?" and text[index + 1 : index + 2].isspace()


@lru_cache(maxsize=4096)
def _weight(char: str, *, spells_han: bool) -> float:
    if char.isspace():
        return _SPACE_LOAD
    if char.isdigit():
        return _DIGIT_LOAD
    if char.isalpha():
        return _letter_weight(char, spells_han=spells_han)
    kind = unicodedata.category(char)[0]
    if kind in "MPC":
        return _MARK_LOAD
    return _SIGN_LOAD if char.isascii() else _NAMED_LOAD


def _letter_weight(char: str, *, spells_han: bool) -> float:
    match script_of(char):
        case None:
            return _NAMED_LOAD
        case "Hani":
            return _NAMED_LOAD if spells_han or char >= "\U00020000" else _CJK_LOAD
        case "Hang":
            return _HANGUL_LOAD
        case "Kana":
            return _CJK_LOAD
        case _:
            return _LETTER_LOAD
