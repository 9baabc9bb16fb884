"""/api/v1/correlate: what failures, or any selection, have in common; long answers by a duty."""

from flask import Blueprint, Response, jsonify, request

from app.service.correlate import analyses, shape
from app.service.correlate.answer import Answer
from app.service.correlate.question import NAMES, asked
from app.service.correlate.words import Reader
from app.web import analysis_shapes, api_language, correlate_asking, parse
from app.web.state import core

blueprint = Blueprint("v1_correlate", __name__, url_prefix="/api/v1/correlate")

#: Seconds after which it is worth asking again how far an analysis is.
AGAIN_S = 1


@blueprint.get("")
def index() -> Response:
    """The answer; 202 with where it will be, where it takes long."""
    parse.known_args(*NAMES, api_language.PARAMETER)
    language = api_language.asked()
    found = correlate_asking.ask(asked(request.args))
    if isinstance(found, Answer):
        return jsonify(shape.answer(found, Reader(lang=language, now_us=found.now)))
    response = jsonify(analysis_shapes.analysis(found, language))
    response.status_code = 202
    response.headers["Location"] = analysis_shapes.path(found)
    response.headers["Retry-After"] = str(AGAIN_S)
    return response


@blueprint.get("/analyses/<int:analysis_id>")
def analysis(analysis_id: int) -> Response:
    """How far an analysis is, and its answer once it is done."""
    parse.known_args(api_language.PARAMETER)
    language = api_language.asked()
    return jsonify(analysis_shapes.analysis(analyses.get(core(), analysis_id), language))


@blueprint.delete("/analyses/<int:analysis_id>")
def cancel(analysis_id: int) -> Response:
    """Cancels an analysis that waits or runs."""
    parse.known_args(api_language.PARAMETER)
    language = api_language.asked()
    return jsonify(analysis_shapes.analysis(analyses.cancel(core(), analysis_id), language))
