"""/api/v1/attempts: attempts that completed or failed, a page by a filter."""

from flask import Blueprint, Response, jsonify, request

from app.service import attempt_list
from app.web import attempt_shapes, parse
from app.web.state import core

blueprint = Blueprint("v1_attempts", __name__, url_prefix="/api/v1/attempts")

#: Attempts of one answer at most.
MAX_ATTEMPTS = 200


@blueprint.get("")
def index() -> Response:
    """A page of attempts, last ended first; `next` and `previous` ask for its neighbours."""
    parse.known_args("q", "from", "to", "cursor", "limit", "count")
    found = attempt_list.page(
        core(),
        attempt_list.wanted(*(request.args.get(name, "") for name in ("q", "from", "to"))),
        cursor=request.args.get("cursor") or None,
        limit=parse.whole_arg("limit", 50, low=1, high=MAX_ATTEMPTS) or 50,
        with_count=parse.choice_arg("count", {"0": False, "1": True}, "0"),
    )
    return jsonify(attempt_shapes.page(found))
