"""/metrics: the numbers of the whole service for Prometheus, the same from every web process."""

from flask import Blueprint, Response, request

from app.web.state import state
from telemetry import exposition

blueprint = Blueprint("metrics", __name__)

_OPENMETRICS = "application/openmetrics-text"


@blueprint.get("/metrics")
def metrics() -> Response:
    """The measures as text; OpenMetrics for who prefers it, as Prometheus does."""
    wants_open = _wish(_OPENMETRICS) > _wish("text/plain")
    form: exposition.Format = "openmetrics" if wants_open else "text"
    page = exposition.expose(state().measures.read(), form)
    return Response(page, content_type=exposition.CONTENT_TYPES[form])


def _wish(kind: str) -> float:
    """How much a type is wished for, 0..1, in any version of it."""
    wishes = request.accept_mimetypes
    return max((wish for name, wish in wishes if name.partition(";")[0].strip() == kind), default=0)
