"""Durations and counts in words, English and Chinese: two units at most, thin spaces, no lies."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")

#: Between thousands, and before a percent sign: narrow, never broken.
THIN: Final = "\u202f"
#: No value; never 0.
NONE: Final = "–"
_UNITS: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        "en": {"ms": "ms", "s": "s", "min": "min", "h": "h", "d": "d"},
        "zh": {"ms": "毫秒", "s": "秒", "min": "分", "h": "小时", "d": "天"},
    }
)
#: Chinese minutes where no seconds follow.
_MINUTES_ZH: Final = "分钟"


def duration(us: float | None, language: Language = "en", *, is_fine: bool = False) -> str:
    """A duration as `12 ms`, `0.4 s`, `38 s`, `4 min 12 s`, `1 h 36 min`, `2 d 3 h`.

    Args:
        us: Microseconds; None gives –.
        language: Of the units.
        is_fine: Tenths up to a minute, for columns that compare: `21.2 s`.
    """
    if us is None:
        return NONE
    seconds = max(0.0, us / 1_000_000)
    units = _UNITS[language]
    if seconds < 0.0995:
        return f"{round(seconds * 1000)} {units['ms']}"
    if seconds < (59.95 if is_fine else 9.95):
        return f"{seconds:.1f} {units['s']}"
    return whole(round(seconds), language)


def milliseconds(us: int, language: Language) -> str:
    """A short duration in milliseconds, to the microsecond: `50 ms`, `0.25 ms`."""
    return f"{us / 1000:g} {_UNITS[language]['ms']}"


def whole(seconds: int, language: Language) -> str:
    """Whole seconds in two units at most."""
    if seconds < 60:
        return f"{seconds} {_UNITS[language]['s']}"
    if seconds < 3600:
        return _two(seconds // 60, "min", seconds % 60, "s", language)
    minutes = round(seconds / 60)
    if minutes < 1440:
        return _two(minutes // 60, "h", minutes % 60, "min", language)
    hours = round(seconds / 3600)
    return _two(hours // 24, "d", hours % 24, "h", language)


def _two(big: int, big_unit: str, small: int, small_unit: str, language: Language) -> str:
    """Two units; a small one of zero is left out. Seconds have two digits, so that rows line up."""
    units = _UNITS[language]
    is_zh = language == "zh"
    if small == 0:
        return f"{big} {_MINUTES_ZH if is_zh and big_unit == 'min' else units[big_unit]}"
    digits = f"{small:02d}" if small_unit == "s" else str(small)
    end = _MINUTES_ZH if is_zh and small_unit == "min" else units[small_unit]
    return f"{big} {units[big_unit]} {digits} {end}"


def count(number: int | None) -> str:
    """A count, thousands apart: 7 104; `–` for None."""
    return NONE if number is None else f"{number:,}".replace(",", THIN).replace("-", "−")


def percent(ratio: float | None, decimals: int = 0) -> str:
    """A ratio (0..1) as percent: 88 %; – for None."""
    return NONE if ratio is None else f"{ratio * 100:.{decimals}f}{THIN}%"


def counted(number: int, one: str, other: str) -> str:
    """A count with its English words: `1 task waits`, `7 104 tasks wait`."""
    return f"{count(number)} {one if number == 1 else other}"
