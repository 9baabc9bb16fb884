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
    less than text.
    """
    lows: ColumnElement[Any] = func.array_agg(_H.low_ms)
    ns: ColumnElement[Any] = func.array_agg(_H.n)
    nothing: ColumnElement[Any] = cast(null(), ARRAY(BigInteger))
    clock = [
        select(literal_column("'now'"), _NOTHING, _NOTHING, PG_NOW, nothing, nothing, *_NO_SUMS)
    ]
    if dialect == "sqlite":
        clock = []
        lows = func.aggregate_strings(cast(_H.low_ms, Text), ",")
        ns = func.aggregate_strings(cast(_H.n, Text), ",")
        nothing = null()
    return union_all(
        select(
            literal_column("'total'"),
            _T.status,
            _NOTHING,
            cast(_T.archived, BigInteger),
            nothing,
            nothing,
            *(_sum_of(_T[name]) for name in NAMES),
        ).group_by(_T.status, _T.archived),
        select(
            literal_column("'submission'"),
            _S.disposition,
            _S.engine,
            _ZERO,
            nothing,
            nothing,
            *(_sum_of(_S[name]) if name in _OF_SUBMISSIONS else _ZERO for name in NAMES),
        )
        .where(_S.grain == literal_column("'all'"))
        .group_by(_S.disposition, _S.engine),
        select(
            literal_column("'first'"),
            _NOTHING,
            _NOTHING,
            func.min(_P.start),
            nothing,
            nothing,
            *_NO_SUMS,
        ).where(_P.grain == literal_column("'hour'")),
        select(
            literal_column("'histogram'"), _H.measure, _NOTHING, _ZERO, lows, ns, *_NO_SUMS
        ).group_by(_H.archived, _H.measure),
        select(
            literal_column("'check'"),
            _C.key,
            _NOTHING,
            _C.value,
            nothing,
            nothing,
            _C.updated_at,
            *_NO_SUMS[1:],
        ),
        *clock,
    )


def _sum_of(column: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.sum(column), BigInteger)


def _counts(lows: str | list[int], ns: str | list[int]) -> dict[int, int]:
    return dict(zip(map(PLACES.__getitem__, _numbers(lows)), _numbers(ns), strict=True))


def _added(counts: dict[int, int], more: dict[int, int] | None) -> dict[int, int]:
    if not more:
        return counts
    return counts | {place: n + counts.get(place, 0) for place, n in more.items()}


def _numbers(listed: str | list[int]) -> Iterable[int]:
    return map(int, listed.split(",")) if isinstance(listed, str) else listed
