"""SQL of revision 0010: requests counted by what their own rows say, removed ones apart.

A request that is not a canary's stands in `stat_submission` in the hour and the day (UTC) in which
it was made, and in all time. What it counts by stands in its own row, so that nothing else has to
be there, or as it was, when it is changed or removed. A removed one moves from archived 0 to 1.
"""

from typing import Final

from migrations.counting import ALL_GRAINS, Side, Writer

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


def _sqlite(name: str, event: str, when: str, sides: list[Side]) -> str:
    condition = f" WHEN {when}" if when else ""
    return f"CREATE TRIGGER {name} AFTER {event}{condition} BEGIN\n  {_added(_SQLITE, sides)};\nEND"


_CHANGES: Final = f"UPDATE OF {', '.join(_COUNTED)} ON submission"
_SQLITE_TRIGGERS: Final = (
    _sqlite("tr_submission_insert", "INSERT ON submission", "", [_NEW]),
    _sqlite("tr_submission_amend", _CHANGES, _AMENDS, [_OLD, _NEW]),
    _sqlite("tr_submission_delete", "DELETE ON submission", "", _moved_to_archive("OLD")),
)

_BACKEND: Final = "hashint4(pg_backend_pid()) & 15"
_POSTGRES: Final = Writer(total="0", hist="0", period=f"({_BACKEND})::smallint", is_grouped=True)
#: A shard of its own: who removes takes these rows first and those of tasks and texts after it,
#: who submits takes them last. On the same rows they could wait for each other for ever.
_REMOVER: Final = Writer(total="0", hist="0", period="16::smallint", is_grouped=True)


def _function(name: str, statement: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION voxtrace_{name}() RETURNS trigger LANGUAGE plpgsql AS $f$\n"
        f"BEGIN\n  {statement};\n  RETURN NULL;\nEND $f$"
    )


def _statement_trigger(name: str, event: str, rows: str) -> str:
    return (
        f"CREATE TRIGGER tr_{name} AFTER {event} ON submission REFERENCING {rows}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION voxtrace_{name}()"
    )


_POSTGRES_TRIGGERS: Final = (
    _function("submission_insert", _added(_POSTGRES, [Side(row="r", source="added r")])),
    _function("submission_amend", _added(_POSTGRES, [_OLD, _NEW])),
    _function("submission_delete", _added(_REMOVER, _moved_to_archive("r", "removed r"))),
    _statement_trigger("submission_insert", "INSERT", "NEW TABLE AS added"),
    (
        f"CREATE TRIGGER tr_submission_amend AFTER {_CHANGES} FOR EACH ROW WHEN ({_AMENDS})"
        " EXECUTE FUNCTION voxtrace_submission_amend()"
    ),
    _statement_trigger("submission_delete", "DELETE", "OLD TABLE AS removed"),
)


def statements(dialect: str) -> tuple[str, ...]:
    """The triggers of this revision on `dialect` (`sqlite` or `postgresql`)."""
    return _SQLITE_TRIGGERS if dialect == "sqlite" else _POSTGRES_TRIGGERS
