"""Rate of `verify`: 10 000 tasks of 9 spans against a real collector and a real Jaeger.

    python -m tests.bench.bench_verify        # VOXTRACE_BENCH_TASKS=1000 for a quick one

One task is spoken; the others are its rows and spans under other ids, sent by the real forwarder.
Beside it stands what one connection needs for the bare requests, without rows or comparison.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import Connection, Table, insert, select

from app.domain.records import TaskRecord
from app.service.core import Core
from app.service.traces.verify import verify
from app.store.tables import attempt_table, outbox_table, segment_table, task_table, text_table
from telemetry import names, outbox
from telemetry.jaeger import JaegerClient
from telemetry.tracing import derived_span_id
from tests.bench import report
from tests.bench.report import Result
from tests.support.backend_programs import locate_programs
from tests.support.backends import Backends, Jaeger, Pair
from tests.support.home import Home
from tests.support.service import spoken
from tests.support.traces import drain
from tests.support.wait import wait_until

_TASKS: Final = int(os.environ.get("VOXTRACE_BENCH_TASKS", "10000"))
_BARE: Final = 500
_CHUNK: Final = 200


class _Template:
    """A task that was spoken, and its copies under other ids."""

    def __init__(self, conn: Connection, task: TaskRecord) -> None:
        self._task = task
        self._rows = {
            table.name: [dict(row._mapping) for row in conn.execute(select(table).where(of))]
            for table, of in (
                (text_table, text_table.c.id == task.text_id),
                (task_table, task_table.c.id == task.id),
                (attempt_table, attempt_table.c.task_id == task.id),
                (segment_table, segment_table.c.task_id == task.id),
            )
        }
        self._requests = [
            ExportTraceServiceRequest.FromString(payload)
            for payload in outbox.spans_of_task(conn, task.id)
        ]
        self.span_count = sum(1 for _ in self._spans())

    def _spans(self) -> Iterator[Any]:
        for request in self._requests:
            for resource_spans in request.resource_spans:
                for scope_spans in resource_spans.scope_spans:
                    yield from scope_spans.spans

    def copies(self, table: Table, numbers: range) -> list[dict[str, Any]]:
        """The rows of one table for each number, which becomes the task's and the text's id."""
        keys = {"text": "id", "task": "id"}
        copies = []
        for number in numbers:
            for row in self._rows[table.name]:
                copy = row | {keys.get(table.name, "task_id"): number}
                if table is text_table:
                    copy |= {"task_id": number}
                if table is task_table:
                    copy |= {"text_id": number, "trace_id": _trace_id(number)}
                    copy |= {"content_key": f"{number:064x}"}
                if "span_id" in copy:
                    copy["span_id"] = _span_id(copy["span_id"], number)
                copies.append(copy)
        return copies

    def outbox_rows(self, number: int, now: int) -> list[dict[str, Any]]:
        """The spans of a copy, as rows of the outbox."""
        ids = self._new_ids(number)
        rows = []
        for original in self._requests:
            request = ExportTraceServiceRequest()
            request.CopyFrom(original)
            count = 0
            for resource_spans in request.resource_spans:
                for span in (one for scope in resource_spans.scope_spans for one in scope.spans):
                    count += 1
                    span.trace_id = bytes.fromhex(_trace_id(number))
                    span.span_id = ids.get(span.span_id, span.span_id)
                    span.parent_span_id = ids.get(span.parent_span_id, b"")
                    for attribute in span.attributes:
                        if attribute.key in {names.TASK_ID, names.TEXT_ID}:
                            attribute.value.string_value = str(number)
            payload = request.SerializeToString()
            rank = outbox.RANK_TASK if original is self._requests[-1] else outbox.RANK_DETAIL
            rows.append(
                {
                    "task_id": number, "trace_id": _trace_id(number), "created_at": now,
                    "n_spans": count, "size_bytes": len(payload), "rank": rank, "payload": payload,
                }
            )  # fmt: skip
        return rows

    def _new_ids(self, number: int) -> dict[bytes, bytes]:
        """Old span id to new one; those that are derived from the attempt's are derived again."""
        attempt = int(_span_id(self._rows["task_attempt"][0]["span_id"], number), 16)
        derived = {
            names.SPAN_QUEUE_WAIT: "wait",
            names.SPAN_ATTEMPT_STARTED: names.SPAN_ATTEMPT_STARTED,
        }
        return {
            span.span_id: (
                derived_span_id(attempt, derived[span.name]).to_bytes(8)
                if span.name in derived
                else bytes.fromhex(_span_id(span.span_id.hex(), number))
            )
            for span in self._spans()
        }


def _trace_id(number: int) -> str:
    return f"{0xBE << 120 | number:032x}"


def _span_id(span_id: str | None, number: int) -> str:
    return f"{int(span_id or '0', 16) ^ (number << 8):016x}"


def _fill(core: Core, count: int) -> int:
    """Makes `count` tasks out of one; returns the spans of each."""
    task = spoken(core, "One sentence.")
    with core.database.read() as conn:
        template = _Template(conn, task)
    for first in range(2, count + 1, _CHUNK):
        numbers = range(first, min(first + _CHUNK, count + 1))
        with core.database.write() as conn:
            now = core.database.now_us(conn)
            for table in (text_table, task_table, attempt_table, segment_table):
                conn.execute(insert(table), template.copies(table, numbers))
            rows = [row for number in numbers for row in template.outbox_rows(number, now)]
            conn.execute(insert(outbox_table), rows)
    return template.span_count


def _measure(programs: Backends, folder: Path) -> Result:
    pair = Pair.make(programs, folder)
    with pair, Home.make(folder / "home", **pair.environ) as home:
        spans = _fill(home.core, _TASKS)
        drain(home.core, pair, patience_s=600)
        client = JaegerClient(pair.jaeger.url)
        wait_until(lambda: client.trace(_trace_id(_TASKS)), 900, what="the last is in Jaeger")
        found = verify(home.core, since=0, wait_s=60)
        assert found.is_equal, list(found.differences)[:3]
        found = verify(home.core, since=0)
        bare_s = _bare(pair.jaeger)
        return {
            "verify": {
                "tasks": found.tasks,
                "spans of each": spans,
                "seconds": round(found.took_s, 1),
                "tasks a second": round(found.tasks / found.took_s),
                "against bare requests": round(found.took_s / found.tasks / bare_s, 2),
            }
        }


def _bare(jaeger: Jaeger) -> float:
    """Seconds of one request on one connection, nothing read out of the answer."""
    client = JaegerClient(jaeger.url)
    start_s = time.perf_counter()
    for number in range(2, _BARE + 2):
        client.trace(_trace_id(number))
    return (time.perf_counter() - start_s) / _BARE


def measure() -> Result:
    """The table; words where there is no collector or no Jaeger."""
    programs = locate_programs()
    if isinstance(programs, str):
        return report.skipped(programs)
    with tempfile.TemporaryDirectory() as folder:
        return _measure(programs, Path(folder))


if __name__ == "__main__":
    report.main(measure)
