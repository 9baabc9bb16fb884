"""What retention has removed so far: told by the counters, which the triggers keep."""

from dataclasses import dataclass

from app.store import archive, totals
from app.store.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """Tasks that were ever removed, and when the last of them was; None: none was."""

    tasks: int
    last_at: int | None


def archived(conn: Connection) -> Archived:
    """What has gone so far, by whoever removed it; its cost does not grow."""
    tasks = sum(one.sums.n for one in totals.of_tasks(conn) if one.is_archived)
    return Archived(tasks=tasks, last_at=archive.last_at(conn))
