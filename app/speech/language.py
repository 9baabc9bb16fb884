"""The language of a segment, and its runs of one script each."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from app.domain.audio import spoken_units
from app.speech.scripts import script_of

#: What a text in this script most likely is (BCP 47). Latin is left to the caller.
LANGUAGES: Mapping[str, str] = MappingProxyType(
    {
        "Hani": "zh",
        "Kana": "ja",
        "Hang": "ko",
        "Cyrl": "ru",
        "Grek": "el",
        "Armn": "hy",
        "Hebr": "he",
        "Arab": "ar",
        "Deva": "hi",
        "Beng": "bn",
        "Guru": "pa",
        "Gujr": "gu",
        "Orya": "or",
        "Taml": "ta",
        "Telu": "te",
        "Knda": "kn",
        "Mlym": "ml",
        "Sinh": "si",
        "Thai": "th",
        "Mymr": "my",
        "Geor": "ka",
        "Ethi": "am",
    }
)

#: Share of kana among Han and kana from which Han is Japanese: prose has over half, a Chinese text
#: that names a Japanese word a few characters.
_KANA_SHARE = 0.15

#: A word of ASCII without white space ("v1.4.2", "/api/task"), white space, or one other character.
_CELL = re.compile(r"[!-~]+|\s+|.", re.DOTALL)
_LETTER = re.compile(r"[A-Za-z]")
#: What stays with the run before it.
_CLOSERS = ")]}>,.;:!?\"'%、。，；：！？…—～％”’」』】）》〉〕·"
#: What goes with the run after it.
_OPENERS = "([{<“‘「『【（《〈〔$¥€£＄￥"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRun:
    """text[start:end] is spoken as one script; None where nothing says which (digits, signs)."""

    start: int
    end: int
    script: str | None


def language_of(text: str, *, latin: str = "en") -> str:
    """The language that most of `text` is in (BCP 47, primary tag).

    Args:
        text: Any text.
        latin: What Latin letters are taken for, and a text without letters.
    """
    units: Counter[str] = Counter()
    for char, count in Counter(text).items():
        script = script_of(char)
        if script is not None:
            units[script] += round(spoken_units(char) * count * 2)
    if units["Kana"] > _KANA_SHARE * (units["Kana"] + units["Hani"]):
        units["Kana"] += units.pop("Hani", 0)
    if not units:
        return latin
    return LANGUAGES.get(units.most_common(1)[0][0], latin)


def script_runs(text: str) -> list[ScriptRun]:
    """`text` cut where its script changes; the runs are the whole text, in order.

    Numbers and signs go with the word that they stand at: "Flask 3.1", "p95" and "US$170" are
    Latin, "43.7 秒" and "第 18 届" are Han. Linear in the length of the text.
    """
    if not text:
        return []
    runs: list[ScriptRun] = []
    start, end, script = 0, 0, None
    for cell in _resolve_numbers(text, list(_cells(text))):
        if script is not None and cell.script not in {None, script}:
            cut = _cut(text, end, cell.start)
            runs.append(ScriptRun(start=start, end=cut, script=script))
            start = cut
        script = cell.script or script
        end = cell.end
    runs.append(ScriptRun(start=start, end=len(text), script=script))
    return runs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """A piece that is spoken as a whole: letters of one script, or a number (script None)."""

    start: int
    end: int
    script: str | None


def _cells(text: str) -> Iterator[_Cell]:
    for match in _CELL.finditer(text):
        word = match.group()
        if word[0].isascii():
            start = match.end() - len(word.lstrip(_CLOSERS))
            if _LETTER.search(word):
                yield _Cell(start=start, end=match.end(), script="Latn")
            elif any(char.isdigit() for char in word):
                yield _Cell(start=start, end=match.end(), script=None)
        elif word.isalnum():
            yield _Cell(start=match.start(), end=match.end(), script=script_of(word))


def _resolve_numbers(text: str, cells: Sequence[_Cell]) -> Iterator[_Cell]:
    """Gives each number a script: of the cell it follows in the same phrase, else of the next."""
    before: _Cell | None = None
    for index, following in enumerate(_next_scripts(cells)):
        cell = cells[index]
        if cell.script is None:
            after = cells[index + 1] if index + 1 < len(cells) else None
            cell = replace(cell, script=_number_script(text, before, cell, after) or following)
        before = cell
        yield cell


def _number_script(text: str, before: _Cell | None, cell: _Cell, after: _Cell | None) -> str | None:
    if before is not None and _is_same_phrase(text[before.end : cell.start]):
        return before.script
    if after is not None and after.script and _is_same_phrase(text[cell.end : after.start]):
        return after.script
    return before.script if before is not None else None


def _is_same_phrase(gap: str) -> bool:
    return not gap.strip(" \t\u3000")


def _next_scripts(cells: Sequence[_Cell]) -> list[str | None]:
    """For each cell the script of the first cell after it that has one."""
    found: list[str | None] = []
    script: str | None = None
    for cell in reversed(cells):
        found.append(script)
        script = cell.script or script
    return found[::-1]


def _cut(text: str, end: int, start: int) -> int:
    """Where between the end of one cell and the start of the next their runs part."""
    gap = text[end:start]
    blank = max((index + 1 for index, char in enumerate(gap) if char.isspace()), default=0)
    rest = gap[blank:]
    if blank:
        return end + blank + len(rest) - len(rest.lstrip(_CLOSERS))
    return end + len(gap.rstrip(_OPENERS))
