"""What retention has removed so far: told by the counters, which the triggers keep."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.store import archive
from app.store.database import Connection
from app.store.totals import Total


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """Tasks that were ever removed, and when the last of them was; None: none was."""

    tasks: int
    last_at: int | None


def archived(conn: Connection, counted: Iterable[Total]) -> Archived:
    """What has gone so far, by whoever removed it, out of the totals; its cost does not grow."""
    tasks = sum(one.sums.n for one in counted if one.is_archived)
    return Archived(tasks=tasks, last_at=archive.last_at(conn))
