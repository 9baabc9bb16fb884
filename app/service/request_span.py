"""Request spans: the SERVER span of a submission waits in the outbox like the task's own spans."""

from app.service.core import Core
from app.store.database import Connection
from telemetry import outbox


def keep(
    core: Core, payload: bytes, trace_id: str, task_ids: tuple[int, ...], n_spans: int
) -> None:
    """Stores the encoded span of a request that made or followed tasks.

    Args:
        core: Where.
        payload: ExportTraceServiceRequest.
        trace_id: Of the request, 32 hex digits; a follower's is another than its task's.
        task_ids: In the order of the request; the first one names the row.
        n_spans: Spans in `payload`.
    """

    def work(conn: Connection) -> None:
        outbox.add(
            conn,
            payload=payload,
            n_spans=n_spans,
            rank=outbox.RANK_REQUEST,
            created_at_us=core.database.now_us(conn),
            task_id=task_ids[0] if task_ids else None,
            trace_id=trace_id,
        )

    core.database.run(work)
