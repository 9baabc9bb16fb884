"""Statements of revision 0006 that add tasks to the statistics, for triggers and for a backfill.

A task that is not a canary stands in `stat_total` by its status. Once it has ended it stands in
`stat_period` and `stat_cube` too, in the hour and the day (UTC) in which it ended (in `stat_cube`
also in all time, so that no report adds up days without end), and, if it completed, with its three durations in `stat_hist`. A removed task that had ended moves from
archived 0 to archived 1 in each of them, so that all-time numbers never fall; what archived 0
says is what a recount of the rows says.

All sums are integers. On PostgreSQL the rows are spread over shards, each statement takes its rows
in the order of their keys, and the tables come in one order: `stat_text`, `stat_total`,
`stat_hist`, `stat_period`, `stat_cube`. INSERT and DELETE are counted once a statement there.
"""

from dataclasses import dataclass
from typing import Final

#: Bounds of the histogram: the lowest milliseconds of each bucket, up to three years.
HIGHEST_MS: Final = 100_000_000_000


def bounds() -> list[int]:
    """The lowest value of each bucket; all values of one are within 1 % of its middle."""
    found = [0]
    while found[-1] < HIGHEST_MS:
        found.append(found[-1] * 101 // 99 + 1)
    return found


#: What is added up, in the order of the columns, for a task that has ended, and for one that lives.
_SUMS: Final = (
    ("n", "1", "1"),
    ("run_ms", "{r}.run_ms", "0"),
    ("wait_ms", "{r}.wait_ms", "0"),
    ("total_ms", "{r}.total_ms", "0"),
    ("char_count", "{r}.char_count", "{r}.char_count"),
    ("audio_ms", "coalesce({r}.audio_duration_ms, 0)", "0"),
    (
        "retry_count",
        (
            "CASE WHEN {r}.attempt > 1 + {r}.capacity_count"
            " THEN {r}.attempt - 1 - {r}.capacity_count ELSE 0 END"
        ),
        "0",
    ),
    ("lost_count", "{r}.lost_count", "0"),
    ("capacity_count", "{r}.capacity_count", "0"),
    ("capacity_ms", "{r}.capacity_us / 1000", "0"),
    ("late_count", "CASE WHEN {r}.timed_out_at IS NULL THEN 0 ELSE 1 END", "0"),
)
SUMS: Final = tuple(name for name, _, _ in _SUMS)
_DIMENSIONS: Final = (
    ("engine", "{r}.engine"),
    ("voice", "{r}.voice"),
    ("language", "coalesce({r}.language, '')"),
    ("worker", "coalesce({r}.worker_name, '')"),
    ("host", "coalesce({r}.host, '')"),
    ("release", "coalesce({r}.release, '')"),
)
#: Hours, days, and all time: a length beyond every moment, so that all of it starts at 0.
_PERIOD_GRAINS: Final = (
    "(SELECT 'day' AS grain, 86400000000 AS us UNION ALL SELECT 'hour', 3600000000) g"
)
ALL_GRAINS: Final = (
    "(SELECT 'all' AS grain, 9000000000000000000 AS us UNION ALL SELECT 'day', 86400000000"
    " UNION ALL SELECT 'hour', 3600000000) g"
)
_START: Final = "{r}.finished_at - {r}.finished_at % g.us"
_COUNTS: Final = "{r}.source <> 'canary'"
_ENDED: Final = "{r}.finished_at IS NOT NULL"
_LIVES: Final = "{r}.finished_at IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Rows that are added (`sign` "") or taken away ("-"): one row of a trigger, or many.

    Attributes:
        row: How the rows are called.
        source: The table that holds them; empty for NEW and OLD.
        kinds: Whether tasks that live (False), those that have ended (True), or both are meant.
    """

    row: str
    sign: str = ""
    archived: int = 0
    source: str = ""
    kinds: tuple[bool, ...] = (False, True)

    def sql(self, expression: str) -> str:
        """An expression about these rows."""
        return expression.format(r=self.row)

    def sums(self, *, is_ended: bool) -> str:
        """The sums as columns of a SELECT."""
        return ", ".join(
            f"{self.sign}({self.sql(ended if is_ended else lives)}) AS {name}"
            for name, ended, lives in _SUMS
        )

    def select(self, columns: str, *conditions: str, also: str = "") -> str:
        """A SELECT over these rows, and what else stands in its FROM."""
        tables = ", ".join(part for part in (self.source, also) if part)
        where = " AND ".join(self.sql(one) for one in (_COUNTS, *conditions))
        return f"SELECT {columns}{f' FROM {tables}' if tables else ''} WHERE {where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who adds: the shard that it takes in each table, and how it names rows of one key.

    Attributes:
        is_grouped: One row for each key, in their order: PostgreSQL refuses to touch a row twice
            in a statement, and takes locks in this order. SQLite adds row by row.
    """

    total: str
    hist: str
    period: str
    is_grouped: bool

    def add(
        self,
        table: str,
        keys: tuple[str, ...],
        sums: tuple[str, ...],
        selects: list[str],
        shard: str = "",
    ) -> str:
        """Adds what the SELECTs give (columns: keys, then sums); with `shard` as one more key."""
        shards = (shard,) if shard else ()
        key_columns = (*keys, *("shard" for _ in shards))
        added = [f"CAST(sum({name}) AS BIGINT)" if self.is_grouped else name for name in sums]
        listed = ", ".join(keys)
        order = f" GROUP BY {listed} ORDER BY {listed}" if self.is_grouped else ""
        adds = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
        rows = "\n    UNION ALL ".join(selects)
        return (
            f"INSERT INTO {table} ({', '.join((*key_columns, *sums))})\n"
            f"  SELECT {', '.join((*keys, *shards, *added))} FROM (\n    {rows}) moved"
            f" WHERE true{order}\n"
            f"  ON CONFLICT ({', '.join(key_columns)}) DO UPDATE SET {adds}"
        )


_TOTAL: Final = ("archived", "status")
_HIST: Final = ("archived", "measure", "low_ms")
_PERIOD: Final = ("grain", "start", "archived", "status")
_CUBE: Final = (*_PERIOD, *(name for name, _ in _DIMENSIONS))


def totals(by: Writer, sides: list[Side]) -> str:
    """Adds to the counters of each status."""
    selects = [
        side.select(
            f"{side.archived} AS archived, {side.row}.status AS status, "
            + side.sums(is_ended=is_ended),
            condition,
        )
        for side in sides
        for is_ended, condition in ((False, _LIVES), (True, _ENDED))
        if is_ended in side.kinds
    ]
    return by.add("stat_total", _TOTAL, SUMS, selects, by.total)


def _histogram(by: Writer, sides: list[Side]) -> str:
    """Three durations of each completed task."""
    selects = []
    for side in sides:
        measures = "(SELECT 'run' AS measure UNION ALL SELECT 'total' UNION ALL SELECT 'wait') m"
        value = (
            f"CASE m.measure WHEN 'run' THEN {side.row}.run_ms"
            f" WHEN 'wait' THEN {side.row}.wait_ms ELSE {side.row}.total_ms END"
        )
        low = (
            f"(SELECT b.low_ms FROM stat_bound b WHERE b.low_ms <= {value}"
            " ORDER BY b.low_ms DESC LIMIT 1)"
        )
        columns = f"{side.archived} AS archived, m.measure AS measure, {low} AS low_ms"
        selects.append(
            side.select(f"{columns}, {side.sign}1 AS n", "{r}.status = 'completed'", also=measures)
        )
    return by.add("stat_hist", _HIST, ("n",), selects, by.hist)


def _periods(by: Writer, sides: list[Side]) -> str:
    selects = [
        side.select(_period_columns(side, ""), _ENDED, also=_PERIOD_GRAINS) for side in sides
    ]
    return by.add("stat_period", _PERIOD, SUMS, selects, by.period)


def _cube(by: Writer, sides: list[Side]) -> str:
    dimensions = "".join(f"{sql} AS {name}, " for name, sql in _DIMENSIONS)
    selects = [
        side.select(_period_columns(side, dimensions), _ENDED, also=ALL_GRAINS) for side in sides
    ]
    return by.add("stat_cube", _CUBE, SUMS, selects)


def _period_columns(side: Side, dimensions: str) -> str:
    return (
        f"g.grain AS grain, {side.sql(_START)} AS start, {side.archived} AS archived,"
        f" {side.row}.status AS status, {side.sql(dimensions)}{side.sums(is_ended=True)}"
    )


def rollups(by: Writer, sides: list[Side]) -> list[str]:
    """What counts tasks that have ended."""
    return [_histogram(by, sides), _periods(by, sides), _cube(by, sides)]


def everything(by: Writer, sides: list[Side]) -> list[str]:
    """What counts tasks, whether they live or have ended."""
    return [totals(by, sides), *rollups(by, sides)]


def submissions(by: Writer, row: str, source: str = "") -> str:
    """Submissions by the hour and the day in which they were made, and by their task's engine."""
    select = (
        f"SELECT g.grain AS grain, {row}.created_at - {row}.created_at % g.us AS start,"
        f" {row}.disposition AS disposition, t.engine AS engine, 1 AS n,"
        f" x.char_count AS char_count, CASE WHEN {row}.disposition = 'skipped'"
        " THEN coalesce(t.audio_duration_ms, 0) ELSE 0 END AS audio_ms"
        f" FROM {source}task t, text x, {ALL_GRAINS}"
        f" WHERE t.id = {row}.task_id AND x.id = {row}.text_id AND {row}.source <> 'canary'"
    )
    keys = ("grain", "start", "disposition", "engine")
    return by.add("stat_submission", keys, ("n", "char_count", "audio_ms"), [select], by.period)
