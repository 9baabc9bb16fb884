"""A page of tasks as the v1 API shows it."""

from dataclasses import asdict
from typing import Any

from app.domain.query.order import NEVER_US, Key, Order, Sort
from app.service.task_count import Count
from app.service.task_list import TaskPage
from app.web import shapes

Json = dict[str, Any]


def page(found: TaskPage) -> Json:
    """The tasks, the filter and order that they stand in, and the neighbours of the page."""
    return {
        "tasks": [shapes.task(one.task) | {"title": one.title} for one in found.tasks],
        "query": str(found.query),
        "sort": str(found.order),
        "next": None if found.next is None else str(found.next),
        "previous": str(found.previous),
        "next_before": _next_before(found),
        "searched_to": _searched_to(found.order, found.searched_to),
        "count": _count(found.count),
    }


def _next_before(found: TaskPage) -> int | None:
    """What `before` takes for the next page of a list in the usual order."""
    if found.next is None or found.order != Order():
        return None
    return found.next.key[-1]


def _searched_to(order: Order, key: Key | None) -> Json | None:
    """Down to where the list was looked through: what its order goes by, as a task shows it."""
    if key is None:
        return None
    match order.sort:
        case Sort.SUBMITTED:
            return {"submitted_at": shapes.moment(key[0])}
        case Sort.ENDED:
            ended_at = None if key[0] == NEVER_US else key[0]
            submitted_at = shapes.moment(key[1])
            return {"finished_at": shapes.moment(ended_at), "submitted_at": submitted_at}
        case Sort.DUR | Sort.WAIT | Sort.TOTAL:
            return {f"{_DURATIONS[order.sort]}_s": key[0] / 1000}


_DURATIONS = {Sort.DUR: "run", Sort.WAIT: "wait", Sort.TOTAL: "total"}


def _count(count: Count | None) -> Json | None:
    return None if count is None else asdict(count)
