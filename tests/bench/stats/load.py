"""Rows into tables: what is the same on both databases, and who brings them in."""

from collections.abc import Callable
from typing import Final, Protocol

from tests.bench.stats import attempts, rows
from tests.bench.stats.draw import Tasks
from tests.bench.stats.rows import Rows

#: Tables that are filled, and those that their triggers fill with what can be searched. Their
#: indexes rest meanwhile, trigrams included; the triggers do not.
TABLES: Final = ("text", "task", "submission", "task_attempt", "text_search", "error_search")
#: Those whose rows have an id.
NUMBERED: Final = TABLES[:3]
#: Lets the tasks answer for their texts, as the product does once a task is there.
ANSWER: Final = "UPDATE text SET task_id = id WHERE id BETWEEN {} AND {} AND task_id IS NULL"

#: Told after each batch: how many tasks are in now.
Told = Callable[[int], None]


class Loader(Protocol):
    """A connection that fills one database: indexes off, rows, indexes on."""

    def begin(self) -> None:
        """Takes the indexes away that hold no constraint, and notes how they were made."""

    def load(self, count: int, end: int, told: Told) -> None:
        """Brings in all rows, through the triggers."""

    def index(self, told: Callable[[str], None]) -> None:
        """Makes the indexes anew, and leaves the database as the product has it."""

    def close(self) -> None:
        """Ends the connection."""


def of_batch(tasks: Tasks, end: int) -> tuple[Rows, Rows, Rows, Rows]:
    """The rows of a batch: texts, tasks, their attempts; submissions once the tasks answer."""
    made = (rows.texts(tasks), rows.tasks(tasks), attempts.attempts(tasks, end))
    return (*made, rows.submissions(tasks))
