"""Numbers, durations and moments of a filter: read from text, and written so that they read back.

A duration is in whole milliseconds (`250ms`, `90s`, `1h30m`), a moment in microseconds.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from app.domain.query.value import Ago, At, Moment, Range, Window

_UNITS_MS: Final = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
}
#: Written with the largest of these that leaves no rest; weeks are written as days.
_WRITTEN: Final = ("d", "h", "m", "s", "ms")
_PIECE: Final = re.compile(r"(\d{1,15})(?:\.(\d{1,6}))?(ms|[smhdw])", re.ASCII)
_PIECES: Final = re.compile(rf"(?:{_PIECE.pattern})+", re.ASCII)
_EPOCH: Final = re.compile(r"(\d{9,11})(?:\.(\d{1,6}))?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,6})?)?([Zz]|[+-][\d:]+)?", re.ASCII
)
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US: Final = 86_400_000_000
#: Largest number and longest duration: both fit a BIGINT in whatever unit.
MAX_NUMBER: Final = 10**15
#: The longest duration in whole days.
MAX_WHOLE_DAYS_MS: Final = MAX_NUMBER // 86_400_000 * 86_400_000
#: Years of the first and the last moment.
FIRST_YEAR: Final = "1970"
LAST_YEAR: Final = "2999"
#: The last moment: the end of the year 2999.
_LAST_US: Final = 32_503_680_000_000_000


class NoZoneError(ValueError):
    """A date and a time without a zone."""


class TooLongError(ValueError):
    """A duration, but longer than `MAX_NUMBER`."""


class OutsideError(ValueError):
    """A moment, but outside the years that are allowed."""


def number(text: str) -> int:
    """A whole number; ValueError for anything else."""
    if not re.fullmatch(r"\d{1,16}", text, re.ASCII) or int(text) > MAX_NUMBER:
        raise ValueError(text)
    return int(text)


def duration_ms(text: str) -> int:
    """Milliseconds of `90s`, `1.5h` or `1h30m`.

    Raises:
        TooLongError: It is longer than `MAX_NUMBER`.
        ValueError: Anything else, or a finer one.
    """
    if not _PIECES.fullmatch(text):
        raise ValueError(text)
    total = 0
    for whole, part, unit in _PIECE.findall(text):
        scale = 10 ** len(part)
        scaled = int(f"{whole}{part}") * _UNITS_MS[unit]
        if scaled % scale:
            raise ValueError(text)
        total += scaled // scale
    if total > MAX_NUMBER:
        raise TooLongError(text)
    return total


def moment(text: str) -> Moment:
    """A moment: `2h` (ago), `2026-03-01`, `2026-03-01T14:00Z`, or seconds since the epoch.

    Raises:
        NoZoneError: A date and a time without a zone.
        OutsideError, TooLongError: Outside the years 1970 to 2999, or longer ago than is told.
        ValueError: Anything else.
    """
    if _PIECES.fullmatch(text):
        return Ago(ms=duration_ms(text))
    if (epoch := _EPOCH.fullmatch(text)) is not None:
        us = int(epoch[1]) * 1_000_000 + int((epoch[2] or "").ljust(6, "0"))
    elif _DATE.fullmatch(text):
        us = _us_of(datetime.fromisoformat(text).replace(tzinfo=UTC))
    elif _DATE_TIME.fullmatch(text):
        at = datetime.fromisoformat(text.upper())
        if at.tzinfo is None:
            raise NoZoneError(text)
        us = _us_of(at)
    else:
        raise ValueError(text)
    if not 0 <= us <= _LAST_US:
        raise OutsideError(text)
    return At(us=us)


class Bounds(NamedTuple):
    """The two sides of a comparison or range as they were written; empty: no bound."""

    low: str
    high: str
    is_low_open: bool = False
    is_high_open: bool = False


def bounds_of(text: str) -> Bounds | None:
    """`>a`, `>=a`, `<b`, `<=b`, `a..b`, `a..`, `..b`; None where it is none of these."""
    if text.startswith((">", "<")):
        is_open = not text.startswith((">=", "<="))
        bound = text[1 if is_open else 2 :]
        if not bound:
            return None
        if text.startswith(">"):
            return Bounds(bound, "", is_low_open=is_open)
        return Bounds("", bound, is_high_open=is_open)
    low, dots, high = text.partition("..")
    return Bounds(low, high) if dots and (low or high) else None


def range_of(text: str, one: Callable[[str], int]) -> Range:
    """A comparison, a range with both ends in it, or a number alone, each number read by `one`."""
    bounds = bounds_of(text)
    if bounds is None:
        just = one(text.removeprefix("="))
        return Range(low=just, high=just)
    return Range(
        low=one(bounds.low) if bounds.low else None,
        high=one(bounds.high) if bounds.high else None,
        is_low_open=bounds.is_low_open,
        is_high_open=bounds.is_high_open,
    )


def window_of(text: str) -> Window | None:
    """A comparison, `from..before`, or the whole day (UTC) of a date; None for a moment alone.

    Raises:
        NoZoneError, ValueError: As `moment`.
    """
    bounds = bounds_of(text)
    if bounds is not None:
        is_between = not text.startswith((">", "<"))
        return Window(
            low=moment(bounds.low) if bounds.low else None,
            high=moment(bounds.high) if bounds.high else None,
            is_low_open=bounds.is_low_open,
            is_high_open=bounds.is_high_open or (is_between and bounds.high != ""),
        )
    start = moment(text)
    if isinstance(start, At) and _DATE.fullmatch(text):
        return Window(low=start, high=At(us=start.us + _DAY_US), is_high_open=True)
    return None


def is_backwards(given: Range | Window) -> bool:
    """Whether both bounds can be compared and the first is after the second."""
    match given.low, given.high:
        case int() as low, int() as high:
            return low > high
        case At() as low, At() as high:
            return low.us > high.us
        case Ago() as low, Ago() as high:
            return low.ms < high.ms
        case _:
            return False


def written_duration(ms: int) -> str:
    """A duration as `duration_ms` reads it."""
    unit = next((unit for unit in _WRITTEN if ms % _UNITS_MS[unit] == 0), "ms")
    return f"{ms // _UNITS_MS[unit]}{unit}" if ms else "0s"


def written_moment(given: Moment) -> str:
    """A moment as `moment` reads it: a date where it is one, UTC."""
    if isinstance(given, Ago):
        return written_duration(given.ms)
    at = _START + timedelta(microseconds=given.us)
    if given.us % _DAY_US == 0:
        return f"{at:%Y-%m-%d}"
    return at.replace(tzinfo=None).isoformat() + "Z"


def written_range(given: Range, one: Callable[[int], str]) -> str:
    """A range as `range_of` reads it; one number alone where it is just that."""
    if given.low is not None and given.low == given.high:
        return one(given.low)
    low = "" if given.low is None else one(given.low)
    high = "" if given.high is None else one(given.high)
    return _written(Bounds(low, high, given.is_low_open, given.is_high_open))


def written_window(given: Window) -> str:
    """A window as `window_of` reads it."""
    low = "" if given.low is None else written_moment(given.low)
    high = "" if given.high is None else written_moment(given.high)
    return _written(Bounds(low, high, given.is_low_open, given.is_high_open))


def _written(bounds: Bounds) -> str:
    if not bounds.high:
        return f"{'>' if bounds.is_low_open else '>='}{bounds.low}"
    if not bounds.low:
        return f"{'<' if bounds.is_high_open else '<='}{bounds.high}"
    return f"{bounds.low}..{bounds.high}"


def _us_of(at: datetime) -> int:
    return (at - _START) // timedelta(microseconds=1)
