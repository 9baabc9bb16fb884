"""The root span of a command: around a submission, into the outbox when it ends."""

from collections.abc import Callable

from app import clock
from app.domain.errors import VoxtraceError
from app.service.core import Core
from app.service.submit import Submitted
from app.store.database import Connection
from telemetry import names, outbox
from telemetry.command import CommandTracing
from telemetry.tracing import SpanContext


def traced(core: Core, action: Callable[[SpanContext], Submitted]) -> Submitted:
    """Runs a submission under the span `voxtrace submit`, and stores the span."""
    span = CommandTracing(release=core.settings.release, started_us=clock.now_us())
    try:
        result = action(span.context)
    except VoxtraceError as error:
        _store(core, span, span.end(clock.now_us(), error_type=error.error_type), None)
        raise
    facts = {names.TASK_ID: str(result.task.id), names.TEXT_ID: str(result.text.id)}
    _store(core, span, span.end(clock.now_us(), attributes=facts), result.task.id)
    return result


def _store(core: Core, span: CommandTracing, payload: bytes | None, task_id: int | None) -> None:
    if payload is None:
        return

    def work(conn: Connection) -> None:
        outbox.add(
            conn,
            payload=payload,
            n_spans=1,
            rank=outbox.RANK_REQUEST,
            created_at_us=core.database.now_us(conn),
            task_id=task_id,
            trace_id=span.context.trace_id_hex,
        )

    core.database.run(work)
