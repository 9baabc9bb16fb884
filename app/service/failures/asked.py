"""What a list of failure groups, or one group, is asked for: window, filters, order, page."""

import base64
import binascii
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from typing_extensions import override

from app.domain.query.value import Moment, at_us
from app.domain.window import DAY_US, HOUR_US, floor_to
from app.service.failures.faults import fault
from app.service.failures.views import Shown
from app.service.stats import faults as stats_faults
from app.service.stats.request import moment_of

E = TypeVar("E", bound=StrEnum)

#: Dimensions by whose values a list may be filtered.
FILTERS: Final = ("worker", "host", "engine", "voice", "language", "release", "source")


class Sort(StrEnum):
    """Orders of the list; each the latest, or the most, first."""

    LAST = "last"
    FIRST = "first"
    COUNT = "count"
    TREND = "trend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a page begins: after the group of this key, or, backwards, before it."""

    sort: Sort
    key: tuple[int, str]
    is_backwards: bool = False

    @override
    def __str__(self) -> str:
        way = "b" if self.is_backwards else "f"
        told = f"{self.sort}.{way}.{self.key[0]}.{self.key[1]}"
        return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for; moments may be so long ago, whenever that is.

    Attributes:
        start, end: The window that is counted; an end of None reaches now, a start of None is that
            of the hour 23 hours before the end's.
        states: Only groups in one of these states; none of them: in any.
        text: Only groups that have this in type, code, template, frames, assignee, note or
            fingerprint, in either case.
        where: dimension -> value: only failures there count, and only groups that have some.
        is_seen: Only groups that failed in the window.
    """

    start: Moment | None = None
    end: Moment | None = None
    states: Collection[Shown] = frozenset()
    error_type: str | None = None
    text: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    is_seen: bool = False
    sort: Sort = Sort.LAST
    cursor: Cursor | None = None
    limit: int = 50

    def window(self, now: int) -> tuple[int, int]:
        """The two moments of the window, where it is `now`.

        Raises:
            AskedError: It is empty, or in the future.
        """
        end = now if self.end is None else min(now, at_us(self.end, now))
        usual = floor_to(end, HOUR_US) - DAY_US + HOUR_US
        start = usual if self.start is None else at_us(self.start, now)
        if start > now:
            raise stats_faults.fault(reason="future")
        if start >= end:
            raise stats_faults.fault(reason="empty")
        return start, end


def asked(args: Mapping[str, str], *, limit: int = 50) -> Asked:
    """What parameters ask for; empty ones say nothing.

    Args:
        args: `from`, `to`, `state` (with commas between), `error_type`, `text`, `sort`, `cursor`,
            `seen` (`any` or `window`), and a value of each of `FILTERS`.
        limit: Groups of a page.

    Raises:
        AskedError: One of them is wrong.
    """
    cursor = args.get("cursor", "").strip()
    sort = _one(Sort, "sort", args.get("sort", "").strip() or Sort.LAST)
    found = None if not cursor else cursor_of(cursor)
    if found is not None and found.sort is not sort:
        raise fault(reason="cursor", got=cursor[:40])
    seen = args.get("seen", "").strip() or "any"
    if seen not in {"any", "window"}:
        raise fault(reason="choice", name="seen", got=seen[:40], allowed="any, window")
    return Asked(
        start=moment_of("from", args.get("from", "")),
        end=moment_of("to", args.get("to", "")),
        states=frozenset(
            _one(Shown, "state", word.strip()) for word in args.get("state", "").split(",") if word
        ),
        error_type=args.get("error_type", "").strip() or None,
        text=args.get("text", "").strip(),
        where={name: _plain(name, args[name]) for name in FILTERS if args.get(name) is not None},
        is_seen=seen == "window",
        sort=sort,
        cursor=found,
        limit=limit,
    )


def is_plain(text: str) -> bool:
    """Whether a database may hold it: neither control characters nor halves of characters."""
    return all(unicodedata.category(char) not in {"Cc", "Cs"} for char in text)


def _plain(name: str, text: str) -> str:
    if not is_plain(text):
        raise fault(reason="control", name=name)
    return text


def cursor_of(text: str) -> Cursor:
    """The cursor that an earlier page gave.

    Raises:
        AskedError: No page gave it.
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        told = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (UnicodeError, binascii.Error) as error:
        raise fault(reason="cursor", got=text[:40]) from error
    match = re.fullmatch(r"(last|first|count|trend)\.([fb])\.(\d{1,18})\.(.{1,40})", told)
    if match is None:
        raise fault(reason="cursor", got=text[:40])
    return Cursor(sort=Sort(match[1]), key=(int(match[3]), match[4]), is_backwards=match[2] == "b")


def _one(kind: type[E], name: str, word: str) -> E:
    try:
        return kind(word)
    except ValueError as error:
        allowed = ", ".join(kind)
        raise fault(reason="choice", name=name, got=word[:40], allowed=allowed) from error
