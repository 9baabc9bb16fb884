"""The page of task lists: a filter, the lists at hand, the tasks in an order, the neighbours."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from app.domain.errors import AskedError
from app.domain.query.order import NEVER_US, Cursor, Order, Sort, order_of, usual_order
from app.domain.query.query import Query
from app.service import task_list, task_values, task_views
from app.service.core import Core
from app.service.task_count import Count
from app.service.task_list import TaskPage
from app.web import list_query, list_rows, moments, query_words
from app.web.format import duration, number
from app.web.visitor import Visitor

#: Tasks of a page.
SIZE: Final = 50
#: The signs of the lists at hand: a status, or a level.
_GLYPHS: Final[Mapping[str, tuple[str, str]]] = {
    "waiting": ("status", "pending"),
    "running": ("status", "processing"),
    "overdue": ("level", "warn"),
    "retrying": ("level", "warn"),
    "rescued": ("level", "warn"),
    "failed": ("status", "failed"),
    "completed": ("status", "completed"),
    "cancelled": ("status", "cancelled"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A list at hand; `glyph` is the kind of its sign and its name, None: it has none."""

    name: str
    glyph: tuple[str, str] | None
    count: str
    path: str
    is_here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SortLink:
    """The way to another order; `state` is aria-sort's word, empty where the list has another."""

    sort: str
    path: str
    state: str


def values(core: Core, args: Mapping[str, str], reader: Visitor) -> dict[str, Any]:
    """What the page shows; of a wrong filter, order or place what is wrong, and no tasks."""
    text, page, fault = _read(core, args, reader)
    order = page.order if page else Order()
    query = page.query if page else None
    groups = task_views.counted(core)
    return {
        "text": text,
        "fault": fault,
        "terms": _chips(query, order),
        "groups": [(group, [_view(one, query, args) for one in views]) for group, views in groups],
        "suggestions": query_words.suggestions(task_values.known(core), reader.t),
        "order": order,
        "sort": args.get("sort", ""),
        "sorts": [_sort_link(sort, order, text) for sort in Sort],
        "items": [list_rows.row(one, order, reader) for one in page.tasks] if page else [],
        "total": _total(page.count, reader) if page else "",
        "removed": _removed(page.count, reader) if page else "",
        "searched": _searched(page, reader) if page else "",
        "all_count": groups[0][1][0].count.n,
        "is_filtered": bool(query),
        "way": _way(order),
        "newest_path": _beginning(text, page, args),
        "newer_path": _neighbour(text, page, args, is_newer=True),
        "older_path": _neighbour(text, page, args, is_newer=False),
        "curl_arguments": _curl(query, order) if query is not None else "",
    }


def _read(
    core: Core, args: Mapping[str, str], reader: Visitor
) -> tuple[str, TaskPage | None, query_words.Fault | None]:
    """The filter as it stands in the field, and its page or what is wrong with what is asked."""
    text = args.get("query", "")
    try:
        query = list_query.of(args)
        page = task_list.page(
            core,
            query,
            sort=args.get("sort") or None,
            cursor=args.get("cursor") or None,
            before_id=list_query.before_of(args),
            limit=SIZE,
            with_count=True,
        )
    except AskedError as error:
        return text, None, query_words.fault_of(error, text, reader.t, "tasks")
    return (str(query) if args.get("status") else text.strip()), page, None


def _path(text: str, order: Order | None = None, cursor: Cursor | None = None) -> str:
    """The address of a list; what is usual is left out."""
    parts = {"query": text, "sort": str(order) if order else "", "cursor": str(cursor or "")}
    given = {name: value for name, value in parts.items() if value}
    return f"/tasks?{urlencode(given)}" if given else "/tasks"


def _way(order: Order) -> tuple[str, str]:
    """Words for the page before and the page after."""
    if order.sort.is_duration:
        return "pager.previous", "pager.next"
    return ("tasks.older", "tasks.newer") if order.is_ascending else ("tasks.newer", "tasks.older")


def _beginning(text: str, page: TaskPage | None, args: Mapping[str, str]) -> str | None:
    """The address of the first page; None on it."""
    if page is None or not (args.get("cursor") or args.get("before")):
        return None
    return _path(text, _kept(page.query, page.order))


def _chips(query: Query | None, order: Order) -> list[tuple[query_words.Chip, str]]:
    if query is None:
        return []
    return [(chip, _path(chip.rest, _kept(query, order))) for chip in query_words.chips_of(query)]


def _kept(query: Query, order: Order) -> Order | None:
    """The order, where it is not the one that the filter has anyway."""
    return None if order == usual_order(query) else order


def _view(one: task_views.CountedView, query: Query | None, args: Mapping[str, str]) -> View:
    name = one.view.name
    return View(
        name=name,
        glyph=_GLYPHS.get(name),
        count=_counted(one.count),
        path=_path(str(one.view.query)),
        is_here=query == one.view.query and not args.get("before"),
    )


def _counted(count: Count) -> str:
    return number(count.n) if count.is_exact else f"{number(count.n)}+"


def _sort_link(sort: Sort, order: Order, text: str) -> SortLink:
    is_here = sort == order.sort
    state = ("ascending" if order.is_ascending else "descending") if is_here else ""
    wanted = order.turned if is_here else Order(sort=sort)
    return SortLink(sort=sort, path=_path(text, wanted), state=state)


def _total(count: Count | None, reader: Visitor) -> str:
    if count is None:
        return ""
    key = "tasks.total" if count.is_exact else "tasks.total_more"
    return str(reader.t(key, n=count.n))


def _removed(count: Count | None, reader: Visitor) -> str:
    """What retention removed of the list, and numbers still count; empty where nothing is known."""
    return str(reader.t("tasks.removed", n=count.removed)) if count and count.removed else ""


def _searched(page: TaskPage, reader: Visitor) -> Markup:
    """Down to where tasks were looked at, where the looking ended before the page was full."""
    if page.searched_to is None:
        return Markup()
    first = page.searched_to[0]
    if page.order.sort.is_duration:
        place = duration(first * 1000, reader.t.lang)
        return reader.t("tasks.searched_by", sort=reader.t(_NAMES[page.order.sort]), to=place)
    at = page.searched_to[1] if first == NEVER_US else first
    return reader.t("tasks.searched", to=moments.tag(reader.place, at))


_NAMES: Final = {sort: f"tasks.by_{sort}" for sort in Sort}


def _neighbour(
    text: str, page: TaskPage | None, args: Mapping[str, str], *, is_newer: bool
) -> str | None:
    """The address of the page before or after; the first page has none before it."""
    if page is None:
        return None
    cursor = page.previous if is_newer else page.next
    if cursor is None or (is_newer and page.is_first):
        return None
    return _path(text, order_of(args["sort"]) if args.get("sort") else None, cursor)


def _curl(query: Query, order: Order) -> str:
    """What curl asks for the same list."""
    parts = [
        *(("--data-urlencode", f"query={query}") if query else ()),
        *(("-d", f"sort={order}") if order != usual_order(query) else ()),
    ]
    return " ".join(shlex.quote(part) for part in parts)
