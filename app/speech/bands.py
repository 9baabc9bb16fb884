"""How long the audio of a text can be, by engine and script: the table, and where it comes from.

Measured with `python -m tests.bench.bench_speech` on a book in English and one in Chinese, 1515
segments a run, in milliseconds of audio per spoken unit, for segments of at least 30 units:

    engine  text              least   1 %   median   99 %   most
    tone    both books         60.0  60.0     60.0   60.0   60.0
    espeak  Alice, en-us       41.6  46.7     55.5   69.8   84.0
    espeak  Alice, en-gb       42.5  46.7     54.4   69.2   80.7
    espeak  Journey, cmn       84.5  98.2    110.6  119.0  121.2
    espeak  Journey, yue       75.2  81.2     94.4  100.7  102.9

Other texts bend the mean, so two costs are used. The least time counts letters and digits only:
signs may be silent. The most counts what is spelled or named for what it takes: a digit 7 (555 ms
in a number of 300 digits), a sign 6 ("equals" 540 ms), a letter without a voice 15 (1.7 s).
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from app.domain.audio import CJK_UNITS, is_cjk
from app.speech.language import language_of
from app.speech.scripts import script_of

#: Milliseconds by which any audio may be off the band.
SLACK_MS = 1500
#: No word is shorter: a lone Russian "и" takes 53 ms.
FLOOR_MS = 30

_DIGIT_COST = 7.0
_SIGN_COST = 6.0
_CAPITAL_COST = 3.0
_NAMED_COST = 15.0
_PAUSE_COST = 3.0

#: Their letters are words in place, and are spelled out of it ("Myanmar letter …").
_SPELLED_SCRIPTS = frozenset(
    [
        *("Armn", "Hebr", "Arab", "Deva", "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu"),
        *("Knda", "Mlym", "Sinh", "Thai", "Mymr", "Geor", "Ethi"),
    ]
)

#: Letters after these are rare, and are spelled where a voice does not know their word.
_LAST_COMMON_LETTER: Mapping[str, str] = MappingProxyType(
    {"Latn": "\u00ff", "Cyrl": "\u045f", "Grek": "\u03ff"}
)


class Band(NamedTuple):
    """Milliseconds of audio per spoken unit, at speed 1."""

    shortest_ms: float
    longest_ms: float


class Bounds(NamedTuple):
    """Milliseconds that the audio of one text may have; `shortest_ms` 0 means it may be silent."""

    shortest_ms: int
    longest_ms: int


#: By engine, then by script; "" is any other script.
_BANDS: Mapping[str, Mapping[str, Band]] = MappingProxyType(
    {
        "tone": {"": Band(55, 66)},
        "scripted": {"": Band(55, 66)},
        "espeak": {
            "Hani": Band(50, 165),
            "Latn": Band(28, 135),
            "Kana": Band(40, 330),
            "": Band(20, 220),
        },
    }
)
#: Of engines that nobody has measured.
_ANY_ENGINE: Mapping[str, Band] = MappingProxyType({"": Band(15, 400)})


def bounds(text: str, *, engine: str, speed: float = 1.0) -> Bounds:
    """How long the audio of `text` may be.

    Args:
        text: What was asked for.
        engine: Its name.
        speed: Times the engine's normal.
    """
    bands = _BANDS.get(engine, _ANY_ENGINE)
    is_japanese = language_of(text) == "ja"
    shortest = longest = 0.0
    for char, count in Counter(text).items():
        script = script_of(char) or ""
        script = "Kana" if is_japanese and script == "Hani" else script
        band = bands.get(script, bands[""])
        least, most = _costs(char)
        shortest += count * least * band.shortest_ms
        longest += count * most * band.longest_ms
    if shortest > 0:
        shortest = max(FLOOR_MS, shortest / speed - SLACK_MS)
    return Bounds(round(shortest), round(longest / speed + SLACK_MS))


@lru_cache(maxsize=4096)
def _costs(char: str) -> tuple[float, float]:
    """Spoken units of a character: the fewest and the most that it can take."""
    if not char.isalnum():
        return 0.0, _sign_cost(char)
    if char.isascii() and char.isdigit():
        return 1.0, _DIGIT_COST
    script = script_of(char)
    if script is None:
        return 0.0, _NAMED_COST
    return _letter_costs(char, script)


def _letter_costs(char: str, script: str) -> tuple[float, float]:
    if script in _SPELLED_SCRIPTS or (script == "Hang" and char < "\uac00"):
        return 0.5, _NAMED_COST
    if is_cjk(char):
        return CJK_UNITS, CJK_UNITS if char < "\U00020000" else _NAMED_COST
    if char > _LAST_COMMON_LETTER.get(script, ""):
        return 1.0, _SIGN_COST
    return 1.0, _CAPITAL_COST if char.isupper() else 1.0


def _sign_cost(char: str) -> float:
    kind = unicodedata.category(char)[0]
    if char.isspace() or (kind in "MC" and char <= "\u036f"):
        return 1.0
    if char in ".,;:!?'\"()" or (kind == "P" and not char.isascii()):
        return _PAUSE_COST
    return _SIGN_COST if char.isascii() else _NAMED_COST
