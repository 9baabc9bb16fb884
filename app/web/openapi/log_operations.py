"""The route of a task's log, and what it answers."""

from app.web.openapi.operation import TASK_ID, Operation, named, query
from app.web.openapi.types import (
    FLAG,
    ID,
    MOMENT,
    SPAN_ID,
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

_LEVEL = one_of("debug", "info", "warning", "error")

SCHEMAS: dict[str, Schema] = {
    "LogLine": fields(
        {
            "id": ID,
            "at": MOMENT,
            "level": _LEVEL,
            "attempt": maybe(ID),
            "message": STRING,
            "fields": said({"type": "object"}, "What else it tells, by name."),
            "logger": STRING,
            "program": said(STRING, "web, worker, child, duties or cli."),
            "host": STRING,
            "pid": WHOLE,
            "span_id": said(maybe(SPAN_ID), "A span of the task's own trace."),
        }
    ),
    "LogPage": fields(
        {
            "lines": listed(ref("LogLine")),
            "last_id": said(WHOLE, "The next `after`."),
            "is_final": said(FLAG, "The task was over: nothing more will come."),
            "total": said(WHOLE, "Lines that are there, of every level and attempt."),
            "kept": said(WHOLE, "Lines that are kept of each task; 0: none."),
        }
    ),
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/api/v1/tasks/{task_id}/logs",
        id="listLogLines",
        tag="tasks",
        words="Log lines of a task, oldest first; last_id asks for those after them.",
        parameters=(
            TASK_ID,
            query("after", WHOLE, "Only lines with a larger id."),
            query("level", _LEVEL, "Only lines at least so severe."),
            query("attempt", ID, "Only lines of this attempt."),
            query("limit", WHOLE, "1 to 1000."),
        ),
        answers=named("LogPage"),
        errors=(400, 404),
    ),
)
