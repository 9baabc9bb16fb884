"""/api/v1/engines: what can speak, and how it can be asked to."""

from flask import Blueprint, Response, jsonify

from app.domain.audio import DEFAULT_FORMAT, FORMATS
from app.service import engine_list
from app.web.state import core

blueprint = Blueprint("v1_engines", __name__, url_prefix="/api/v1/engines")


@blueprint.get("")
def index() -> Response:
    """Every engine with its voices and parameters, the default one first."""
    return jsonify(
        {
            "engines": engine_list.engines(core()),
            "default_engine": core().settings.default_engine,
            "formats": list(FORMATS),
            "default_format": DEFAULT_FORMAT,
        }
    )
