"""SQL of revision 0011: attempts counted by profile, kept by triggers in the change's transaction.

An attempt that completed or failed, and is no canary's, stands in `stat_attempt` in the hour and the
day (UTC) in which it ended, by its profile: the row of `stat_profile` that has its values, made with
the first of them. A removed one moves from archived 0 to 1. What it counts by stands in its own row,
so that nothing else has to be there, or as it was, when it is changed or removed.

A profile that is there is looked up, never locked. Two writers that meet with the first attempt of
one: PostgreSQL lets the second wait for the first, insert nothing, and find the row when it looks
again. There are no shards: workers are part of a profile, so few write to one cell.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from migrations.counting import Writer
from migrations.trigger_sql import for_each_row, for_each_statement, function, sqlite

#: Triggers that this revision makes, and their tables.
TABLES: Final = {
    "tr_attempt_insert": "task_attempt",
    "tr_attempt_end": "task_attempt",
    "tr_attempt_amend": "task_attempt",
    "tr_attempt_delete": "task_attempt",
}
#: Characters at which a bucket of lengths begins; the first one begins at 0.
_LENGTHS: Final = (100, 500, 2_000, 5_000, 20_000)
_LENGTH: Final = " ".join(
    f"WHEN {{r}}.char_count < {start} THEN {place}" for place, start in enumerate(_LENGTHS)
)
#: The columns of a profile, and what an attempt has in each.
VALUES: Final = {
    "worker": "{r}.worker_name",
    "voice": "{r}.voice",
    "release": "{r}.release",
    "length": f"CASE {_LENGTH} ELSE {len(_LENGTHS)} END",
    "failure": (
        "CASE WHEN {r}.outcome = 'completed' THEN '' ELSE coalesce(nullif({r}.fingerprint, ''),"
        " substr('v0:' || coalesce({r}.error_type, 'unknown'), 1, 40)) END"
    ),
    "language": "{r}.language",
    "engine": "{r}.engine",
    "source": "{r}.source",
    "host": "{r}.host",
    "is_repeat": "CASE WHEN {r}.is_repeat THEN 1 ELSE 0 END",
}
_COUNTS: Final = (
    "{r}.outcome IN ('completed', 'failed', 'timeout', 'retry', 'lost') AND {r}.source <> 'canary'"
)
_CELL: Final = ("grain", "start", "profile_id", "archived")
_GRAINS: Final = (("day", 86_400_000_000), ("hour", 3_600_000_000))
#: A change of one of them counts an ended attempt anew; by hand only.
_COUNTED: Final = (
    "finished_at, outcome, source, worker_name, host, engine, voice, language, release, char_count,"
    " fingerprint, error_type, is_repeat"
)
_ENDS: Final = "OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL"
_AMENDS: Final = "OLD.finished_at IS NOT NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Attempts that are counted: one row of a trigger, or many.

    Attributes:
        row: How the rows are called.
        source: The table that holds them; empty for NEW and OLD.
        moves: What each adds, as (archived, number).
    """

    row: str
    source: str = ""
    moves: tuple[tuple[int, int], ...] = ((0, 1),)

    def sql(self, expression: str) -> str:
        """An expression about these rows."""
        return expression.format(r=self.row)

    def select(self, columns: str, *also: str, conditions: Iterable[str] = ()) -> str:
        """A SELECT over those that count, and what else stands in its FROM."""
        tables = ", ".join(part for part in (self.source, *also) if part)
        where = " AND ".join((self.sql(_COUNTS), *conditions))
        return f"SELECT {columns}{f' FROM {tables}' if tables else ''} WHERE {where}"


def _profiles(rows: Iterable[Rows]) -> str:
    """Makes the profiles that are not there, in the order of their keys."""
    columns = [f"{{}} AS {name}" for name in VALUES]
    selects = "\n    UNION ALL ".join(
        one.select(
            ", ".join(
                column.format(one.sql(value))
                for column, value in zip(columns, VALUES.values(), strict=True)
            )
        )
        for one in rows
    )
    listed = ", ".join(VALUES)
    is_there = " AND ".join(f"p.{name} = k.{name}" for name in VALUES)
    return (
        f"INSERT INTO stat_profile ({listed})\n"
        f"  SELECT DISTINCT {listed} FROM (\n    {selects}) k\n"
        f"  WHERE NOT EXISTS (SELECT 1 FROM stat_profile p WHERE {is_there})\n"
        f"  ORDER BY {listed} ON CONFLICT DO NOTHING"
    )


