"""The route of the task list, and what it answers."""

from app.domain.query.order import Sort
from app.web.openapi.operation import Operation, named, query
from app.web.openapi.types import (
    FLAG,
    ID,
    MOMENT,
    NUMBER,
    STRING,
    WHOLE,
    Schema,
    fields,
    listed,
    maybe,
    one_of,
    ref,
    said,
)

_SORTS = one_of(*(f"{sort}{way}" for sort in Sort for way in ("", "-asc")))
_PLACE: dict[str, Schema] = {
    "submitted_at": MOMENT,
    "finished_at": maybe(MOMENT),
    **{f"{name}_s": NUMBER for name in ("run", "wait", "total")},
}

SCHEMAS: dict[str, Schema] = {
    "TaskPage": fields(
        {
            "tasks": listed(ref("ListedTask")),
            "query": said(STRING, "The filter, written in the one way that says it."),
            "sort": _SORTS,
            "next": said(maybe(STRING), "The cursor of the next page; null: this is the last."),
            "previous": said(
                STRING,
                "The cursor of the page before; of the first page, and of an empty one, of what "
                "will stand there later.",
            ),
            "next_before": said(maybe(ID), "What `before` takes for the next page."),
            "searched_to": said(
                maybe(fields(_PLACE, optional=tuple(_PLACE))),
                "Where the looking ended before the page was full, in what the list is sorted by; "
                "null: it is full, or there is no more. `next` goes on.",
            ),
            "count": said(
                maybe(fields({"n": WHOLE, "is_exact": FLAG, "removed": maybe(WHOLE)})),
                "How many tasks there are, or at least, and how many more retention has removed "
                "(null: of this filter nobody knows); null without `count=1`.",
            ),
        }
    )
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/api/v1/tasks",
        id="listTasks",
        tag="tasks",
        words="A page of tasks by a filter, in an order.",
        parameters=(
            query("query", STRING, "A filter, such as `status:failed engine:espeak since:2h`."),
            query("sort", _SORTS, "Latest or longest first; -asc: the other way round."),
            query("cursor", STRING, "`next` or `previous` of another page of the list."),
            query("limit", WHOLE, "1 to 200."),
            query("count", one_of("0", "1"), "1: say how many there are."),
            query("status", STRING, "Only tasks with this status."),
            query("before", ID, "In the place of a cursor: after the task with this id."),
        ),
        answers=named("TaskPage"),
        errors=(400,),
    ),
)
