"""Numbers, durations and sizes as people read them; the rules are in `docs/pages.md`."""

from collections.abc import Mapping
from types import MappingProxyType

#: Between thousands, and before a percent sign: narrow, never broken.
THIN = "\u202f"
#: No value; never 0.
NONE = "–"

_UNITS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {"ms": "ms", "s": "s", "min": "min", "h": "h", "d": "d"},
        "zh": {"ms": "毫秒", "s": "秒", "min": "分", "h": "小时", "d": "天"},
    }
)
#: "4 分钟", where no seconds follow.
_ALONE_ZH = "分钟"


def number(value: int) -> str:
    """A whole number, thousands apart: 7 104."""
    return f"{value:,}".replace(",", THIN).replace("-", "−")


def compact(value: int) -> str:
    """A whole number for tables: exact below 100 000, then 412 k, 1.2 M."""
    if abs(value) < 100_000:
        return number(value)
    if abs(value) < 999_500:
        return f"{round(value / 1000)}{THIN}k"
    return f"{value / 1_000_000:.1f}{THIN}M"


def percent(ratio: float | None, decimals: int = 0) -> str:
    """A ratio (0..1) as percent; – for none."""
    return NONE if ratio is None else f"{ratio * 100:.{decimals}f}{THIN}%"


def size(value_bytes: int) -> str:
    """Bytes in the unit of their size: 512 B, 38 kB, 28.1 MB, 1.9 GB."""
    if value_bytes < 1000:
        return f"{value_bytes} B"
    amount, unit = value_bytes / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    told = f"{amount:.0f}" if unit == "kB" else f"{amount:.1f}".removesuffix(".0")
    return f"{told} {unit}"


def position(value_ms: int) -> str:
    """A place in audio: 0:00, 12:41, 1:23:40."""
    seconds = value_ms // 1000
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours}:{minutes:02d}:{seconds % 60:02d}"
    return f"{minutes}:{seconds % 60:02d}"


def duration(value_us: float | None, lang: str = "en", *, is_fine: bool = False) -> str:
    """A duration in two units at most: 12 ms, 0.4 s, 38 s, 4 min 12 s, 1 h 36 min, 2 d 3 h.

    Args:
        value_us: Microseconds; None gives –.
        lang: Language of the units.
        is_fine: Tenths up to a minute, for columns that compare: 21.2 s.
    """
    if value_us is None:
        return NONE
    seconds = max(0.0, value_us / 1_000_000)
    units = _UNITS[lang]
    if seconds < 0.0995:
        return f"{round(seconds * 1000)} {units['ms']}"
    tenths_below = 59.95 if is_fine else 9.95
    if seconds < tenths_below:
        return f"{seconds:.1f} {units['s']}"
    return _long(round(seconds), lang)


def _long(seconds: int, lang: str) -> str:
    units = _UNITS[lang]
    if seconds < 60:
        return f"{seconds} {units['s']}"
    if seconds < 3600:
        return _pair(seconds // 60, "min", seconds % 60, "s", lang)
    minutes = round(seconds / 60)
    if minutes < 1440:
        return _pair(minutes // 60, "h", minutes % 60, "min", lang)
    hours = round(seconds / 3600)
    return _pair(hours // 24, "d", hours % 24, "h", lang)


def _pair(large: int, large_unit: str, small: int, small_unit: str, lang: str) -> str:
    """Two units; a small one of zero is left out. Seconds have two digits, so that rows line up."""
    units = _UNITS[lang]
    if small == 0:
        unit = _ALONE_ZH if (lang, large_unit) == ("zh", "min") else units[large_unit]
        return f"{large} {unit}"
    digits = f"{small:02d}" if small_unit == "s" else str(small)
    end = _ALONE_ZH if (lang, small_unit) == ("zh", "min") else units[small_unit]
    return f"{large} {units[large_unit]} {digits} {end}"


def single(value_us: int, lang: str = "en") -> str:
    """A duration in its largest whole unit, for ages: 14 s, 3 min, 2 h."""
    seconds = value_us // 1_000_000
    if seconds < 60:
        return _long(seconds, lang)
    if seconds < 3600:
        return _long(seconds // 60 * 60, lang)
    return _long(seconds // 3600 * 3600, lang)


def rough(value_us: float, lang: str = "en") -> str:
    """A duration without false precision, for estimates: 40 s, 6 min, 1 h 30 min."""
    seconds = value_us / 1_000_000
    if seconds < 60:
        step = 5
    elif seconds < 600:
        step = 60
    elif seconds < 3600:
        step = 300
    else:
        step = 1800
    return _long(max(step, round(seconds / step) * step), lang)