def _cells(by: Writer, rows: Iterable[Rows]) -> str:
    """Adds to the hours and days of their profiles."""
    selects = []
    for one in rows:
        steps = " UNION ALL ".join(
            f"SELECT '{grain}' AS grain, {us} AS us, {archived} AS archived, {n} AS n"
            for grain, us in _GRAINS
            for archived, n in one.moves
        )
        selects.append(
            one.select(
                f"g.grain AS grain, {one.row}.finished_at - {one.row}.finished_at % g.us AS start,"
                " p.id AS profile_id, g.archived AS archived, g.n AS n",
                "stat_profile p",
                f"({steps}) g",
                conditions=[f"p.{name} = {one.sql(value)}" for name, value in VALUES.items()],
            )
        )
    return by.add("stat_attempt", _CELL, ("n",), selects)


def _count(by: Writer, *rows: Rows) -> list[str]:
    return [_profiles(rows), _cells(by, rows)]


_ALL: Final = Rows(row="r", source="task_attempt r")
_DAYS: Final = """
INSERT INTO stat_attempt (grain, start, profile_id, archived, n)
SELECT 'day', start - start % 86400000000, profile_id, 0, CAST(sum(n) AS BIGINT)
FROM stat_attempt WHERE grain = 'hour'
GROUP BY start - start % 86400000000, profile_id ORDER BY 2, 3"""
#: Counts the rows that are there already: each is looked at twice, and days are added up of hours.
BACKFILL: Final = (
    _profiles([_ALL]),
    "INSERT INTO stat_attempt (grain, start, profile_id, archived, n)\n"
    + _ALL.select(
        "'hour', r.finished_at - r.finished_at % 3600000000, p.id, 0, count(*)",
        "stat_profile p",
        conditions=[f"p.{name} = {_ALL.sql(value)}" for name, value in VALUES.items()],
    )
    + "\nGROUP BY r.finished_at - r.finished_at % 3600000000, p.id ORDER BY 2, 3",
    _DAYS,
)

_GONE: Final = ((0, -1), (1, 1))
_OLD, _NEW = Rows(row="OLD", moves=((0, -1),)), Rows(row="NEW")
_UPDATES: Final = f"UPDATE OF {_COUNTED} ON task_attempt"
_SQLITE: Final = Writer(total="0", hist="0", period="0", is_grouped=False)
_SQLITE_TRIGGERS: Final = (
    sqlite(
        "tr_attempt_insert",
        "INSERT ON task_attempt",
        "NEW.finished_at IS NOT NULL",
        _count(_SQLITE, _NEW),
    ),
    sqlite("tr_attempt_end", "UPDATE OF finished_at ON task_attempt", _ENDS, _count(_SQLITE, _NEW)),
    sqlite("tr_attempt_amend", _UPDATES, _AMENDS, _count(_SQLITE, _OLD, _NEW)),
    sqlite(
        "tr_attempt_delete",
        "DELETE ON task_attempt",
        "OLD.finished_at IS NOT NULL",
        _count(_SQLITE, Rows(row="OLD", moves=_GONE)),
    ),
)

_POSTGRES: Final = Writer(total="0", hist="0", period="0", is_grouped=True)


def _where_any(source: str, statements: list[str]) -> str:
    """Statements that are run only where some row has ended."""
    body = "".join(f"    {statement};\n" for statement in statements)
    return f"IF EXISTS (SELECT 1 FROM {source} WHERE finished_at IS NOT NULL) THEN\n{body}  END IF"


_ADDED: Final = Rows(row="r", source="added r")
_REMOVED: Final = Rows(row="r", source="removed r", moves=_GONE)
_POSTGRES_TRIGGERS: Final = (
    function("tr_attempt_insert", [_where_any("added", _count(_POSTGRES, _ADDED))]),
    function("tr_attempt_end", _count(_POSTGRES, _NEW)),
    function("tr_attempt_amend", _count(_POSTGRES, _OLD, _NEW)),
    function("tr_attempt_delete", [_where_any("removed", _count(_POSTGRES, _REMOVED))]),
    for_each_statement("tr_attempt_insert", "INSERT ON task_attempt", "NEW TABLE AS added"),
    for_each_row("tr_attempt_end", "UPDATE OF finished_at ON task_attempt", _ENDS),
    for_each_row("tr_attempt_amend", _UPDATES, _AMENDS),
    for_each_statement("tr_attempt_delete", "DELETE ON task_attempt", "OLD TABLE AS removed"),
)


def statements(dialect: str) -> tuple[str, ...]:
    """The triggers of this revision on `dialect` (`sqlite` or `postgresql`)."""
    return _SQLITE_TRIGGERS if dialect == "sqlite" else _POSTGRES_TRIGGERS
