"""Cuts a text into pieces that an engine can speak, by offsets; the pieces are the whole text."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from app.domain.audio import CJK_UNITS, is_cjk, is_speakable
from app.speech.graphemes import break_after, break_before, is_break
from app.speech.sentences import Boundary, Sentence, sentences

#: Spoken units of one piece: 25 to 40 s of speech.
MAX_UNITS = 400.0

#: A piece is cut before this share of the cap only where nothing better comes later.
_EARLIEST_RATIO = 1 / 3
#: Characters; a longer word without a break is cut inside.
_WORD_CHARS = 100

_WIDE_CLAUSE = re.compile(r"""[，、；：。！？…—–]++["'”’)\]】」』》）〉〕]*+\s*+""")
_CLAUSE = re.compile(r"""(?<![,;:.!?)\]"'”’])[,;:.!?)\]"'”’]++\s++""")
_CLAUSE_MARK = re.compile(r"[,;:.!?)\]]")
_SPACES = re.compile(r"\s++")
_EXTRA_SPACES = re.compile(r"\s\s++")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """text[start:end] as one request to an engine.

    Args:
        start: Offset of its first character.
        end: Offset after its last; the next piece starts there.
        units: `spoken_units` of it.
        boundary: What ends with it; a pause of that kind follows.
        is_speakable: Whether it has a letter or digit; if not it is a pause.
    """

    start: int
    end: int
    units: float
    boundary: Boundary
    is_speakable: bool


def split(text: str, *, max_units: float = MAX_UNITS) -> list[Piece]:
    """Cuts `text` into pieces of at most `max_units`, at the best place there is.

    Whole sentences share a piece; none crosses the end of a paragraph. A sentence above the cap is
    cut at a clause, else at the end of a line, else at white space, else between graphemes. Only a
    single grapheme can be above the cap. Linear: 1 MB of any character in about a second.
    """
    if not max_units > 0:
        message = f"max_units must be above zero, got {max_units}"
        raise ValueError(message)
    costs = _Costs(text)
    return [
        Piece(
            start=part.start,
            end=part.end,
            units=costs.between(part.start, part.end),
            boundary=part.boundary,
            is_speakable=is_speakable(text, part.start, part.end),
        )
        for part in _pack(_fragments(text, costs, max_units), costs, max_units)
    ]


class _Costs:
    """Spoken units between any two offsets, from sums made once."""

    def __init__(self, text: str) -> None:
        cost_of = {char: round(2 * CJK_UNITS) if is_cjk(char) else 2 for char in set(text)}
        costs = array("b", map(cost_of.__getitem__, text))
        for run in _EXTRA_SPACES.finditer(text):
            length = run.end() - run.start() - 1
            costs[run.start() + 1 : run.end()] = array("b", bytes(length))
        self._costs = costs
        self._half_units = array("q", accumulate(costs, initial=0))

    def between(self, start: int, end: int) -> float:
        return (self._half_units[end] - self._before(start)) / 2

    def reach(self, start: int, max_units: float) -> int:
        """The farthest offset that keeps text[start:offset] within `max_units`."""
        return bisect_right(self._half_units, self._before(start) + 2 * max_units) - 1

    def _before(self, start: int) -> int:
        """The sum before `start`; white space costs, where a piece starts with it."""
        is_free = start < len(self._costs) and self._costs[start] == 0
        return self._half_units[start] - (2 if is_free else 0)


def _pack(fragments: Iterator[Sentence], costs: _Costs, max_units: float) -> Iterator[Sentence]:
    """Joins neighbours up to the cap, within a paragraph."""
    held: Sentence | None = None
    for fragment in fragments:
        if held is not None and costs.between(held.start, fragment.end) > max_units:
            yield held
            held = None
        start = fragment.start if held is None else held.start
        held = Sentence(start=start, end=fragment.end, boundary=fragment.boundary)
        if held.boundary in {"paragraph", "chapter"}:
            yield held
            held = None
    if held is not None:
        yield held


def _fragments(text: str, costs: _Costs, max_units: float) -> Iterator[Sentence]:
    """Sentences, and clauses of those above the cap."""
    cuts: _Cuts | None = None
    for sentence in sentences(text):
        start = sentence.start
        while costs.between(start, sentence.end) > max_units:
            cuts = cuts or _Cuts(text)
            reach = costs.reach(start, max_units)
            end = cuts.best(start, reach)
            yield Sentence(start=start, end=end, boundary="clause")
            start = end
        if start < sentence.end:
            yield Sentence(start=start, end=sentence.end, boundary=sentence.boundary)


class _Cuts:
    """Places to cut inside a sentence, best kind first; each kind sorted."""

    def __init__(self, text: str) -> None:
        self._text = text
        spaces = [
            (run.end(), "\n" in run.group())
            for run in _SPACES.finditer(text)
            if is_break(text, run.end())
        ]
        self._kinds = (
            _clause_ends(text),
            array("q", (end for end, has_newline in spaces if has_newline)),
            array("q", (end for end, _ in spaces)),
        )

    def best(self, start: int, reach: int) -> int:
        """Where to end a piece that starts at `start` and may go up to `reach`."""
        earliest = start + (reach - start) * _EARLIEST_RATIO
        found = [_last_in(kind, start, reach) for kind in self._kinds]
        late = [cut for cut in found if cut is not None and cut >= earliest]
        if late:
            return late[0]
        any_cut = [cut for cut in found if cut is not None]
        return max(any_cut) if any_cut else self._inside(start, reach)

    def _inside(self, start: int, reach: int) -> int:
        """Between graphemes, and not inside a word that has a start within reach."""
        cut = break_before(self._text, start, reach)
        if cut <= start:
            return break_after(self._text, start)
        floor = max(start, cut - _WORD_CHARS)
        word = cut
        while word > floor and _is_torn(self._text, word):
            word -= 1
        return word if word > floor else cut


def _clause_ends(text: str) -> "array[int]":
    wide = [match.end() for match in _WIDE_CLAUSE.finditer(text)]
    narrow = [m.end() for m in _CLAUSE.finditer(text) if _CLAUSE_MARK.search(m.group())]
    return array("q", sorted(end for end in wide + narrow if is_break(text, end)))


def _last_in(cuts: "array[int]", start: int, reach: int) -> int | None:
    index = bisect_right(cuts, reach) - 1
    return cuts[index] if index >= 0 and cuts[index] > start else None


def _is_torn(text: str, index: int) -> bool:
    """Whether a cut at `index` goes through a word without CJK, or through a grapheme."""
    before, after = text[index - 1], text[index : index + 1]
    is_in_word = before.isascii() and after.isascii() and not (before + after).isspace()
    return is_in_word or not is_break(text, index)
