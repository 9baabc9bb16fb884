"""The lists that are always at hand: what each asks for, and how many tasks it holds now."""

from dataclasses import dataclass
from typing import Final

from app.domain.query.order import usual_order
from app.domain.query.parse import parse
from app.domain.query.query import Query
from app.domain.task import Status
from app.service import task_count
from app.service.core import Core
from app.service.task_count import Count
from app.service.task_walk import Walker
from app.store.database import Connection
from app.store.lists.paths import path_of
from app.store.lists.terms import Asking


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A list with a name of its own; its words are the pages'."""

    name: str
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedView:
    """A list, and how many tasks it holds."""

    view: View
    count: Count


def _view(name: str, query: str) -> View:
    return View(name=name, query=parse(query))


#: The lists by groups, in the order in which they are shown. Each is counted by counters or by an
#: index of few rows.
GROUPS: Final[tuple[tuple[str, tuple[View, ...]], ...]] = (
    (
        "now",
        (
            _view("all", ""),
            _view("waiting", "status:pending"),
            _view("running", "status:processing"),
        ),
    ),
    (
        "look",
        (
            _view("overdue", "is:live is:late"),
            _view("retrying", "is:live is:retried"),
            _view("rescued", "is:rescued"),
            _view("failed", "status:failed,timeout"),
        ),
    ),
    (
        "ended",
        (
            _view("completed", f"status:{Status.COMPLETED}"),
            _view("cancelled", f"status:{Status.CANCELLED}"),
        ),
    ),
)


def counted(core: Core) -> tuple[tuple[str, tuple[CountedView, ...]], ...]:
    """The groups with the numbers of one snapshot."""
    with core.database.read() as conn:
        asking = Asking(dialect=conn.dialect.name, now_us=core.database.now_us(conn))
        return tuple(
            (group, tuple(_counted(conn, view, asking) for view in views))
            for group, views in GROUPS
        )


def _counted(conn: Connection, view: View, asking: Asking) -> CountedView:
    order = usual_order(view.query)
    path = path_of(view.query, order, asking)
    walker = Walker(conn=conn, path=path, asking=asking)
    return CountedView(view=view, count=task_count.count(walker, view.query, order))
