"""/api/v1/findings: what the watch found, while it lasts and after."""

from flask import Blueprint, Response, jsonify, request

from app.domain.ids import MAX_KEY
from app.service.findings import listing, shapes
from app.service.stats.request import moment_of
from app.web import api_language, parse
from app.web.state import core

blueprint = Blueprint("v1_findings", __name__, url_prefix="/api/v1/findings")

#: Findings of one answer at most.
MAX_FINDINGS = 200
_STATES: dict[str, listing.State | None] = {"all": None, "open": "open", "closed": "closed"}


@blueprint.get("")
def index() -> Response:
    """Findings, the newest first; `next` asks for older ones."""
    parse.known_args("state", "from", "to", "cursor", "limit", api_language.PARAMETER)
    language = api_language.asked()
    found = listing.page(
        core(),
        state=parse.choice_arg("state", _STATES, "all"),
        start=moment_of("from", request.args.get("from", "")),
        end=moment_of("to", request.args.get("to", "")),
        before_id=parse.whole_arg("cursor", None, low=1, high=MAX_KEY),
        limit=parse.whole_arg("limit", 50, low=1, high=MAX_FINDINGS) or 50,
    )
    return jsonify(
        {
            "findings": [shapes.shape(row, found.now, language) for row in found.rows],
            "next": None if found.next_id is None else str(found.next_id),
        }
    )


@blueprint.get("/<int:finding_id>")
def show(finding_id: int) -> Response:
    """One finding."""
    parse.known_args(api_language.PARAMETER)
    language = api_language.asked()
    row, now = listing.get(core(), finding_id)
    return jsonify(shapes.shape(row, now, language))
