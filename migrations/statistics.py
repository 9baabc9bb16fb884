"""SQL of revision 0006: statistics of tasks, kept by triggers in the transaction of the change."""

from typing import Final

from migrations.counting import Side, Writer, everything, rollups, submissions, totals
from migrations.trigger_sql import for_each_row, for_each_statement, function, sqlite

#: Triggers on `task` that this revision takes away, and the functions that they ran.
REPLACED: Final = ("tr_task_insert", "tr_task_update", "tr_task_delete", "tr_task_finished")
REPLACED_FUNCTIONS: Final = ("voxtrace_task_changed", "voxtrace_task_finished")
#: Triggers that it makes, and their tables.
TABLES: Final = {
    "tr_task_insert": "task",
    "tr_task_answers": "task",
    "tr_task_move": "task",
    "tr_task_end": "task",
    "tr_task_amend": "task",
    "tr_task_delete": "task",
    "tr_submission_insert": "submission",
}
#: One more on SQLite, which knows no IF in a trigger.
SQLITE_TABLES: Final = {"tr_task_insert_ended": "task"}

_BACKFILL: Final = Writer(total="0", hist="0", period="0", is_grouped=True)
#: Counts the rows that are there already.
BACKFILL: Final = (
    *everything(_BACKFILL, [Side(row="t", source="task t")]),
    submissions(_BACKFILL, "s", "submission s, "),
)

_OLD: Final = Side(row="OLD", sign="-")
_NEW: Final = Side(row="NEW")
_OLD_LIVE: Final = Side(row="OLD", sign="-", kinds=(False,))
_NEW_LIVE: Final = Side(row="NEW", kinds=(False,))
_NEW_ENDED: Final = Side(row="NEW", kinds=(True,))
_MOVES: Final = "OLD.finished_at IS NULL AND NEW.finished_at IS NULL AND NEW.status <> OLD.status"
_ENDS: Final = "OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL"
#: What a row that has ended counts by: a change of one of them counts it anew.
_COUNTED: Final = (
    "status, source, engine, voice, language, worker_name, host, release, char_count,"
    " audio_duration_ms, run_us, submitted_at, finished_at, timed_out_at, attempt, lost_count,"
    " capacity_count, capacity_us"
)
#: By hand only: an ended row is changed, or what a living one counts by.
_AMENDS: Final = (
    "OLD.finished_at IS NOT NULL OR (NEW.finished_at IS NULL AND NEW.status = OLD.status"
    " AND (NEW.char_count <> OLD.char_count OR NEW.source <> OLD.source))"
)
_ANSWERS: Final = "task_id = NEW.id AND audio_id IS NULL AND cancelled_at IS NULL"

_SQLITE: Final = Writer(total="0", hist="0", period="0", is_grouped=False)


def _moved_to_archive(row: str, source: str = "") -> list[Side]:
    """A removed row: a living one is gone, an ended one goes on counting as archived."""
    return [
        Side(row=row, sign="-", source=source),
        Side(row=row, archived=1, source=source, kinds=(True,)),
    ]


_SQLITE_TRIGGERS: Final = (
    sqlite(
        "tr_task_insert",
        "INSERT ON task",
        "NEW.finished_at IS NULL",
        [totals(_SQLITE, [_NEW_LIVE])],
    ),
    sqlite(
        "tr_task_insert_ended",
        "INSERT ON task",
        "NEW.finished_at IS NOT NULL",
        everything(_SQLITE, [_NEW_ENDED]),
    ),
    sqlite(
        "tr_task_answers",
        "UPDATE OF status ON task",
        "NEW.status <> OLD.status",
        [f"UPDATE text SET state = NEW.status WHERE {_ANSWERS} AND state <> NEW.status"],
    ),
    sqlite(
        "tr_task_move",
        "UPDATE OF status ON task",
        _MOVES,
        [totals(_SQLITE, [_OLD_LIVE, _NEW_LIVE])],
    ),
    sqlite(
        "tr_task_end",
        "UPDATE OF status ON task",
        _ENDS,
        [totals(_SQLITE, [_OLD_LIVE, _NEW_ENDED]), *rollups(_SQLITE, [_NEW_ENDED])],
    ),
    sqlite(
        "tr_task_amend",
        f"UPDATE OF {_COUNTED} ON task",
        _AMENDS,
        everything(_SQLITE, [_OLD, _NEW]),
    ),
    sqlite("tr_task_delete", "DELETE ON task", "", everything(_SQLITE, _moved_to_archive("OLD"))),
    sqlite("tr_submission_insert", "INSERT ON submission", "", [submissions(_SQLITE, "NEW")]),
)

