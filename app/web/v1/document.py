"""/api/v1/openapi.json: the description of every route."""

from flask import Blueprint, Response, jsonify

from app.web.openapi.document import build
from app.web.state import core

blueprint = Blueprint("v1_document", __name__, url_prefix="/api/v1")


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI 3.1 document."""
    return jsonify(build(core().settings.release))
