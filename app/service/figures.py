"""Durations and counts in words, English and Chinese: two units at most, thin spaces, no lies."""

from typing import Final, Literal

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")

_THIN: Final = "\u2009"
_UNITS: Final[dict[Language, tuple[str, str, str, str]]] = {
    "en": ("s", "min", "h", "d"),
    "zh": ("秒", "分", "小时", "天"),
}


def duration(us: int | None, language: Language) -> str:
    """Microseconds as `0.4 s`, `38 s`, `4 min 12 s`, `1 h 36 min`, `2 d 3 h`; `–` for None."""
    if us is None:
        return "–"
    second, minute, hour, day = _UNITS[language]
    seconds = max(0, us) / 1_000_000
    if seconds < 9.95:
        return f"{seconds:.1f} {second}"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} {second}"
    if whole < 3600:
        return _two(whole // 60, minute, whole % 60, second)
    minutes = round(whole / 60)
    if minutes < 1440:
        return _two(minutes // 60, hour, minutes % 60, minute)
    hours = round(minutes / 60)
    return _two(hours // 24, day, hours % 24, hour)


def _two(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big} {big_unit}" + (f" {small} {small_unit}" if small else "")


def count(number: int | None) -> str:
    """A count with a thin space for thousands; `–` for None."""
    return "–" if number is None else f"{number:,}".replace(",", _THIN)
