"""Findings as a list, the newest first, and one by its number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.domain.errors import NotFoundError
from app.domain.finding import FindingRecord
from app.domain.query.value import Moment, at_us
from app.service.core import Core
from app.store import findings

State = Literal["open", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPage:
    """A page of findings.

    Attributes:
        next_id: What `before_id` takes for the next page; None: this is the last.
        now: The moment of the answer.
    """

    rows: Sequence[FindingRecord]
    next_id: int | None
    now: int


def page(
    core: Core,
    *,
    state: State | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> FindingPage:
    """Findings that lasted at some time from `start` on and before `end`.

    Args:
        core: Where to read.
        state: Only those that are open, or closed; None: both.
        start: None: no bound; so is `end`.
        end: The first moment after them.
        before_id: Only those that opened before the one with this id.
        limit: How many at most.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        found = findings.page(
            conn,
            state=state,
            start=None if start is None else at_us(start, now),
            end=None if end is None else at_us(end, now),
            before_id=before_id,
            limit=limit + 1,
        )
    rows = found[:limit]
    return FindingPage(rows=rows, next_id=rows[-1].id if len(found) > limit else None, now=now)


def get(core: Core, finding_id: int) -> tuple[FindingRecord, int]:
    """A finding, and the moment of the answer.

    Raises:
        NotFoundError: There is none.
    """
    with core.database.read() as conn:
        found = findings.get(conn, finding_id)
        now = core.database.now_us(conn)
    if found is None:
        message = f"finding {finding_id} does not exist"
        raise NotFoundError(message)
    return found, now
