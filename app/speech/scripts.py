"""Which script a character is written in (Unicode blocks; Python's unicodedata does not say)."""

from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple


class _Block(NamedTuple):
    start: int
    stop: int
    script: str


#: Blocks with letters, in order, both ends included; ISO 15924 codes, with kana as `Kana`.
_BLOCKS = (
    _Block(0x0041, 0x005A, "Latn"),
    _Block(0x0061, 0x007A, "Latn"),
    _Block(0x00AA, 0x00AA, "Latn"),
    _Block(0x00BA, 0x00BA, "Latn"),
    _Block(0x00C0, 0x00D6, "Latn"),
    _Block(0x00D8, 0x00F6, "Latn"),
    _Block(0x00F8, 0x02AF, "Latn"),
    _Block(0x0370, 0x03FF, "Grek"),
    _Block(0x0400, 0x052F, "Cyrl"),
    _Block(0x0531, 0x058F, "Armn"),
    _Block(0x0591, 0x05F4, "Hebr"),
    _Block(0x0620, 0x06FF, "Arab"),
    _Block(0x0750, 0x077F, "Arab"),
    _Block(0x0900, 0x097F, "Deva"),
    _Block(0x0980, 0x09FF, "Beng"),
    _Block(0x0A00, 0x0A7F, "Guru"),
    _Block(0x0A80, 0x0AFF, "Gujr"),
    _Block(0x0B00, 0x0B7F, "Orya"),
    _Block(0x0B80, 0x0BFF, "Taml"),
    _Block(0x0C00, 0x0C7F, "Telu"),
    _Block(0x0C80, 0x0CFF, "Knda"),
    _Block(0x0D00, 0x0D7F, "Mlym"),
    _Block(0x0D80, 0x0DFF, "Sinh"),
    _Block(0x0E00, 0x0E7F, "Thai"),
    _Block(0x1000, 0x109F, "Mymr"),
    _Block(0x10A0, 0x10FF, "Geor"),
    _Block(0x1100, 0x11FF, "Hang"),
    _Block(0x1200, 0x139F, "Ethi"),
    _Block(0x1E00, 0x1EFF, "Latn"),
    _Block(0x1F00, 0x1FFF, "Grek"),
    _Block(0x3005, 0x3007, "Hani"),
    _Block(0x3041, 0x30FF, "Kana"),
    _Block(0x3131, 0x318E, "Hang"),
    _Block(0x31F0, 0x31FF, "Kana"),
    _Block(0x3400, 0x4DBF, "Hani"),
    _Block(0x4E00, 0x9FFF, "Hani"),
    _Block(0xAC00, 0xD7FF, "Hang"),
    _Block(0xF900, 0xFAFF, "Hani"),
    _Block(0xFB1D, 0xFB4F, "Hebr"),
    _Block(0xFB50, 0xFDFF, "Arab"),
    _Block(0xFE70, 0xFEFC, "Arab"),
    _Block(0xFF21, 0xFF3A, "Latn"),
    _Block(0xFF41, 0xFF5A, "Latn"),
    _Block(0xFF66, 0xFF9D, "Kana"),
    _Block(0x20000, 0x3FFFF, "Hani"),
)
_STARTS = [block.start for block in _BLOCKS]


@lru_cache(maxsize=8192)
def script_of(char: str) -> str | None:
    """The script of a letter; None for digits, punctuation, symbols, white space and the rest."""
    index = bisect_right(_STARTS, ord(char)) - 1
    if index < 0 or ord(char) > _BLOCKS[index].stop:
        return None
    if _BLOCKS[index].script != "Hani" and not char.isalpha():
        return None
    return _BLOCKS[index].script
