"""Lines of a caption: cut at spaces or between Chinese characters, about equally long."""

import unicodedata

from app.domain.audio import is_cjk

#: Columns of a line; a Chinese character takes two.
MAX_COLUMNS = 42

_NO_LINE_START = "，。、；：！？…）》」』】”’,.;:!?)]}%—"
_NO_LINE_END = "（《「『【“‘([{$¥€£"
#: After these a line may end without a space.
_WIDE_MARKS = "，。、；：！？…）》」』】”’"


def wrap(text: str) -> str:
    """`text` on as few lines as hold it, white space made single."""
    words = " ".join(text.split())
    line_count = -(-columns(words) // MAX_COLUMNS)
    lines: list[str] = []
    while line_count > 1:
        cut = _best_cut(words, columns(words) / line_count)
        if cut is None:
            break
        lines.append(words[:cut].rstrip())
        words = words[cut:].lstrip()
        line_count -= 1
    return "\n".join([*lines, words])


def columns(text: str) -> int:
    """How wide `text` is in a fixed-width font (UAX #11)."""
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def _best_cut(text: str, target_columns: float) -> int | None:
    """The allowed cut whose first line is nearest to the wanted width; None if none is."""
    best: int | None = None
    best_distance = float("inf")
    width = 0
    for index in range(1, len(text)):
        width += columns(text[index - 1])
        distance = abs(width - target_columns)
        if distance < best_distance and _may_cut(text, index):
            best, best_distance = index, distance
        if width > MAX_COLUMNS and best is not None:
            break
    return best


def _may_cut(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if after in _NO_LINE_START or before in _NO_LINE_END:
        return False
    return before == " " or is_cjk(before) or is_cjk(after) or before in _WIDE_MARKS
