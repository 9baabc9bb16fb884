"""What rows say, for a recount: tasks and requests of an hour, living tasks, durations, texts.

Each function is one statement over one index; canaries are left out, as the counters leave them.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    TextClause,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
    text,
)

from app.domain.drift import Key, Values
from app.store import counted_attempts
from app.store.counted import COUNTED
from app.store.tables import submission_table, task_table, text_table

_T = task_table.c
_X = text_table.c
_S = submission_table.c
_RETRIES = _T.attempt - 1 - _T.capacity_count
#: What one ended task adds to each sum but `n`, in the order of `sums.NAMES`.
_SUMS: Final[tuple[ColumnElement[Any], ...]] = (
    _T.run_ms,
    _T.wait_ms,
    _T.total_ms,
    _T.char_count,
    func.coalesce(_T.audio_duration_ms, 0),
    case((_RETRIES > 0, _RETRIES), else_=0),
    _T.lost_count,
    _T.capacity_count,
    literal_column("task.capacity_us / 1000"),
    case((_T.timed_out_at.is_(None), 0), else_=1),
)
_KEY: Final[tuple[ColumnElement[Any], ...]] = (
    _T.status,
    _T.engine,
    _T.voice,
    func.coalesce(_T.language, ""),
    func.coalesce(_T.worker_name, ""),
    func.coalesce(_T.host, ""),
    func.coalesce(_T.release, ""),
)
_DURATIONS: Final = {"run": _T.run_ms, "wait": _T.wait_ms, "total": _T.total_ms}
_COMPLETED: Final = text(
    "task.finished_at IS NOT NULL AND task.source <> 'canary' AND task.status = 'completed'"
)


def _hours_of(table: str, moment: str, condition: str) -> TextClause:
    """Walks from hour to hour by an index on `moment` that holds the rows of `condition`."""
    return text(f"""
    WITH RECURSIVE found(at) AS (
      SELECT (SELECT {moment} FROM {table} WHERE {condition} AND {moment} >= :since
              ORDER BY {moment} LIMIT 1)
      UNION ALL
      SELECT (SELECT {moment} FROM {table} WHERE {condition}
              AND {moment} >= found.at - found.at % 3600000000 + 3600000000
              ORDER BY {moment} LIMIT 1)
      FROM found WHERE found.at < :until)
    SELECT at - at % 3600000000 FROM found WHERE at < :until""")  # noqa: S608 - of this module


_HOURS: Final = _hours_of("task", "finished_at", "finished_at IS NOT NULL")
_ASKED: Final = "submission.source <> 'canary'"
_REQUEST_HOURS: Final = _hours_of("submission", "created_at", _ASKED)
_ATTEMPT_HOURS: Final = _hours_of("task_attempt", "finished_at", str(counted_attempts.COUNTED))
_STATE: Final = case(
    (_X.audio_id.is_not(None), "completed"),
    (_X.cancelled_at.is_not(None), "cancelled"),
    # between the end of its task and its audio it shows the task's status; without any it failed
    (and_(_T.status == "completed", _X.state != "completed"), "failed"),
    else_=_T.status,
)

#: Columns of `ended` before the sums.
KEY_WIDTH: Final = len(_KEY)


def ended(conn: Connection, start: int, end: int) -> Sequence[Row[Any]]:
    """Of each task that ended in a stretch of time: status, dimensions, and what it adds.

    Index ix_task_finished; reads each row.
    """
    statement = select(*_KEY, *_SUMS).where(_T.finished_at >= start, _T.finished_at < end, COUNTED)
    return conn.execute(statement).fetchall()


def requests(conn: Connection, start: int, end: int) -> dict[Key, Values]:
    """Requests of a stretch of time by (0, disposition, engine): how many, characters, sound.

    Index ix_submission_created; reads each row.
    """
    keys: tuple[ColumnElement[Any], ...] = (literal_column("0"), _S.disposition, _S.engine)
    # numeric on PostgreSQL
    sums = (cast(func.sum(column), BigInteger) for column in (_S.char_count, _S.audio_ms))
    statement = (
        select(*keys, func.count(), *sums)
        .where(_S.created_at >= start, _S.created_at < end, text(_ASKED))
        .group_by(_S.disposition, _S.engine)
    )
    return {tuple(row[:3]): tuple(row[3:]) for row in conn.execute(statement)}


def live(conn: Connection, status: str) -> tuple[int, int]:
    """How many tasks are pending or processing, and the characters of their texts.

    Index ix_task_pending or ix_task_processing; reads each row.
    """
    # a literal in the SQL: SQLite takes a partial index only so
    statement = (
        select(func.count(), func.coalesce(func.sum(_T.char_count), 0))
        .select_from(task_table)
        .where(text(f"task.status = '{status}'"), COUNTED)
    )
    n, char_count = conn.execute(statement).one()
    return int(n), int(char_count)


def hours(conn: Connection, since: int, until: int) -> list[int]:
    """The hours in which tasks ended, from a moment on and before another.

    Index ix_task_finished, one entry for each hour.
    """
    return list(conn.execute(_HOURS, {"since": since, "until": until}).scalars())


def request_hours(conn: Connection, since: int, until: int) -> list[int]:
    """The hours in which requests were made, from a moment on and before another.

    Index ix_submission_created, one entry for each hour.
    """
    return list(conn.execute(_REQUEST_HOURS, {"since": since, "until": until}).scalars())


def attempt_hours(conn: Connection, since: int, until: int) -> list[int]:
    """The hours in which attempts that count ended, from a moment on and before another.

    Index ix_task_attempt_ended, one entry for each hour.
    """
    return list(conn.execute(_ATTEMPT_HOURS, {"since": since, "until": until}).scalars())


def durations(
    conn: Connection, measure: str, low_ms: int, high_ms: int | None
) -> list[tuple[int, int]]:
    """Durations of completed tasks from `low_ms` to below `high_ms`, and how often each is there.

    Only the index ix_task_run_ms, ix_task_wait_ms or ix_task_total_ms is read. None: without end.
    """
    column = _DURATIONS[measure]
    statement = select(column, func.count()).where(_COMPLETED, column >= low_ms).group_by(column)
    if high_ms is not None:
        statement = statement.where(column < high_ms)
    return [(int(ms), int(n)) for ms, n in conn.execute(statement)]


def texts_by_state(conn: Connection) -> dict[str, int]:
    """Texts that are not hidden by state: reads the whole table."""
    statement = (
        select(_X.state, func.count())
        .where(_X.source != "canary", _X.deleted_at.is_(None))
        .group_by(_X.state)
    )
    return {state: int(n) for state, n in conn.execute(statement)}


def last_text(conn: Connection) -> int:
    """The largest id of a text; 0 where there is none (primary key)."""
    return int(conn.execute(select(func.coalesce(func.max(_X.id), 0))).scalar_one())


def wrong_states(conn: Connection, after_id: int, to_id: int) -> list[tuple[int, str, str]]:
    """Texts above an id, up to another: id, state, and what it must be, where that differs.

    A text whose task is gone keeps its state. Primary keys; reads each text of the range.
    """
    statement = (
        select(_X.id, _X.state, _STATE)
        .join(task_table, _T.id == _X.task_id)
        .where(_X.id > after_id, _X.id <= to_id, _X.state != _STATE)
        .order_by(_X.id)
    )
    return [(int(text_id), state, wanted) for text_id, state, wanted in conn.execute(statement)]


def lift_time_limit(conn: Connection) -> None:
    """Lets the statements of this transaction take as long as they need (SQLite: they may)."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SET LOCAL statement_timeout = 0"))
