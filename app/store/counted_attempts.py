"""Attempts that count in the search for causes, and what they are told apart by.

The triggers of revision 0011 count by the same (`migrations/attempts.py`); a test compares them.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, literal_column, text

from app.domain import lengths
from app.store.metadata import COUNTED_OUTCOMES, FAILED_OUTCOMES
from app.store.tables import attempt_table, stat_profile_table

_A = attempt_table.c
_P = stat_profile_table.c

#: An attempt counts: it completed or failed, and is no canary's. A literal in the SQL, as are the
#: others here: SQLite takes ix_task_attempt_ended only so.
COUNTED: Final = text(
    f"task_attempt.outcome IN ({COUNTED_OUTCOMES}) AND task_attempt.source <> 'canary'"
)
#: Those of them that failed: what ix_task_attempt_failed holds.
FAILED: Final = text(
    f"task_attempt.outcome IN ({FAILED_OUTCOMES}) AND task_attempt.source <> 'canary'"
)
#: Those that have a fingerprint: what ix_task_attempt_fingerprint holds.
GROUPED: Final = text("task_attempt.fingerprint IS NOT NULL AND task_attempt.source <> 'canary'")
#: The same of tasks: what ix_task_fingerprint holds.
GROUPED_TASKS: Final = text("task.fingerprint IS NOT NULL AND task.source <> 'canary'")
#: What an attempt that counts has in each column of `stat_profile`.
OF_ATTEMPT: Final[dict[str, ColumnElement[Any]]] = {
    "worker": _A.worker_name,
    "host": _A.host,
    "engine": _A.engine,
    "voice": _A.voice,
    "language": _A.language,
    "release": _A.release,
    "length": literal_column(lengths.sql("task_attempt.char_count")),
    "source": _A.source,
    "failure": case(
        (_A.outcome == "completed", ""),
        else_=func.coalesce(
            func.nullif(_A.fingerprint, ""),
            func.substr("v0:" + func.coalesce(_A.error_type, "unknown"), 1, 40),
        ),
    ),
    "is_repeat": case((_A.is_repeat, 1), else_=0),
}
#: The columns of a profile, in the order of keys: dimensions, then failure and repeat.
PROFILE: Final = tuple(OF_ATTEMPT)
#: An attempt has the profile of the row beside it.
IS_OF_PROFILE: Final = [_P[name] == value for name, value in OF_ATTEMPT.items()]
