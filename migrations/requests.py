"""SQL of revision 0010: requests counted by what their own rows say, removed ones apart.

A request that is not a canary's stands in `stat_submission` in the hour and the day (UTC) in which
it was made, and in all time. What it counts by stands in its own row, so that nothing else has to
be there, or as it was, when it is changed or removed. A removed one moves from archived 0 to 1.
"""

from typing import Final

from migrations.counting import ALL_GRAINS, Side, Writer
from migrations.trigger_sql import for_each_row, for_each_statement, function, sqlite

#: Triggers that this revision makes, and their tables; the first takes the place of 0006's.
TABLES: Final = {
    "tr_submission_insert": "submission",
    "tr_submission_amend": "submission",
    "tr_submission_delete": "submission",
}
#: What is added up.
SUMS: Final = ("n", "char_count", "audio_ms")
#: The key without the shard.
KEYS: Final = ("grain", "start", "archived", "disposition", "engine")
#: A change of one of them counts a request anew; by hand only.
_COUNTED: Final = ("disposition", "source", "engine", "created_at", "char_count", "audio_ms")
_AMENDS: Final = " OR ".join(f"NEW.{name} <> OLD.{name}" for name in _COUNTED)
_OLD, _NEW = Side(row="OLD", sign="-"), Side(row="NEW")


def _added(by: Writer, sides: list[Side]) -> str:
    """Adds requests to their hours, their days, and all time."""
    selects = [
        side.select(
            side.sql("g.grain AS grain, {r}.created_at - {r}.created_at % g.us AS start")
            + f", {side.archived} AS archived, "
            + side.sql("{r}.disposition AS disposition, {r}.engine AS engine")
            + f", {side.sign}1 AS n, {side.sign}{side.row}.char_count AS char_count"
            + f", {side.sign}{side.row}.audio_ms AS audio_ms",
            also=ALL_GRAINS,
        )
        for side in sides
    ]
    return by.add("stat_submission", KEYS, SUMS, selects, by.period)


def _moved_to_archive(row: str, source: str = "") -> list[Side]:
    return [Side(row=row, sign="-", source=source), Side(row=row, archived=1, source=source)]


_SQLITE: Final = Writer(total="0", hist="0", period="0", is_grouped=False)
_BACKFILL: Final = Writer(total="0", hist="0", period="0", is_grouped=True)
#: Counts the rows that are there already.
BACKFILL: Final = _added(_BACKFILL, [Side(row="s", source="submission s")])


_CHANGES: Final = f"UPDATE OF {', '.join(_COUNTED)} ON submission"
_SQLITE_TRIGGERS: Final = (
    sqlite("tr_submission_insert", "INSERT ON submission", "", [_added(_SQLITE, [_NEW])]),
    sqlite("tr_submission_amend", _CHANGES, _AMENDS, [_added(_SQLITE, [_OLD, _NEW])]),
    sqlite(
        "tr_submission_delete",
        "DELETE ON submission",
        "",
        [_added(_SQLITE, _moved_to_archive("OLD"))],
    ),
)

_BACKEND: Final = "hashint4(pg_backend_pid()) & 15"
_POSTGRES: Final = Writer(total="0", hist="0", period=f"({_BACKEND})::smallint", is_grouped=True)
#: A shard of its own: who removes takes these rows first and those of tasks and texts after it,
#: who submits takes them last. On the same rows they could wait for each other for ever.
_REMOVER: Final = Writer(total="0", hist="0", period="16::smallint", is_grouped=True)


_POSTGRES_TRIGGERS: Final = (
    function("tr_submission_insert", [_added(_POSTGRES, [Side(row="r", source="added r")])]),
    function("tr_submission_amend", [_added(_POSTGRES, [_OLD, _NEW])]),
    function("tr_submission_delete", [_added(_REMOVER, _moved_to_archive("r", "removed r"))]),
    for_each_statement("tr_submission_insert", "INSERT ON submission", "NEW TABLE AS added"),
    for_each_row("tr_submission_amend", _CHANGES, _AMENDS),
    for_each_statement("tr_submission_delete", "DELETE ON submission", "OLD TABLE AS removed"),
)


def statements(dialect: str) -> tuple[str, ...]:
    """The triggers of this revision on `dialect` (`sqlite` or `postgresql`)."""
    return _SQLITE_TRIGGERS if dialect == "sqlite" else _POSTGRES_TRIGGERS
