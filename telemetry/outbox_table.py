"""The tables of the span outbox, their indexes, and the conditions that these serve."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    literal_column,
    text,
)

#: `rank` of rows with a task span: kept longest, because they are the proof.
RANK_TASK: Final = 0
#: `rank` of rows with attempts, segments, markers.
RANK_DETAIL: Final = 1
#: `rank` of rows with the SERVER span of a request.
RANK_REQUEST: Final = 2

#: Rows that one call changes at most where it may meet many, so that the writer's lock is short.
ROWS_PER_CALL: Final = 1000


def define(metadata: MetaData) -> Table:
    """Adds `span_outbox` and the small `span_outbox_loss` to `metadata`; returns `span_outbox`.

    `payload` is the last column: SQLite then reads the others without its overflow pages. Moments
    are microseconds since the epoch; `span_outbox_loss` has one row for each `rank` that lost rows.
    `look_at`: when the backend is to be asked whether it has what was sent; NULL: not to be asked.
    """
    Table(
        "span_outbox_loss",
        metadata,
        Column("rank", SmallInteger, primary_key=True, autoincrement=False),
        Column("row_count", BigInteger, nullable=False),
        Column("span_count", BigInteger, nullable=False),
        Column("last_at", BigInteger, nullable=False),
    )
    table = Table(
        "span_outbox",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("task_id", BigInteger),
        Column("trace_id", String(32)),
        Column("created_at", BigInteger, nullable=False),
        Column("n_spans", Integer, nullable=False),
        Column("size_bytes", Integer, nullable=False),
        Column("rank", SmallInteger, nullable=False),
        Column("state", Text, nullable=False, server_default="new"),
        Column("sent_at", BigInteger),
        Column("look_at", BigInteger),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("error", Text),
        Column("payload", LargeBinary, nullable=False),
        CheckConstraint("state IN ('new', 'sent', 'poison')", name="state"),
        CheckConstraint("rank IN (0, 1, 2)", name="rank"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_at"),
        sqlite_autoincrement=True,
    )
    _define_indexes(table.c)
    return table


def _define_indexes(c: Any) -> None:
    """By state (they cover what is counted), for the waterfall, and for what is to be looked up.

    `spare` is what may go first: sent, and nobody has to look for it any more.
    """
    _partial("new", "state = 'new'", c.id, c.rank, c.size_bytes, c.created_at)
    _partial("sent", "state = 'sent'", c.sent_at, c.id, c.size_bytes)
    _partial("spare", "state = 'sent' AND look_at IS NULL", c.sent_at, c.id, c.size_bytes)
    _partial("poison", "state = 'poison'", c.id, c.size_bytes, c.created_at)
    _partial("task", "task_id IS NOT NULL", c.task_id, c.id)
    _partial("trace", "trace_id IS NOT NULL", c.trace_id, c.id)
    _partial("look", "look_at IS NOT NULL", c.look_at, c.id)


def _partial(name: str, condition: str, *columns: Column[Any]) -> None:
    where = text(condition)
    Index(f"ix_span_outbox_{name}", *columns, sqlite_where=where, postgresql_where=where)


_METADATA: Final = MetaData()
#: The tables as the statements of this package name them (never used to create anything).
OUTBOX: Final = define(_METADATA)
LOSS: Final = _METADATA.tables["span_outbox_loss"]


def in_state(name: str) -> ColumnElement[bool]:
    """The condition `state = name`, as a literal: a plan for any value has no partial index."""
    return OUTBOX.c.state == literal_column(f"'{name}'")