_BACKEND: Final = "hashint4(pg_backend_pid())"
_POSTGRES: Final = Writer(
    total=f"({_BACKEND} & 63)::smallint",
    # 1 500 rows: few meet on one, and whoever reads them all reads them often
    hist="0",
    period=f"({_BACKEND} & 15)::smallint",
    is_grouped=True,
)


def _where_any(source: str, statements: list[str]) -> str:
    """Statements that are run only where some row has ended."""
    body = "".join(f"    {statement};\n" for statement in statements)
    return f"IF EXISTS (SELECT 1 FROM {source} WHERE finished_at IS NOT NULL) THEN\n{body}  END IF"


_ADDED: Final = [Side(row="r", source="added r")]
_GONE: Final = _moved_to_archive("r", "removed r")
_POSTGRES_TRIGGERS: Final = (
    function(
        "tr_task_insert",
        [totals(_POSTGRES, _ADDED), _where_any("added", rollups(_POSTGRES, _ADDED))],
    ),
    function(
        "tr_task_answers",
        [
            f"""UPDATE text SET state = NEW.status WHERE id IN (
    SELECT id FROM text WHERE {_ANSWERS} AND state <> NEW.status ORDER BY id FOR UPDATE)"""
        ],
    ),
    function("tr_task_move", [totals(_POSTGRES, [_OLD_LIVE, _NEW_LIVE])]),
    function(
        "tr_task_end",
        [totals(_POSTGRES, [_OLD_LIVE, _NEW_ENDED]), *rollups(_POSTGRES, [_NEW_ENDED])],
    ),
    function("tr_task_amend", everything(_POSTGRES, [_OLD, _NEW])),
    function(
        "tr_task_delete",
        [totals(_POSTGRES, _GONE), _where_any("removed", rollups(_POSTGRES, _GONE))],
    ),
    function("tr_submission_insert", [submissions(_POSTGRES, "s", "added s, ")]),
    for_each_statement("tr_task_insert", "INSERT ON task", "NEW TABLE AS added"),
    for_each_row("tr_task_answers", "UPDATE OF status ON task", "NEW.status <> OLD.status"),
    for_each_row("tr_task_move", "UPDATE OF status ON task", _MOVES),
    for_each_row("tr_task_end", "UPDATE OF status ON task", _ENDS),
    for_each_row("tr_task_amend", f"UPDATE OF {_COUNTED} ON task", _AMENDS),
    for_each_statement("tr_task_delete", "DELETE ON task", "OLD TABLE AS removed"),
    for_each_statement("tr_submission_insert", "INSERT ON submission", "NEW TABLE AS added"),
)


def functions() -> tuple[str, ...]:
    """The functions of the triggers on PostgreSQL, which take the place of those that are there."""
    return tuple(one for one in _POSTGRES_TRIGGERS if one.startswith("CREATE OR REPLACE FUNCTION"))


def statements(dialect: str) -> tuple[str, ...]:
    """The triggers of this revision on `dialect` (`sqlite` or `postgresql`)."""
    return _SQLITE_TRIGGERS if dialect == "sqlite" else _POSTGRES_TRIGGERS
