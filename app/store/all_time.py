"""What is kept of all time without dimensions, in one statement: each one more costs as much again.

Of a report that took 2.7 ms on PostgreSQL with seven statements, six tenths were their way there
and back and what the client does for any of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Text,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)

from app.domain.histogram import PLACES, Histogram
from app.domain.sums import NAMES, Sums
from app.store.database import PG_NOW
from app.store.recount_results import SUMMARY, Summary, summary_of
from app.store.rollups import Dispositions
from app.store.tables import (
    stat_hist_table,
    stat_period_table,
    stat_submission_table,
    stat_total_table,
)
from app.store.totals import Total

_T = stat_total_table.c
_H = stat_hist_table.c
_P = stat_period_table.c
_S = stat_submission_table.c

_C = SUMMARY.subquery().c

_NOTHING: Final[ColumnElement[Any]] = literal_column("''")
_ZERO: Final[ColumnElement[Any]] = literal_column("0")
_NO_SUMS: Final = tuple(_ZERO for _ in NAMES)
_NO_ARRAY: Final[ColumnElement[Any]] = cast(null(), ARRAY(BigInteger))
_OF_SUBMISSIONS: Final = ("n", "char_count", "audio_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllTime:
    """What is kept of all tasks and requests, of those that were removed too.

    Attributes:
        first_hour: The first hour in which a task ended; None: nothing ever ended.
        histograms: Of completed tasks by measure; a measure of no task is left out.
        summary: What the recounts say of all this.
        now: The server's time (PostgreSQL); None: it is this host's.
    """

    totals: tuple[Total, ...]
    dispositions: tuple[Dispositions, ...]
    first_hour: int | None
    histograms: Mapping[str, Histogram]
    summary: Summary
    now: int | None


def of_all_time(conn: Connection) -> AllTime:
    """All of it (64 shards x 10 totals at most, one entry of periods, about 1 500 buckets)."""
    totals: list[Total] = []
    dispositions: list[Dispositions] = []
    first_hour = now = None
    counts: dict[str, dict[int, int]] = {}
    checks: dict[str, tuple[int, int]] = {}
    rows = conn.execute(_statement(conn.dialect.name)).all()
    for kind, name, engine, number, lows, ns, *values in rows:
        match kind:
            case "first":
                first_hour = number
            case "now":
                now = number
            case "histogram":
                counts[name] = _added(_counts(lows, ns), counts.get(name))
            case "check":
                checks[name] = (number, values[0])
            case "total":
                sums = Sums(**dict(zip(NAMES, values, strict=True)))
                totals.append(Total(status=name, is_archived=bool(number), sums=sums))
            case _:
                sums = Sums(**dict(zip(NAMES, values, strict=True)))
                kept = {name: getattr(sums, name) for name in _OF_SUBMISSIONS}
                dispositions.append(Dispositions(disposition=name, engine=engine, **kept))
    return AllTime(
        totals=tuple(totals),
        dispositions=tuple(dispositions),
        first_hour=first_hour,
        histograms={measure: Histogram(found) for measure, found in counts.items()},
        summary=summary_of(checks),
        now=now,
    )


@cache
def _statement(dialect: str) -> CompoundSelect[Any]:
    """Rows of: what they tell, a name, an engine, a number, two lists, and the sums (or a moment).

    The lists of a histogram are in the same order: a tenth of the rows, and half the time. SQLite
    knows lists as text alone, and its key's order is that of the groups; on PostgreSQL arrays take
    less than text, and the clock is the server's.
    """
    is_sqlite = dialect == "sqlite"
    no_lists = (null(), null()) if is_sqlite else (_NO_ARRAY, _NO_ARRAY)
    listed = [_list_of(column, is_sqlite=is_sqlite) for column in (_H.low_ms, _H.n)]
    is_archived = cast(_T.archived, BigInteger)
    totals = _row("total", (_T.status, _NOTHING, is_archived), no_lists, _ALL_SUMS)
    submissions = _row("submission", (_S.disposition, _S.engine, _ZERO), no_lists, _SUBMISSION_SUMS)
    first = _row("first", (_NOTHING, _NOTHING, func.min(_P.start)), no_lists, _NO_SUMS)
    histograms = _row("histogram", (_H.measure, _NOTHING, _ZERO), listed, _NO_SUMS)
    written = (_C.updated_at, *_NO_SUMS[1:])
    checks = _row("check", (_C.key, _NOTHING, _C.value), no_lists, written)
    clock = _row("now", (_NOTHING, _NOTHING, PG_NOW), no_lists, _NO_SUMS)
    return union_all(
        totals.group_by(_T.status, _T.archived),
        submissions.where(_S.grain == literal_column("'all'")).group_by(_S.disposition, _S.engine),
        first.where(_P.grain == literal_column("'hour'"), _P.n > literal_column("0")),
        histograms.group_by(_H.archived, _H.measure),
        checks,
        *(() if is_sqlite else (clock,)),
    )


def _row(
    kind: str,
    about: Iterable[ColumnElement[Any]],
    lists: Iterable[ColumnElement[Any]],
    sums: Iterable[ColumnElement[Any]],
) -> Select[Any]:
    return select(literal_column(f"'{kind}'"), *about, *lists, *sums)


def _list_of(column: ColumnElement[int], *, is_sqlite: bool) -> ColumnElement[Any]:
    return func.aggregate_strings(cast(column, Text), ",") if is_sqlite else func.array_agg(column)


def _sum_of(column: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.sum(column), BigInteger)


_ALL_SUMS: Final = tuple(_sum_of(_T[name]) for name in NAMES)
_SUBMISSION_SUMS: Final = tuple(
    _sum_of(_S[name]) if name in _OF_SUBMISSIONS else _ZERO for name in NAMES
)


def _counts(lows: str | list[int], ns: str | list[int]) -> dict[int, int]:
    return dict(zip(map(PLACES.__getitem__, _numbers(lows)), _numbers(ns), strict=True))


def _added(counts: dict[int, int], more: dict[int, int] | None) -> dict[int, int]:
    if not more:
        return counts
    return counts | {place: n + counts.get(place, 0) for place, n in more.items()}


def _numbers(listed: str | list[int]) -> Iterable[int]:
    return map(int, listed.split(",")) if isinstance(listed, str) else listed
