"""/api/v1/correlate/compare: two attempts side by side, span by span."""

from flask import Blueprint, Response, jsonify, request

from app.service.correlate.compare import compare
from app.web import api_language, compare_shapes, parse
from app.web.state import core

blueprint = Blueprint("v1_compare", __name__, url_prefix="/api/v1/correlate/compare")


@blueprint.get("")
def index() -> Response:
    """Both attempts, their spans in pairs, and where they part, in words."""
    parse.known_args("left", "right", api_language.PARAMETER)
    language = api_language.asked()
    found = compare(core(), request.args.get("left", ""), request.args.get("right", ""))
    return jsonify(compare_shapes.comparison(found, language))
