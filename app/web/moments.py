"""Moments as people read them: today the time, before it the day; always with the exact moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from app import clock
from app.service.figures import Language
from app.web.format import single

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_RELATIVE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"en": ("today", "yesterday"), "zh": ("今天", "昨天")}
)
#: A relative time is told up to a day.
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and when a page is read: language, time zone (None: the server's), and the moment."""

    lang: Language
    zone: ZoneInfo | None
    now_us: int


def zone_of(name: str | None) -> ZoneInfo | None:
    """The zone that a browser named; None, the server's own, where it is not known here."""
    if not name or len(name) > 64:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local(place: Place, at_us: int) -> datetime:
    """A moment on the reader's clock."""
    return clock.to_datetime(at_us).astimezone(place.zone)


def short(place: Place, at_us: int) -> str:
    """`14:20:05` today, `Thu 12 Mar, 11:24` before, with the year where it is another."""
    at, today = local(place, at_us), local(place, place.now_us)
    if at.date() == today.date():
        return f"{at:%H:%M:%S}"
    if place.lang == "zh":
        return f"{_date_zh(at, today)} {at:%H:%M}"
    year = "" if at.year == today.year else f" {at.year}"
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}{year}, {at:%H:%M}"


def date(place: Place, at_us: int) -> str:
    """`8 Mar`, with the year where it is another."""
    at, now = local(place, at_us), local(place, place.now_us)
    if place.lang == "zh":
        return _date_zh(at, now)
    year = "" if at.year == now.year else f" {at.year}"
    return f"{at.day} {_MONTHS[at.month - 1]}{year}"


def day(place: Place, at_us: int) -> str:
    """`today 14:11`, `yesterday 16:40`, `8 Mar`: for lists of texts."""
    at, now = local(place, at_us), local(place, place.now_us)
    if at.date() == now.date():
        return f"{_RELATIVE[place.lang][0]} {at:%H:%M}"
    if at.date() == (now - timedelta(days=1)).date():
        return f"{_RELATIVE[place.lang][1]} {at:%H:%M}"
    return date(place, at_us)


def clock_time(place: Place, at_us: int) -> str:
    """`14:03:41`, whatever the day: where the day is said beside it."""
    return f"{local(place, at_us):%H:%M:%S}"


def fine_time(place: Place, at_us: int) -> str:
    """`14:03:41.498`: where many things happen within a second."""
    return f"{clock_time(place, at_us)}.{at_us // 1000 % 1000:03d}"


def exact(place: Place, at_us: int) -> str:
    """The whole moment with milliseconds and zone: `Thu 12 Mar 2026, 14:03:41.498 (UTC+8)`."""
    at = local(place, at_us)
    time = fine_time(place, at_us)
    if place.lang == "zh":
        day_name = _DAYS_ZH[at.weekday()]
        date = f"{at.year} 年 {at.month} 月 {at.day} 日 {day_name}"
        return f"{date} {time}（{_offset(at)}）"
    date = f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}"
    return f"{date}, {time} ({_offset(at)})"


def ago(place: Place, at_us: int) -> str:
    """`3 min ago` up to a day, then the date."""
    past_us = max(0, place.now_us - at_us)
    if past_us >= _DAY_US:
        return short(place, at_us)
    told = single(max(1_000_000, past_us), place.lang)
    return f"{told}前" if place.lang == "zh" else f"{told} ago"


def tag(place: Place, at_us: int, style: str = "short") -> Markup:
    """A `<time>` element; its title is the exact moment.

    `style` is short, day, clock, fine or ago.
    """
    styles = {"short": short, "day": day, "clock": clock_time, "fine": fine_time, "ago": ago}
    shown = styles[style](place, at_us)
    machine = local(place, at_us).isoformat(timespec="milliseconds")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        machine, exact(place, at_us), shown
    )


def _date_zh(at: datetime, today: datetime) -> str:
    year = "" if at.year == today.year else f"{at.year} 年 "
    return f"{year}{at.month} 月 {at.day} 日"


def _offset(at: datetime) -> str:
    minutes = round((at.utcoffset() or timedelta()).total_seconds() / 60)
    sign = "−" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    if not hours and not rest:
        return "UTC"
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")
