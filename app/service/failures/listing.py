"""The list of failure groups: those that fit, in an order, a page at a time, and their counts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.records import FailureGroupRecord
from app.service.core import Core
from app.service.correlate import profiles
from app.service.failures import counting, reading, unstarted
from app.service.failures.asked import Asked, Cursor, Sort
from app.service.failures.group import shown
from app.service.failures.views import GroupPage, ListedGroup, Shown
from app.store import failure_groups
from app.store.failure_counts import Told

#: Groups that are looked at; what was first seen before the oldest of them is in no list.
MOST: Final = 5_000
#: Dimensions whose spread the list shows.
NAMES: Final = ("worker", "engine", "release")
#: What an order goes by.
_VALUES: Final[Mapping[Sort, Callable[[ListedGroup], int]]] = {
    Sort.LAST: lambda one: one.group.last_at or 0,
    Sort.FIRST: lambda one: one.group.first_at,
    Sort.COUNT: lambda one: one.counts.count,
    Sort.TREND: lambda one: round(one.counts.trend * 1000),
}


def groups(core: Core, asked: Asked) -> GroupPage:
    """A page of groups, from one snapshot.

    Raises:
        AskedError: The window is empty, or in the future.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        start, end = asked.window(now)
        rows = failure_groups.newest(conn, MOST + 1)
        is_capped, rows = len(rows) > MOST, rows[:MOST]
        keys = [row.fingerprint for row, _ in rows]
        told = Told(names=NAMES, where=asked.where)
        known = profiles.of_database(core.database)
        found = reading.read(
            conn, start, end, now, reading.Wanted(keys=keys, told=told, profiles=known)
        )
        unstarted.add(conn, (row for row, _ in rows), found, told)
        fitting = [
            ListedGroup(
                group=shown(conn, row, last_at, now),
                counts=counting.counts(found.of(row.fingerprint, told)),
            )
            for row, last_at in rows
            if _fits(row, asked)
        ]
    return _page(asked, fitting, found, now, is_capped=is_capped)


def _fits(row: FailureGroupRecord, asked: Asked) -> bool:
    if asked.error_type is not None and row.error_type != asked.error_type:
        return False
    told = (
        row.error_type,
        row.error_code,
        row.template,
        row.frames,
        row.assignee,
        row.note,
        row.fingerprint,
    )
    return asked.text.casefold() in "\n".join(part or "" for part in told).casefold()


def _page(
    asked: Asked, fitting: list[ListedGroup], found: reading.Read, now: int, *, is_capped: bool
) -> GroupPage:
    if asked.is_seen or asked.where:
        fitting = [one for one in fitting if one.counts.count]
    numbers = Counter(one.group.shown for one in fitting)
    if asked.states:
        fitting = [one for one in fitting if one.group.shown in asked.states]
    ranked = sorted(fitting, key=lambda one: _key(one, asked.sort), reverse=True)
    cut = _cut(ranked, asked)
    return GroupPage(
        groups=tuple(ranked[cut.first : cut.last]),
        window=found.window,
        where=asked.where,
        total=len(ranked),
        states={state: numbers[state] for state in Shown},
        failed=sum(one.counts.count for one in ranked),
        failed_groups=sum(one.counts.count > 0 for one in ranked),
        next=None if cut.last >= len(ranked) else _cursor(ranked[cut.last - 1], asked.sort),
        previous=None if cut.first == 0 else _cursor(ranked[cut.first], asked.sort, backwards=True),
        now=now,
        is_capped=is_capped,
    )


def _key(one: ListedGroup, sort: Sort) -> tuple[int, str]:
    return _VALUES[sort](one), one.group.fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """Which of the ranked groups are on the page."""

    first: int
    last: int


def _cut(ranked: Sequence[ListedGroup], asked: Asked) -> _Cut:
    cursor = asked.cursor
    if cursor is None:
        return _Cut(first=0, last=min(asked.limit, len(ranked)))
    keys = [_key(one, asked.sort) for one in ranked]
    if cursor.is_backwards:
        last = sum(key > cursor.key for key in keys)
        return _Cut(first=max(0, last - asked.limit), last=last)
    first = sum(key >= cursor.key for key in keys)
    return _Cut(first=first, last=min(first + asked.limit, len(ranked)))


def _cursor(one: ListedGroup, sort: Sort, *, backwards: bool = False) -> str:
    return str(Cursor(sort=sort, key=_key(one, sort), is_backwards=backwards))
