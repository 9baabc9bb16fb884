"""Since when it is so, and what changed then, in words, English and Chinese."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import ceil
from typing import Final, Literal

from app import clock
from app.domain.correlation.found import Onset, Where
from app.service.correlate.boundary import Boundary
from app.service.correlate.subjects import joined
from app.service.figures import Language

_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
#: Shorter lengths of time are told in seconds.
_SECONDS_TO: Final = 90 * _SECOND
#: Where the onset is, seen from the change; about: either may have been first.
Side = Literal["at_once", "about", "after", "before"]
#: Nearer than this, the change and the onset are at the same time.
_AT_ONCE_US: Final = 10 * _SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads: the language, the zone (None: UTC, which is then said), and what today is."""

    lang: Language
    now_us: int
    zone: tzinfo | None = None


def moment(at_us: float, reader: Reader, *, with_seconds: bool = False) -> str:
    """`14:02 UTC`; `12 Mar 14:02 UTC` where it is not today, with the year where it is another."""
    zone = reader.zone or UTC
    at = clock.to_datetime(round(at_us)).astimezone(zone)
    today = clock.to_datetime(reader.now_us).astimezone(zone)
    time = f"{at:%H:%M:%S}" if with_seconds else f"{at:%H:%M}"
    utc = " UTC" if reader.zone is None else ""
    return f"{_date(at, today, reader.lang)}{time}{utc}"


def _date(at: datetime, today: datetime, language: Language) -> str:
    if at.date() == today.date():
        return ""
    is_other_year = at.year != today.year
    if language == "zh":
        return f"{f'{at.year} 年 ' if is_other_year else ''}{at.month} 月 {at.day} 日 "
    return f"{at.day} {_MONTHS[at.month - 1]}{f' {at.year}' if is_other_year else ''} "


def since(onset: Onset, reader: Reader) -> str:
    """`since 14:02 UTC ± 2 min`, to the second where that is known.

    The moment is rounded, and the width then taken so that it holds the onset's whole interval.
    """
    half_us = max(onset.at - onset.low, onset.high - onset.at)
    unit = _SECOND if half_us < _SECONDS_TO else _MINUTE
    at = round(onset.at / unit) * unit
    half_us = max(at - onset.low, onset.high - at)
    told = moment(at, reader, with_seconds=unit == _SECOND)
    width = _span(half_us, reader.lang, is_up=True)
    return f"始于 {told}（±{width}）" if reader.lang == "zh" else f"since {told} ± {width}"


def later(onset: Onset, n: int) -> tuple[int, int] | None:
    """How many of a finding's `n` attempts ended since, and how many of those failed so.

    None where all of them did, or nobody knows.
    """
    if onset.n is None or onset.observed is None or onset.n >= n:
        return None
    return onset.n, onset.observed


def first_attempt(at_us: float, reader: Reader, *, is_plural: bool = False) -> str:
    """`since its first attempt, 14:02 UTC`: nothing that fits had been there before."""
    told = moment(at_us, reader)
    if reader.lang == "zh":
        return f"自 {joined(told, '首次运行起即如此')}"
    return f"since {'their' if is_plural else 'its'} first attempt, {told}"


def side(found: Boundary, onset: Onset) -> Side:
    """On which side of a change the failures began, as far as the onset's uncertainty tells."""
    if abs(found.distance_us) < _AT_ONCE_US:
        return "at_once"
    if onset.low <= found.at <= onset.high:
        return "about"
    return "after" if found.distance_us > 0 else "before"


def change(found: Boundary, onset: Onset, where: Where, language: Language) -> str:
    """`one minute after release 1.4.2 started there`: the change, and how far the onset is off."""
    event = (_event_zh if language == "zh" else _event_en)(found, where)
    off_us, which = abs(found.distance_us), side(found, onset)
    if language == "zh":
        if which == "at_once":
            return f"正值{event}之时"
        if which == "about":
            return f"大约在{joined(event.rstrip(), '时')}"
        word = "后" if which == "after" else "前"
        return f"即{joined(event.rstrip(), word)} {_distance(off_us, 'zh')}"
    if which == "at_once":
        return f"just as {event}"
    if which == "about":
        return f"about when {event}"
    return f"{_distance(off_us, 'en')} {which} {event}"


def _distance(us: float, language: Language) -> str:
    is_one = 45 * _SECOND <= us < 90 * _SECOND
    if language == "zh":
        return "1 分钟" if is_one else _span(us, "zh")
    return "one minute" if is_one else _span(us, "en", is_long=True)


def _span(us: float, language: Language, *, is_long: bool = False, is_up: bool = False) -> str:
    """A length of time in its largest fitting unit: `20 s`, `2 min`, `3 h`, `2 d`; rounded (up)."""
    sizes = (
        (_SECONDS_TO, _SECOND, "s", "second", "秒"),
        (90 * _MINUTE, _MINUTE, "min", "minute", "分钟"),
        (36 * _HOUR, _HOUR, "h", "hour", "小时"),
        (float("inf"), _DAY, "d", "day", "天"),
    )
    _, unit, short, word, chinese = next(one for one in sizes if us < one[0])
    number = max(1, ceil(us / unit) if is_up else round(us / unit))
    if language == "zh":
        return f"{number} {chinese}"
    return f"{number} {word}{'s' if number != 1 else ''}" if is_long else f"{number} {short}"


def _event_en(found: Boundary, where: Where) -> str:
    if found.kind == "limit":
        engine = _engine(found.name)
        what = f"the limit of engine {engine}" if engine else "the limit of tasks at once"
        if found.value is None:
            return f"{what} was removed"
        if found.before is None:
            return f"{what} was set to {found.value}"
        return f"{what} went from {found.before} to {found.value}"
    if found.kind == "release":
        return f"release {found.release} started {_place_en(found, where)}"
    who = f"{found.workers} workers" if found.worker is None else f"worker {found.worker}"
    return f"{who} restarted" if found.kind == "restart" else f"{who} first started"


def _place_en(found: Boundary, where: Where) -> str:
    if _is_there(found, where):
        return "there"
    return f"on {found.workers} workers" if found.worker is None else f"on worker {found.worker}"


def _event_zh(found: Boundary, where: Where) -> str:
    if found.kind == "limit":
        engine = _engine(found.name)
        what = f"引擎 {engine} 的上限" if engine else "同时运行任务的上限"
        if found.value is None:
            return f"{what}取消"
        if found.before is None:
            return f"{what}设为 {found.value}"
        return f"{what}由 {found.before} 改为 {found.value}"
    if found.kind == "release":
        return f"版本 {found.release} 在{_place_zh(found, where)}启动"
    what = "重启" if found.kind == "restart" else "首次启动"
    if found.worker is None:
        return f" {found.workers} 个合成进程{what}"
    return f"合成进程 {found.worker} {what}"


def _place_zh(found: Boundary, where: Where) -> str:
    if _is_there(found, where):
        return "该进程" if "worker" in where else "该主机"
    if found.worker is None:
        return f" {found.workers} 个合成进程上"
    return f"合成进程 {found.worker} 上"


def _engine(name: str | None) -> str:
    """Whose limit it is; empty: that of the whole system."""
    kind, _, engine = (name or "").partition(":")
    return engine if kind == "engine" else ""


def _is_there(found: Boundary, where: Where) -> bool:
    """Whether the sentence has said where the change was."""
    return (found.worker is not None and where.get("worker") == found.worker) or (
        "host" in where and "worker" not in where
    )
