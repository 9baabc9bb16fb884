"""/api/v1/stats: tasks of any window counted and timed, as a whole and hour by hour."""

from flask import Blueprint, Response, jsonify, request

from app.domain.window import Grain
from app.service.stats import series, stats_report
from app.service.stats.request import Asked, asked
from app.web import parse, stats_shapes
from app.web.state import core

blueprint = Blueprint("v1_stats", __name__, url_prefix="/api/v1/stats")

_STEPS: dict[str, Grain | None] = {"auto": None, "hour": "hour", "day": "day"}


@blueprint.get("")
def index() -> Response:
    """Statistics of a window, from one snapshot."""
    parse.known_args("from", "to", "query", "by", "exact")
    is_exact = parse.choice_arg("exact", {"0": False, "1": True}, "0")
    return jsonify(stats_shapes.report(stats_report.stats(core(), _asked(is_exact=is_exact))))


@blueprint.get("/series")
def by_time() -> Response:
    """The same for each hour or day, oldest first."""
    parse.known_args("from", "to", "query", "by", "step")
    step = parse.choice_arg("step", _STEPS, "auto")
    return jsonify(stats_shapes.series(series.series(core(), _asked(is_exact=False), step)))


def _asked(*, is_exact: bool) -> Asked:
    names = ("from", "to", "query", "by")
    return asked(*(request.args.get(name, "") for name in names), is_exact=is_exact)
