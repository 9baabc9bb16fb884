"""`voxtrace tasks`: tasks by a filter, in an order, a page at a time."""

from dataclasses import asdict
from typing import Any

import click

from app.cli import wrong_filter
from app.cli.when import shown
from app.cli.work import make_core, print_json
from app.config.settings import Settings
from app.domain.errors import QueryError
from app.domain.query.order import NEVER_US, Sort
from app.domain.query.parse import parse
from app.service import task_list
from app.service.figures import duration
from app.service.task_list import ListedTask, TaskPage


def tasks(settings: Settings, options: dict[str, Any]) -> int:
    """Prints a page of tasks."""
    query = " ".join(options["query"])
    try:
        wanted = parse(query)  # before the database: it may not be there
        page = task_list.page(
            make_core(settings),
            wanted,
            sort=options["sort"],
            cursor=options["cursor"],
            limit=options["limit"],
            with_count=options["count"],
        )
    except QueryError as error:
        return wrong_filter.tell(query, error)
    if options["json"]:
        print_json(_as_json(page))
        return 0
    for line in (*map(_line, page.tasks), *_foot(page)):
        click.echo(line)
    return 0


def _line(one: ListedTask) -> str:
    task = one.task
    ran = "" if task.run_ms is None else duration(task.run_ms * 1000, "en")
    worker = task.worker_name or ""
    return (
        f"{task.id:>8}  {task.status:<10}  {shown(task.submitted_at)}  {ran:>12}  "
        f"{task.char_count:>8} chars  {task.engine:<8}  {worker:<12}  {one.title[:60]}"
    )


def _foot(page: TaskPage) -> list[str]:
    """What is beyond the page, and how to see it."""
    lines = []
    if page.count is not None:
        n = f"{page.count.n}" if page.count.is_exact else f"at least {page.count.n}"
        lines.append(f"{n} in all{_removed(page.count.removed)}")
    if not page.tasks and page.next is None:
        lines.append("no task" if page.query else "no task yet: voxtrace submit FILE")
    if page.searched_to is not None:
        lines.append(f"searched {_place(page)}; there may be more")
    if page.next is not None:
        lines.append(f"go on: --cursor {page.next}")
    return lines


def _removed(n: int | None) -> str:
    """What is in no list any more, and still counted in statistics."""
    return f"; {n} more {'was' if n == 1 else 'were'} removed by retention" if n else ""


def _place(page: TaskPage) -> str:
    key = page.searched_to or (0,)
    match page.order.sort:
        case Sort.SUBMITTED:
            return f"back to {shown(key[0])}"
        case Sort.ENDED if key[0] != NEVER_US:
            return f"back to {shown(key[0])}"
        case Sort.ENDED:
            return f"tasks that have not ended, back to {shown(key[1])}"
        case _:
            return f"down to {duration(key[0] * 1000, 'en')}"


def _as_json(page: TaskPage) -> dict[str, Any]:
    return {
        "tasks": [asdict(one.task) | {"title": one.title} for one in page.tasks],
        "query": str(page.query),
        "sort": str(page.order),
        "next": None if page.next is None else str(page.next),
        "previous": str(page.previous),
        "searched_to": page.searched_to,
        "count": None if page.count is None else asdict(page.count),
    }
