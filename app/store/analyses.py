"""Analyses: questions that take long; who works on them, how far that is, and the answer."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, insert, literal_column, or_, select, update

from app.store.rows import record, records
from app.store.tables import analysis_table

_A = analysis_table.c
#: As the partial index ix_analysis_open says it.
_OPEN: Final[ColumnElement[bool]] = literal_column("analysis.state IN ('waiting', 'running')")


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """A question that a duty answers.

    Attributes:
        question: What was said, as JSON.
        state: waiting, running, done, failed, cancelled.
        starts: How often it was begun.
        holder: Who works on it; None: nobody ever did.
        lease_until: Until when that is believed.
        phase: reading, scanning, looking; None before it was begun.
        answer: By language, as JSON, once it is done.
    """

    id: int
    question: str
    asked_at: int
    asked_by: str
    state: str
    starts: int
    holder: str | None
    lease_until: int | None
    started_at: int | None
    finished_at: int | None
    phase: str | None
    permille: int
    error: str | None
    answer: str | None


def add(conn: Connection, question: str, *, asked_at: int, asked_by: str) -> int:
    """Writes a question that waits; its id."""
    statement = (
        insert(analysis_table)
        .values(question=question, asked_at=asked_at, asked_by=asked_by, state="waiting")
        .returning(_A.id)
    )
    return int(conn.execute(statement).scalar_one())


def get(conn: Connection, analysis_id: int) -> Analysis | None:
    """One analysis (primary key)."""
    statement = select(analysis_table).where(_A.id == analysis_id)
    return record(Analysis, conn.execute(statement).first())


def asked_since(conn: Connection, since: int) -> list[Analysis]:
    """Those that were asked since a moment, newest first, without answers (ix_analysis_asked)."""
    columns = [_A[name] for name in Analysis.__dataclass_fields__ if name != "answer"]
    statement = (
        select(*columns, literal_column("NULL").label("answer"))
        .where(_A.asked_at >= since)
        .order_by(_A.asked_at.desc(), _A.id.desc())
    )
    return records(Analysis, conn.execute(statement))


def open_count(conn: Connection) -> int:
    """How many wait or run (ix_analysis_open)."""
    statement = select(func.count()).select_from(analysis_table).where(_OPEN)
    return int(conn.execute(statement).scalar_one())


def next_open(conn: Connection, holder: str, now: int) -> Analysis | None:
    """The first that waits, or that nobody works on any more (ix_analysis_open).

    One works on them at a time: what another holds was left by who is no more.
    """
    is_left = or_(_A.state == "waiting", _A.holder != holder, _A.lease_until <= now)
    statement = select(analysis_table).where(_OPEN, is_left).order_by(_A.id).limit(1)
    return record(Analysis, conn.execute(statement).first())


def begin(conn: Connection, found: Analysis, holder: str, *, now: int, lease_us: int) -> bool:
    """Takes one as it was found; False where another has taken it (primary key)."""
    statement = (
        update(analysis_table)
        .where(_A.id == found.id, _A.state == found.state, _A.starts == found.starts)
        .values(
            state="running",
            starts=found.starts + 1,
            holder=holder,
            lease_until=now + lease_us,
            started_at=now,
            phase="reading",
            permille=0,
        )
    )
    return conn.execute(statement).rowcount == 1


def go_on(conn: Connection, held: Analysis, *, phase: str, permille: int, lease_until: int) -> bool:
    """Notes how far it is, and believes its holder longer; False where it is not held any more."""
    values = {"phase": phase, "permille": permille, "lease_until": lease_until}
    statement = update(analysis_table).where(*_held(held)).values(values)
    return conn.execute(statement).rowcount == 1


def finish(
    conn: Connection,
    held: Analysis,
    *,
    now: int,
    answer: str | None = None,
    error: str | None = None,
) -> bool:
    """Writes the answer, or why there is none; False where it is not held any more."""
    values = {
        "state": "failed" if answer is None else "done",
        "finished_at": now,
        "permille": _A.permille if answer is None else 1000,
        "answer": answer,
        "error": error,
    }
    statement = update(analysis_table).where(*_held(held)).values(values)
    return conn.execute(statement).rowcount == 1


def give_up(conn: Connection, found: Analysis, *, now: int, error: str) -> bool:
    """Ends one that nobody holds as failed; False where it has changed (primary key)."""
    statement = (
        update(analysis_table)
        .where(_A.id == found.id, _A.state == found.state, _A.starts == found.starts)
        .values(state="failed", finished_at=now, error=error)
    )
    return conn.execute(statement).rowcount == 1


def cancel(conn: Connection, analysis_id: int, *, now: int) -> bool:
    """Cancels one that waits or runs; False where it does neither (primary key)."""
    statement = (
        update(analysis_table)
        .where(_A.id == analysis_id, _OPEN)
        .values(state="cancelled", finished_at=now)
    )
    return conn.execute(statement).rowcount == 1


def _held(held: Analysis) -> tuple[ColumnElement[bool], ...]:
    """Still in the hand of who began it: a later start, or a cancellation, has taken it away."""
    return (
        _A.id == held.id,
        _A.state == "running",
        _A.holder == held.holder,
        _A.starts == held.starts,
    )
