"""A list by the end of tasks: what lives ends after every moment, so its place moves when it ends.

A walk therefore keeps the moment at which it began: what has ended since then stands where it stood
when it lived, among what lives, in the order of submission. So the place of a task stays.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, select

from app.domain.query.order import NEVER_US, Begun
from app.domain.query.query import Query
from app.domain.query.value import Word
from app.domain.task import FINAL, Status
from app.store.lists.arms import ENDED, LISTED, LIVE, SUBMITTED, Arm, Path, rest_of, span_by
from app.store.lists.columns import TASK, table_by
from app.store.lists.conditions import ENDED_AT
from app.store.lists.spans import Span, common
from app.store.lists.terms import Asking

_NEVER: Final = (literal(NEVER_US).label("ended_at"), *SUBMITTED)
#: + 0: no index gives this order. PostgreSQL walked all tasks by their submission for those of them
#: that ended last (half a second among a million; sorted: as any other page).
_NEVER_SORTED: Final = (_NEVER[0], *(column + 0 for column in SUBMITTED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """How a list by ends is walked.

    Attributes:
        begun: When the walk began.
        is_far: Whether so many tasks have ended since that they are not sorted for each page: then
            what lived is walked by its submission, and looked at.
    """

    begun: Begun
    is_far: bool = False

    @property
    def key(self) -> tuple[ColumnElement[int], ...]:
        """What rows are sorted by that no index gives in order."""
        never = literal(NEVER_US)
        return (case((self.begun.at >= ENDED_AT, ENDED_AT), else_=never), *SUBMITTED)


def by_end(query: Query, asking: Asking, ends: Ends) -> Path:
    """The way by the index of ends, and by those of what lives, or lived when the walk began."""
    span, times = span_by(query, ("ended",), asking)
    statuses = _statuses(query)
    arms = [*_living(span, statuses, ends)]
    if statuses is None or statuses & FINAL:
        until = common((span, Span(high=ends.begun.at + 1)))
        key = (TASK["finished_at"], *SUBMITTED)
        where = (LISTED, ENDED)
        arms.append(Arm(index="ix_task_finished", where=where, key=key, span=until, is_never=False))
    return Path(arms=tuple(arms), rest=rest_of(query, times))


def _living(span: Span, statuses: set[Status] | None, ends: Ends) -> list[Arm]:
    """What lived when the walk began: what lives, and what has ended since, as the filter asks."""
    lives = span.high is None and (statuses is None or bool(statuses - FINAL))
    later = span.high is None or span.high > ends.begun.at + 1
    has_ended = later and (statuses is None or bool(statuses & FINAL))
    since = and_(*_within(common((span, Span(low=ends.begun.at + 1)))))
    if ends.is_far and has_ended:
        from_oldest = (LISTED, TASK["submitted_at"] >= ends.begun.oldest)
        rest = since | TASK["finished_at"].is_(None) if lives else since
        return [
            Arm(
                index="ix_task_submitted",
                where=from_oldest,
                key=_NEVER,
                is_never=True,
                rest=(rest,),
            )
        ]
    arms = []
    if lives:
        arms.append(Arm(index="ix_task_live", where=(LISTED, LIVE), key=_NEVER, is_never=True))
    if has_ended:
        where = (LISTED, ENDED, since)
        arms.append(Arm(index="ix_task_finished", where=where, key=_NEVER_SORTED, is_never=True))
    return arms


def _within(span: Span) -> list[ColumnElement[bool]]:
    low = [] if span.low is None else [TASK["finished_at"] >= span.low]
    return low if span.high is None else [*low, TASK["finished_at"] < span.high]


def _statuses(query: Query) -> set[Status] | None:
    """The statuses that a filter allows; None: all."""
    found: set[Status] | None = None
    for term in query.terms:
        if term.name == "status" and not term.is_negated:
            asked = {Status(one.text) for one in term.values if isinstance(one, Word)}
            found = asked if found is None else found & asked
    return found


def oldest_living(conn: Connection) -> int | None:
    """When the task was submitted that lives longest (ix_task_live, one entry)."""
    statement = (
        select(TASK["submitted_at"])
        .select_from(table_by("task", "ix_task_live", conn.dialect.name))
        .where(LISTED, LIVE)
        .order_by(*SUBMITTED)
        .limit(1)
    )
    return conn.execute(statement).scalar()


def oldest_ended(conn: Connection, since: int) -> int | None:
    """The first submission of tasks that ended after a moment (ix_task_finished; reads each)."""
    statement = (
        select(func.min(TASK["submitted_at"]))
        .select_from(table_by("task", "ix_task_finished", conn.dialect.name))
        .where(ENDED, TASK["finished_at"] > since)
    )
    return conn.execute(statement).scalar()


def count_ended(conn: Connection, since: int, cap: int) -> int:
    """How many tasks have ended after a moment; counting stops at `cap` (ix_task_finished)."""
    rows = (
        select(TASK["finished_at"])
        .select_from(table_by("task", "ix_task_finished", conn.dialect.name))
        .where(ENDED, TASK["finished_at"] > since)
        .limit(cap)
        .subquery()
    )
    return int(conn.execute(select(func.count()).select_from(rows)).scalar_one())
