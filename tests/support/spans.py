"""Spans of a task, read back from the outbox."""

from app.service.core import Core
from telemetry import codec, outbox
from telemetry.spans import DecodedSpan


def spans_of(core: Core, task_id: int) -> list[DecodedSpan]:
    """Every span that was written for a task, oldest row first."""
    with core.database.read() as conn:
        payloads = outbox.spans_of_task(conn, task_id)
    return [span for payload in payloads for span in codec.decode(payload)]
