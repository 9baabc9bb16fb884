"""Numbers, sizes and estimates as people read them; what is in words, too, is the services'."""

from app.service.figures import NONE, THIN, Language, count, duration, percent, whole

__all__ = [
    "NONE",
    "THIN",
    "compact",
    "duration",
    "number",
    "percent",
    "position",
    "rough",
    "single",
    "size",
]


def number(value: int) -> str:
    """A whole number, thousands apart: 7 104."""
    return count(value)


def compact(value: int) -> str:
    """A whole number for tables: exact below 100 000, then 412 k, 1.2 M."""
    if abs(value) < 100_000:
        return number(value)
    if abs(value) < 999_500:
        return f"{round(value / 1000)}{THIN}k"
    return f"{value / 1_000_000:.1f}{THIN}M"


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
    """A length or a place in audio, to the nearest second: 0:00, 12:41, 1:23:40."""
    seconds = (value_ms + 500) // 1000
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours}:{minutes:02d}:{seconds % 60:02d}"
    return f"{minutes}:{seconds % 60:02d}"


def single(value_us: int, lang: Language = "en") -> str:
    """A duration in its largest whole unit, for ages: 14 s, 3 min, 2 h."""
    seconds = value_us // 1_000_000
    if seconds < 60:
        return whole(seconds, lang)
    step = 60 if seconds < 3600 else 3600
    return whole(seconds // step * step, lang)


def rough(value_us: float, lang: Language = "en") -> str:
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
    return whole(max(step, round(seconds / step) * step), lang)
