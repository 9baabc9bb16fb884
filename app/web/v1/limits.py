"""/api/v1/limits: how many tasks run at once, in all and for each engine."""

from dataclasses import asdict

from flask import Blueprint, Response, jsonify

from app.domain.errors import RequestError
from app.service import limits
from app.web import parse
from app.web.state import core

blueprint = Blueprint("v1_limits", __name__, url_prefix="/api/v1/limits")


@blueprint.get("")
def show() -> Response:
    """The limits in force."""
    return jsonify(asdict(limits.read(core())))


@blueprint.put("")
def change() -> Response:
    """Changes what is given; in effect at the next claim. null removes an engine's limit."""
    wanted = parse.json_object({"max_concurrent": parse.WHOLE, "engines": parse.OBJECT})
    if not wanted:
        message = "one of the fields 'max_concurrent' and 'engines' must be there"
        raise RequestError(message)
    by_engine = wanted.get("engines", {})
    for engine, value in by_engine.items():
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not is_whole:
            message = f"the limit of engine {engine[:40]!r} must be a whole number or null"
            raise RequestError(message)
    return jsonify(asdict(limits.change(core(), wanted.get("max_concurrent"), by_engine)))
