"""When attempts ended, and their profiles, each by itself: for what the order of ends tells."""

from typing import Final

import numpy as np
from sqlalchemy import Connection, and_, select

from app.store.counted_attempts import COUNTED, IS_OF_PROFILE
from app.store.packed import Integers, columns_of
from app.store.tables import attempt_table, stat_profile_table

_A: Final = attempt_table.c
_P: Final = stat_profile_table.c


def between(conn: Connection, start: int, end: int) -> tuple[Integers, Integers]:
    """Ends (microseconds) and ids of profiles, in the order of the ends; repeats are left out.

    Index ix_task_attempt_ended, then uq_stat_profile_values for each; reads each row.
    """
    rows = (
        select(_A.finished_at.label("at"), _P.id.label("id"))
        .select_from(attempt_table)
        .join(stat_profile_table, and_(*IS_OF_PROFILE))
        .where(COUNTED, _A.finished_at >= start, _A.finished_at < end, ~_A.is_repeat)
        .subquery()
    )
    at, ids = columns_of(conn, rows, ("at", "id"))
    order = np.argsort(at, kind="stable")
    return at[order], ids[order]
