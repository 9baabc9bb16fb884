"""Traces of tasks that ran in the test's own process: from the outbox, or sent to a real Jaeger."""

from dataclasses import replace

from app.domain.records import TaskRecord
from app.service import spans, task_list
from app.service.core import Core
from app.service.traces import trace_rows
from app.service.traces.trace_rows import TraceRows
from telemetry import codec, outbox
from telemetry.export import ExportSettings
from telemetry.forwarder import Forwarder
from telemetry.jaeger import JaegerTrace
from telemetry.spans import DecodedSpan
from tests.support.backends import Pair
from tests.support.spans import spans_of
from tests.support.wait import wait_until


def rows_of(core: Core, task_id: int) -> TraceRows:
    """The rows of a task that is over."""
    with core.database.read() as conn:
        [rows] = trace_rows.read(conn, [task_list.get(core, task_id)])
    return rows


def trace_of(task: TaskRecord, found: list[DecodedSpan]) -> JaegerTrace:
    """These spans as Jaeger would tell of them: ids and all, without resource."""
    return JaegerTrace(trace_id=task.trace_id, spans=tuple(found), deliveries=len(found))


def written(core: Core, task_id: int) -> JaegerTrace:
    """What the outbox holds of a task, as a trace that has arrived whole."""
    return trace_of(task_list.get(core, task_id), spans_of(core, task_id))


def drain(core: Core, pair: Pair, *, patience_s: float = 30) -> None:
    """Sends all that waits to the collector."""
    forwarder = Forwarder(
        core.database, ExportSettings(endpoint=f"{pair.collector.http_endpoint}/v1/traces")
    )

    def is_empty() -> bool:
        forwarder.step()
        with core.database.read() as conn:
            return outbox.measure(conn).pending == 0

    wait_until(is_empty, patience_s, what="the outbox is empty", every_s=0.01)
    forwarder.close()


def send_anew(core: Core, task: TaskRecord, span: DecodedSpan, *, start_us: int) -> None:
    """Puts a span into the outbox again, under its id but with another start: Jaeger has two."""
    [record] = [
        replace(one, start_us=start_us)
        for one in [spans.task_span(task)]
        if f"{one.span_id:016x}" == span.span_id
    ]
    payload = codec.encode([record], {"service.name": "voxtrace"}, "")
    with core.database.write() as conn:
        outbox.add(
            conn,
            payload=payload,
            n_spans=1,
            rank=outbox.RANK_DETAIL,
            created_at_us=core.database.now_us(conn),
            task_id=task.id,
            trace_id=task.trace_id,
        )
