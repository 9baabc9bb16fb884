"""Rows of the span outbox by the tasks that they tell of: counted, and removed with their tasks.

No function commits.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, delete, func, select

from telemetry.outbox_table import OUTBOX

_O: Final = OUTBOX.c


def count_spans(conn: Connection, task_ids: Sequence[int]) -> int:
    """How many spans of these tasks the outbox holds, sent or not (`ix_span_outbox_task`)."""
    statement = select(func.coalesce(func.sum(_O.n_spans), 0)).where(_O.task_id.in_(task_ids))
    return int(conn.execute(statement).scalar_one())


def unsent_tasks(conn: Connection, task_ids: Sequence[int]) -> set[int]:
    """Those of the tasks of which spans wait to be sent (`ix_span_outbox_task`)."""
    statement = select(_O.task_id).where(_O.task_id.in_(task_ids), _O.state == "new")
    return set(conn.scalars(statement))


def remove_tasks(conn: Connection, task_ids: Sequence[int]) -> int:
    """Removes what tells of these tasks, sent or not (`ix_span_outbox_task`); returns the spans."""
    statement = delete(OUTBOX).where(_O.task_id.in_(task_ids)).returning(_O.n_spans)
    return sum(conn.scalars(statement))
