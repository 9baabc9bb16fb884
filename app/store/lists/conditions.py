"""What a filter of tasks looks at in a row of `task`."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, case, exists, func, literal, or_

from app.domain.query.grammar import TASKS
from app.domain.query.order import NEVER_US
from app.domain.query.value import Value
from app.store.lists import contains
from app.store.lists.columns import TASK
from app.store.lists.terms import Asking, Rows, error_of, one_of, word_of
from app.store.tables import submission_table, text_search_table

#: A task that has not ended ends after every moment.
ENDED_AT: Final[ColumnElement[int]] = func.coalesce(TASK["finished_at"], literal(NEVER_US))
_RETRIES: Final = TASK["attempt"] - 1 - TASK["capacity_count"]
#: Columns of qualifiers that are not called by them.
_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = MappingProxyType(
    {
        "worker": TASK["worker_name"],
        "error-type": TASK["error_type"],
        "chars": TASK["char_count"],
        "attempts": TASK["attempt"],
        "retries": case((_RETRIES > 0, _RETRIES), else_=0),
        "tries": TASK["tries_used"],
        "lost": TASK["lost_count"],
        "capacity": TASK["capacity_count"],
        "dur": TASK["run_ms"],
        "wait": TASK["wait_ms"],
        "total": TASK["total_ms"],
        **dict.fromkeys(("submitted", "since", "until"), TASK["submitted_at"]),
        "ended": ENDED_AT,
        "trace": TASK["trace_id"],
    }
)
_FLAGS: Final[Mapping[str, ColumnElement[bool]]] = MappingProxyType(
    {
        "live": TASK["finished_at"].is_(None),
        "ended": TASK["finished_at"].is_not(None),
        "late": TASK["timed_out_at"].is_not(None),
        "rescued": TASK["rescued_at"].is_not(None),
        "retried": TASK["tries_used"] > 0,
        "retry": TASK["retry_of"].is_not(None),
        "followed": exists().where(
            submission_table.c.task_id == TASK["id"], submission_table.c.disposition == "followed"
        ),
    }
)


def _text(values: Sequence[Value], asking: Asking) -> ColumnElement[bool]:
    """One look-up for all alternatives."""
    body = text_search_table.c.body
    parts = [contains.contains(body, word_of(value), asking.dialect) for value in values]
    return exists().where(text_search_table.c.text_id == TASK["text_id"], or_(*parts))


#: Tasks, as their filters look at them.
TASK_ROWS: Final = Rows(
    table="task",
    grammar=TASKS,
    columns=MappingProxyType({**TASK, **_COLUMNS}),
    readers=MappingProxyType(
        {
            "is": one_of(_FLAGS),
            "text": _text,
            "error": error_of(TASK["error_type"], TASK["error_message"]),
        }
    ),
)
