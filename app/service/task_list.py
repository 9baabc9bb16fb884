"""Task lists: a page of tasks by a filter, in an order, from a cursor on, and their count."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.domain.errors import AskedError, NotFoundError, RequestError
from app.domain.query.order import Cursor, Key, Order, cursor_of, order_of, usual_order
from app.domain.query.parse import parse
from app.domain.query.query import Query
from app.domain.records import TaskRecord
from app.service import task_count, task_ends, task_search
from app.service.core import Core
from app.service.task_count import Count
from app.service.task_walk import MAX_EXAMINED, Walked, Walker
from app.store import tasks, texts
from app.store.database import Connection
from app.store.lists.paths import path_of
from app.store.lists.terms import Asking

#: Tasks of one page at most.
MAX_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTask:
    """A task and the title of its text."""

    task: TaskRecord
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """A page of a list.

    Attributes:
        tasks: In the order of the list, whichever way the page was reached.
        query: The filter, whose text says it in one way.
        next: Where the next page begins; None: this is the last one.
        previous: Where the page before ends; of the first page, and of an empty one, where what
            comes before it will be.
        is_first: Whether there is nothing before this page.
        searched_to: The place in the order down to which tasks were looked at, where the looking
            ended before the page was full; `next` goes on from there.
        count: None where it was not asked for.
        now: The database's time, which "so long ago" counts from.
    """

    tasks: tuple[ListedTask, ...]
    query: Query
    order: Order
    next: Cursor | None
    previous: Cursor
    is_first: bool
    searched_to: Key | None
    count: Count | None
    now: int


def page(
    core: Core,
    query: Query | str = "",
    *,
    sort: str | None = None,
    cursor: str | None = None,
    before_id: int | None = None,
    limit: int = 50,
    with_count: bool = False,
    examined: int = MAX_EXAMINED,
) -> TaskPage:
    """A page of tasks, canaries left out, in one snapshot.

    It walks an index in the order of the list; terms that no index answers are looked at in the
    rows, at most so many of them. An order by a duration holds only tasks that have ended.

    Args:
        core: Where they are.
        query: A filter.
        sort: `submitted`, `ended`, `dur`, `wait`, `total`, `-asc` after it turns it; None: the
            cursor's, or what is usual for the filter.
        cursor: From another page of the same list.
        before_id: In the place of a cursor: from after the task of this id on.
        limit: Tasks of the page, 1 to `MAX_LIMIT`.
        with_count: Whether to say how many tasks there are in all.
        examined: Tasks that are looked at, at most, where no index answers.

    Raises:
        AskedError: A filter, a sort or a place that is none.
        RequestError: A limit that is none.
    """
    wanted = parse(query) if isinstance(query, str) else query
    start = None if cursor is None else cursor_of(cursor)
    order = _order(wanted, sort, start)
    if not 1 <= limit <= MAX_LIMIT:
        message = f"limit must be a whole number from 1 to {MAX_LIMIT}, got {limit}"
        raise RequestError(message)
    with core.database.read() as conn:
        asking = Asking(dialect=conn.dialect.name, now_us=core.database.now_us(conn))
        begin = _begin(conn, order, start, before_id)
        begin = replace(begin, begun=task_ends.begun(conn, begin, asking.now_us))
        ends = task_ends.ends_of(conn, begin)
        path = path_of(wanted, order, asking, task_search.find(conn, wanted), ends=ends)
        walker = Walker(conn=conn, path=path, asking=asking, examined=examined)
        walked = walker.walk(begin, limit)
        counted = _count(walker, wanted, begin, walked) if with_count else None
        return TaskPage(
            tasks=_listed(conn, [key[-1] for key in walked.keys]),
            query=wanted,
            order=order,
            next=walked.next,
            previous=walked.previous,
            is_first=walked.is_first,
            searched_to=walked.searched_to,
            count=counted,
            now=asking.now_us,
        )


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


def _order(query: Query, sort: str | None, start: Cursor | None) -> Order:
    if sort is None:
        return usual_order(query) if start is None else start.order
    order = order_of(sort)
    if start is not None and start.order != order:
        message = f"the cursor is of a list sorted by {start.order}, and sort asks for {order}"
        values = {"cursor": str(start.order), "sort": str(order)}
        raise AskedError(message, reason="other_order", values=values)
    return order


def _begin(conn: Connection, order: Order, start: Cursor | None, before_id: int | None) -> Cursor:
    if before_id is None:
        return start or Cursor(order=order)
    if start is not None:
        message = "before and cursor both say where a page begins; give one of them"
        raise AskedError(message, reason="two_places", values={})
    return _before(conn, order, before_id)


def _before(conn: Connection, order: Order, before_id: int) -> Cursor:
    """The place of a task in the usual order, or of the next older one where it is gone."""
    if order != Order():
        message = f"before is for lists sorted by {Order()}; this one is by {order}: use cursor"
        values = {"sort": str(order), "allowed": str(Order())}
        raise AskedError(message, reason="before_order", values=values)
    place = tasks.place_of(conn, before_id)
    if place is None:
        return Cursor(order=order, key=(0, 0))
    submitted_at, task_id = place
    return Cursor(order=order, key=(submitted_at, task_id + int(task_id != before_id)))


def _count(walker: Walker, query: Query, begin: Cursor, walked: Walked) -> Count:
    known = task_count.from_counters(walker.conn, query, begin.order)
    return known or task_count.of_walk(walker, begin, walked)


def _listed(conn: Connection, ids: Sequence[int]) -> tuple[ListedTask, ...]:
    if not ids:
        return ()
    by_id = {task.id: task for task in tasks.many(conn, list(ids))}
    titles = texts.titles(conn, list({task.text_id for task in by_id.values()}))
    found = [by_id[task_id] for task_id in ids if task_id in by_id]
    return tuple(ListedTask(task=task, title=titles.get(task.text_id, "")) for task in found)
