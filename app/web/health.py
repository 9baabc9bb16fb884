"""/healthz (the process answers) and /readyz (the service can do its work), as plain JSON."""

from dataclasses import asdict

from flask import Blueprint, Response, jsonify

from app.service.health import Readiness
from app.web.shapes import Json
from app.web.state import state

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """This process answers; nothing else is asked."""
    return jsonify({"ok": True})


@blueprint.get("/readyz")
def readyz() -> Response:
    """Whether every part is well; 503 and what to do where one is not."""
    found = state().health.read()
    response = jsonify(readiness(found))
    response.status_code = 200 if found.ready else 503
    return response


def readiness(found: Readiness) -> Json:
    """Each part with what was found; `fix` says what to do."""
    checks = {}
    for name, check in found.checks.items():
        shown = asdict(check)
        facts = shown.pop("facts")
        checks[name] = {**shown, **facts}
    return {"ready": found.ready, "checks": checks}
