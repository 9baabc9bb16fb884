"""Task lists: a page of tasks by key, newest first, with the titles of their texts."""

from dataclasses import dataclass

from app.domain.errors import NotFoundError, RequestError
from app.domain.records import TaskRecord
from app.domain.task import Status
from app.service.core import Core
from app.store import tasks, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTask:
    """A task and the title of its text."""

    task: TaskRecord
    title: str


def page(
    core: Core, *, status: str | None = None, before_id: int | None = None, limit: int = 50
) -> list[ListedTask]:
    """Tasks before a key, newest first; primary key or the status's partial index.

    Raises:
        RequestError: Unknown status.
    """
    if status is not None and status not in set(Status):
        message = f"status {status[:20]!r} is none; allowed: {', '.join(Status)}"
        raise RequestError(message)
    with core.database.read() as conn:
        found = tasks.page(conn, status=status, before_id=before_id, limit=limit)
        titles = texts.titles(conn, [task.text_id for task in found])
    return [ListedTask(task=task, title=titles.get(task.text_id, "")) for task in found]


def get(core: Core, task_id: int) -> TaskRecord:
    """A task.

    Raises:
        NotFoundError: There is none.
    """
    with core.database.read() as conn:
        task = tasks.get(conn, task_id)
    if task is None:
        message = f"task {task_id} does not exist"
        raise NotFoundError(message)
    return task
