"""/api/v1/failures: failure groups, one of them, and what people decide about it."""

from flask import Blueprint, Response, jsonify, request

from app.service.failures import actions, group, listing
from app.service.failures.asked import FILTERS, asked
from app.web import failure_shapes, parse
from app.web.state import core

blueprint = Blueprint("v1_failures", __name__, url_prefix="/api/v1/failures")

#: Groups of one answer at most.
MAX_GROUPS = 200


@blueprint.get("")
def index() -> Response:
    """A page of groups with their counts in a window, in an order."""
    names = ("from", "to", "state", "error_type", "text", "seen", "sort", "cursor", "limit")
    parse.known_args(*names, *FILTERS)
    limit = parse.whole_arg("limit", 50, low=1, high=MAX_GROUPS) or 50
    return jsonify(failure_shapes.page(listing.groups(core(), asked(request.args, limit=limit))))


@blueprint.get("/<fingerprint>")
def show(fingerprint: str) -> Response:
    """Everything about a group; its counts of all time and of a window."""
    parse.known_args("from", "to", *FILTERS)
    return jsonify(failure_shapes.view(group.group(core(), fingerprint, asked(request.args))))


@blueprint.post("/<fingerprint>")
def act(fingerprint: str) -> Response:
    """Resolves, reopens, mutes, unmutes, assigns or notes; the group after it."""
    members = {
        "action": parse.Field(kinds=(str,), is_required=True),
        "assignee": parse.TEXT,
        "note": parse.TEXT,
        "by": parse.TEXT,
    }
    wanted = parse.json_object(members)
    action, by = wanted.pop("action"), wanted.pop("by", None)
    changed = actions.act(core(), fingerprint, actions.done(action, wanted, by=by))
    return jsonify(failure_shapes.group(changed))
