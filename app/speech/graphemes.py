"""Where a text may be cut without tearing a character that a reader sees as one.

The rules of UAX #29 that matter to speech, without its data tables: CR LF, combining marks,
variation selectors and skin tones, zero-width joiners, flags, hangul syllables.
"""

import unicodedata
from functools import lru_cache

_ZERO_WIDTH_JOINER = "\u200d"


def is_break(text: str, index: int) -> bool:
    """Whether text[:index] and text[index:] can be spoken apart. Constant cost, but for flags."""
    if index <= 0 or index >= len(text):
        return True
    before, after = text[index - 1], text[index]
    if before == "\r" and after == "\n":
        return False
    if _extends(after) or before == _ZERO_WIDTH_JOINER:
        return False
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _is_flag_complete(text, index)
    return not _is_one_syllable(before, after)


def break_before(text: str, start: int, index: int) -> int:
    """The last break in start..index, index included; `start` if there is none after it."""
    while index > start and not is_break(text, index):
        index -= 1
    return index


def break_after(text: str, index: int) -> int:
    """The first break after `index`."""
    index += 1
    while not is_break(text, index):
        index += 1
    return min(index, len(text))


@lru_cache(maxsize=4096)
def _extends(char: str) -> bool:
    """Combining marks, joiners, variation selectors, emoji modifiers, tag characters."""
    if char == _ZERO_WIDTH_JOINER or "\U0001f3fb" <= char <= "\U0001f3ff":
        return True
    return unicodedata.category(char).startswith("M") or "\U000e0020" <= char <= "\U000e007f"


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_flag_complete(text: str, index: int) -> bool:
    """Whether an even count of flag letters stands before `index` (at most 64 are looked at)."""
    start = index
    while start > max(0, index - 64) and _is_flag_letter(text[start - 1]):
        start -= 1
    return (index - start) % 2 == 0


def _is_one_syllable(before: str, after: str) -> bool:
    """Hangul: a leading consonant with what follows, a vowel or syllable with its tail."""
    if "\u1100" <= before <= "\u115f":
        return "\u1100" <= after <= "\u11a7" or "\uac00" <= after <= "\ud7a3"
    if "\u1160" <= before <= "\u11a7" or "\uac00" <= before <= "\ud7a3":
        return "\u1160" <= after <= "\u11ff"
    return "\u11a8" <= before <= "\u11ff" and "\u11a8" <= after <= "\u11ff"
