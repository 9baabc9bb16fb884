"""/healthz (the process answers), with ?full=1 every part, and /readyz (the service can work)."""

from flask import Blueprint, Response, jsonify, request

from app.domain.errors import RequestError
from app.service.checks.check import Check
from app.service.health import Health
from app.web import security
from app.web.shapes import Json, moment
from app.web.state import core, state

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """This process answers, and nothing else is asked; with `full=1`, every part."""
    wanted = request.args.get("full", "0")
    if wanted not in {"0", "1"}:
        message = f"full must be 0 or 1, got {wanted[:20]!r}"
        raise RequestError(message)
    if wanted == "0":
        return jsonify({"ok": True})
    if not security.has_token(core().settings.api_token):
        raise security.unauthorized()
    found = state().health.read()
    response = jsonify(shape(found))
    response.status_code = 200 if found.is_well else 503
    return response


@blueprint.get("/readyz")
def readyz() -> Response:
    """Whether the service can do its work; 503 where a required part is bad.

    Where a token is set, who does not show it is told names and levels only.
    """
    found = state().health.read()
    is_known = security.has_token(core().settings.api_token)
    response = jsonify(shape(found, in_full=is_known))
    response.status_code = 200 if found.is_ready else 503
    return response


def shape(found: Health, *, in_full: bool = True) -> Json:
    """Whether it is ready, whether all is well, and each part."""
    return {
        "ready": found.is_ready,
        "well": found.is_well,
        "checks": {name: check_shape(one, in_full=in_full) for name, one in found.checks.items()},
    }


def check_shape(one: Check, *, in_full: bool = True) -> Json:
    """A part: `ok` unless it is bad; what was found, since when, what to do, and its numbers."""
    shown: Json = {"ok": one.level != "bad", "level": one.level, "required": one.is_required}
    if not in_full:
        return shown
    return shown | {
        "detail": one.said.en,
        "fix": one.fix.en,
        "since": moment(one.since),
        "seen_at": moment(one.seen_at),
        **one.facts,
    }
