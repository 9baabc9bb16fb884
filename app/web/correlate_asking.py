"""A question asked by a request: its answer's span is the request's child, written after it."""

from app.service.correlate import asking
from app.service.correlate.analyses import Analysis
from app.service.correlate.answer import Answer
from app.service.correlate.question import Asked
from app.web.state import core, state
from telemetry import otel_context
from telemetry.names import SERVICE_WEB


def ask(wanted: Asked) -> Answer | Analysis:
    """The answer, or the analysis that will have it.

    Raises:
        AskedError: It cannot be asked.
        ConflictError: It takes long, and too many such questions wait already.
    """
    found = asking.ask(core(), wanted, service=SERVICE_WEB, parent=otel_context.current())
    if not isinstance(found, asking.Answered):
        return found
    payload = found.span.encoded(core(), found.answer)
    if payload is not None:
        state().request_spans.keep(payload, found.span.context.trace_id_hex, (), 1)
    return found.answer
