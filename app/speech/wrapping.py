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
    while line_count > 1 and (cut := _best_cut(words, line_count)) is not None:
        lines.append(words[:cut].rstrip())
        words = words[cut:].lstrip()
        line_count -= 1
    return "\n".join([*lines, words])


def columns(text: str) -> int:
    """How wide `text` is in a fixed-width font (UAX #11)."""
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def _best_cut(text: str, line_count: int) -> int | None:
    """Where the first of `line_count` lines ends best; None if it may end nowhere.

    Best is near its share of the whole, with no line above `MAX_COLUMNS` if that can be.
    """
    total = columns(text)
    best: tuple[float, int] | None = None
    width = 0
    for index in range(1, len(text)):
        width += columns(text[index - 1])
        if not _may_cut(text, index):
            continue
        overflow = max(0, width - MAX_COLUMNS, total - width - MAX_COLUMNS * (line_count - 1))
        cost = abs(width - total / line_count) + 10 * overflow
        best = min(best or (cost, index), (cost, index))
    return best[1] if best else None


def _may_cut(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if after in _NO_LINE_START or before in _NO_LINE_END:
        return False
    return before == " " or is_cjk(before) or is_cjk(after) or before in _WIDE_MARKS
