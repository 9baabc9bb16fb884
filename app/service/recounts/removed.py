"""What was removed, counted several times over: what two counters agree on mends the third.

No row is left to be counted. But each removed task stands in the cube by hour, by day and of all
time, and in the sums of its status by hour, by day and of all time; each request by hour, by day
and of all time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from app.domain.drift import Difference, Key, Scope, Values, compare
from app.domain.task import FINAL
from app.domain.window import DAY_US, EVER_US
from app.service.core import Core
from app.service.recounts import sheet, words
from app.service.recounts.found import Found, snapshot
from app.service.recounts.sheet import Sheet
from app.store import recount_counters
from app.store.database import Connection
from app.store.recount_counters import KEYS, SUMS

_CUBE, _PERIOD, _TOTAL, _REQUESTS = "stat_cube", "stat_period", "stat_total", "stat_submission"
#: Rounds in which what was mended may show where the next thing is wrong.
_ROUNDS: Final = 3
Cells = dict[tuple[int, Key], Values]
#: (table, grain) -> cells by their beginning and key.
Counted = dict[tuple[str, str], Cells]


@dataclass(slots=True, kw_only=True)
class _Kind:
    """Cells of removed tasks of one status, or of removed requests.

    Attributes:
        told, together: The tables that tell apart, and that do not.
        was: What they say; `now`: what they must.
        is_of: The key of what does not tell apart.
        is_sure_of_days: Whether every day is what its hours are.
    """

    told: str
    together: str | None
    is_of: Key
    is_sure_of_days: bool
    was: Counted
    now: Counted = field(default_factory=dict)

    def cells(self, table: str, grain: str) -> Cells:
        return self.now.setdefault((table, grain), dict(self.was.get((table, grain), {})))


def look(core: Core, days: Iterable[int], *, is_all: bool) -> Found:
    """What can be mended of what was removed, by what others say; one snapshot.

    Reads the cells of what was removed, of all days and of the hours of `days`.

    Args:
        core: Where.
        days: Those that contradict their hours, or have an hour that contradicts itself.
        is_all: Whether there is no other day of this kind.
    """
    wanted = sorted(days)
    with snapshot(core) as now:
        kinds = list(_kinds(now.conn, wanted, is_all=is_all))
    for one in kinds:
        _settle(one, wanted)
    return Found(
        scope=Scope(),
        moment=now.moment,
        differences=tuple(difference for one in kinds for difference in _differences(one)),
    )


def _kinds(conn: Connection, days: list[int], *, is_all: bool) -> Iterator[_Kind]:
    """Removed tasks by status, and removed requests."""
    read = _read(conn, days)
    for status in sorted(FINAL):
        mine = {
            place: {of: values for of, values in cells.items() if of[1][1] == status}
            for place, cells in read.items()
            if place[0] != _REQUESTS
        }
        yield _Kind(
            told=_CUBE,
            together=_PERIOD,
            is_of=(1, str(status)),
            is_sure_of_days=is_all,
            was=mine,
        )
    requests = {place: cells for place, cells in read.items() if place[0] == _REQUESTS}
    yield _Kind(told=_REQUESTS, together=None, is_of=(), is_sure_of_days=is_all, was=requests)


def _read(conn: Connection, days: list[int]) -> Counted:
    found: Counted = {}
    for table in (_CUBE, _PERIOD, _REQUESTS):
        found[table, "day"] = recount_counters.removed_cells(conn, table, "day")
        found[table, "hour"] = {
            of: values
            for day in days
            for of, values in recount_counters.removed_cells(
                conn, table, "hour", day, day + DAY_US
            ).items()
        }
    for table in (_CUBE, _REQUESTS):
        found[table, "all"] = recount_counters.removed_cells(conn, table, "all")
    totals = recount_counters.whole(conn, _TOTAL)
    found[_TOTAL, "all"] = {(0, key): values for key, values in totals.items() if key[0]}
    return found


def _settle(kind: _Kind, days: list[int]) -> None:
    """Hours with their day, then days with all time, until nothing more is found."""
    for _ in range(_ROUNDS):
        before = {place: dict(cells) for place, cells in kind.now.items()}
        are_settled = [_settle_day(kind, day) for day in days]
        _settle_all(kind, is_sure_of_days=kind.is_sure_of_days and all(are_settled))
        if kind.now == before:
            break


def _settle_day(kind: _Kind, day: int) -> bool:
    """Whether the day is what its hours are now."""
    days, end = kind.cells(kind.told, "day"), day + DAY_US
    whole = {key: values for (_, key), values in kind.cells(kind.told, "all").items()}
    top = sheet.apart(whole, sheet.by(days, lambda one: one[1]))

    def above(key: Key, off: Values) -> bool | None:
        if key not in top:
            return True
        return False if not any(sheet.plus(top[key], off)) else None

    found = sheet.settle(
        Sheet(
            inner=_inside(kind.cells(kind.told, "hour"), day, end),
            rows=_sums(kind, "hour", day, end),
            columns={key: values for (start, key), values in days.items() if start == day},
        ),
        above,
    )
    if found is not None:
        _take(kind, "hour", found, day, end)
        _put(days, {(day, key): values for key, values in found.columns.items()}, day, end)
    return found is not None


def _settle_all(kind: _Kind, *, is_sure_of_days: bool) -> None:
    whole = {key: values for (_, key), values in kind.cells(kind.told, "all").items()}
    counted = sheet.total([kind.cells(_TOTAL, "all").get((0, kind.is_of), ())])
    days = kind.cells(kind.told, "day")
    above = False if kind.together is None and is_sure_of_days else None
    if kind.together is not None and sheet.total(whole.values()) == counted:
        above = True
    elif kind.together is not None and sheet.total(days.values()) == counted:
        above = False
    found = sheet.settle(
        Sheet(
            inner=dict(days),
            rows=_sums(kind, "day", 0, EVER_US),
            columns=whole,
        ),
        lambda _key, _off: above,
    )
    if found is None:
        return
    _take(kind, "day", found, 0, EVER_US)
    columns = {(0, key): values for key, values in found.columns.items()}
    _put(kind.cells(kind.told, "all"), columns, 0, 1)
    if kind.together is not None:
        total = {(0, kind.is_of): sheet.total(found.columns.values())}
        _put(kind.cells(_TOTAL, "all"), total, 0, 1)


def _sums(kind: _Kind, grain: str, start: int, end: int) -> dict[int, Values] | None:
    if kind.together is None:
        return None
    mine = _inside(kind.cells(kind.together, grain), start, end)
    return {at: values for (at, _), values in mine.items()}


def _inside(cells: Cells, start: int, end: int) -> Cells:
    return {of: values for of, values in cells.items() if start <= of[0] < end}


def _take(kind: _Kind, grain: str, found: Sheet, start: int, end: int) -> None:
    _put(kind.cells(kind.told, grain), found.inner, start, end)
    if kind.together is not None and found.rows is not None:
        rows = {(at, kind.is_of): values for at, values in found.rows.items()}
        _put(kind.cells(kind.together, grain), rows, start, end)


def _put(cells: Cells, found: Mapping[tuple[int, Key], Values], start: int, end: int) -> None:
    for of in [of for of in cells if start <= of[0] < end]:
        del cells[of]
    cells.update(found)


def _differences(kind: _Kind) -> Iterator[Difference]:
    for (table, grain), now in kind.now.items():
        was = kind.was.get((table, grain), {})
        for start in sorted({start for start, _ in now.keys() | was.keys()}):
            yield from compare(
                table,
                SUMS[table],
                expected=_at(now, start),
                got=_at(was, start),
                words=partial(words.OF_TABLE[table], _when(grain, start)),
                cell=partial(_cell, table, grain, start),
            )


def _at(cells: Cells, start: int) -> dict[Key, Values]:
    return {key: values for (at, key), values in cells.items() if at == start and any(values)}


def _when(grain: str, start: int) -> str:
    if grain == "all":
        return words.ALL_TIME
    return words.period("hour" if grain == "hour" else "day", start)


def _cell(table: str, grain: str, start: int, key: Key) -> Mapping[str, Any]:
    columns = dict(zip(KEYS[table], key, strict=True))
    return columns if table == _TOTAL else {"grain": grain, "start": start, **columns}
