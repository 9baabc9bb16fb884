"""/api/v1/tasks: list by key, read whole, segments, stream, cancel, retry."""

from flask import Blueprint, Response, jsonify, request
from werkzeug.wrappers import Response as BaseResponse

from app.domain.ids import MAX_KEY
from app.logs.about import bind_task
from app.service import cancel, task_list, task_view
from app.service.glance import Key
from app.service.task_logs import task_log
from app.web import accept, list_query, list_shapes, parse, streams, task_shapes
from app.web.state import core, state
from app.web.v1.texts import cancelled, retried

blueprint = Blueprint("v1_tasks", __name__, url_prefix="/api/v1/tasks")

#: Tasks and segments of one answer at most.
MAX_TASKS = 200
MAX_SEGMENTS = 1000


@blueprint.get("")
def index() -> Response:
    """A page of tasks by a filter, in an order; `next` and `previous` ask for its neighbours."""
    parse.known_args("query", "sort", "cursor", "limit", "count", "status", "before")
    found = task_list.page(
        core(),
        list_query.of(request.args),
        sort=request.args.get("sort") or None,
        cursor=request.args.get("cursor") or None,
        before_id=parse.whole_arg("before", None, low=1, high=MAX_KEY),
        limit=parse.whole_arg("limit", 50, low=1, high=MAX_TASKS) or 50,
        with_count=parse.choice_arg("count", {"0": False, "1": True}, "0"),
    )
    return jsonify(list_shapes.page(found))


@blueprint.get("/<int:task_id>")
def show(task_id: int) -> Response:
    """Everything about a task."""
    return jsonify(task_shapes.task_view(task_view.task_view(core(), task_id)))


@blueprint.get("/<int:task_id>/trace")
def trace(task_id: int) -> Response:
    """Where a task's trace is, asked of Jaeger now."""
    return jsonify(task_shapes.trace(state().traces.look(task_id)))


@blueprint.get("/<int:task_id>/segments")
def segments(task_id: int) -> Response:
    """Segments with their words, from `first` on; `marks=1` adds the moments of words."""
    parse.known_args("first", "limit", "marks")
    first = parse.whole_arg("first", 0, low=0, high=10**9) or 0
    found, total = task_view.reading(
        core(),
        task_id,
        first=first,
        limit=parse.whole_arg("limit", 200, low=1, high=MAX_SEGMENTS) or 200,
        with_marks=parse.choice_arg("marks", {"0": False, "1": True}, "0"),
    )
    return jsonify(
        {"segments": [task_shapes.segment(one) for one in found], "first": first, "total": total}
    )


@blueprint.get("/<int:task_id>/logs")
def logs(task_id: int) -> Response:
    """Log lines, oldest first, after the id `after`, from a level on, of one attempt."""
    parse.known_args("after", "level", "attempt", "limit")
    page = task_log.page(
        core(),
        task_id,
        after_id=parse.whole_arg("after", 0, low=0, high=MAX_KEY) or 0,
        level=parse.choice_arg("level", task_log.LEVEL_NAMES, "info"),
        attempt=parse.whole_arg("attempt", None, low=1, high=10**9),
        limit=parse.whole_arg("limit", 200, low=1, high=task_log.MAX_LINES) or 200,
    )
    return jsonify(task_shapes.log_page(page, kept=core().settings.task_log_lines))


@blueprint.get("/<int:task_id>/stream")
def stream(task_id: int) -> BaseResponse:
    """Server-sent events of a task, the present state first."""
    return streams.of_task(Key("task", task_id))


@blueprint.post("/<int:task_id>/cancel")
def cancel_task(task_id: int) -> Response:
    """Takes back the request that made a task; with `everyone`, every request for it."""
    bind_task(task_id)
    wanted = parse.json_object({"everyone": parse.FLAG}, is_optional=True)
    everyone = bool(wanted.get("everyone", False))
    return cancelled(cancel.cancel_task(core(), task_id, everyone=everyone))


@blueprint.post("/<int:task_id>/retry")
def retry_task(task_id: int) -> Response:
    """Speaks the text of a task again, as a new task that is linked to it."""
    bind_task(task_id)
    parse.json_object({}, is_optional=True)
    return retried(accept.retry_task(task_id, default_source="api"))
