"""Cost of tracing for each task: 5 spans made, encoded, stored.

    python -m tests.bench.bench_tracing

Parts of a task in turn, on a SQLite file with the application's own settings (WAL,
synchronous=FULL); the median of the rounds counts, and ratios are what to read.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, insert, update

from app.store.database import Database
from telemetry import outbox
from telemetry.attempt import AttemptTracing
from telemetry.codec import encode
from telemetry.names import SpanKind, engine_call_attributes, engine_span
from telemetry.pipeline import AttemptPipeline
from telemetry.provider import row_resource, worker_pipeline
from telemetry.recovery import AttemptIdentity, start_marker
from telemetry.spans import SpanRecord
from telemetry.tracing import SpanContext, new_span_id

T = TypeVar("T")

_ROUNDS = 300

_METADATA = MetaData()
outbox.define(_METADATA)
_TASK = Table(
    "bench_task",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("status", Integer, nullable=False),
    Column("finished_at", BigInteger),
)


def _database(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder / 'bench.db'}", role="attempt")
    database.pragma("journal_mode=WAL")
    with database.write() as conn:
        _METADATA.create_all(conn)
        conn.execute(insert(_TASK).values(id=1, status=0))
    return database


def _trace(pipeline: AttemptPipeline) -> tuple[AttemptTracing, SpanRecord]:
    """An attempt with four spans in it, and the task span of its row: what a short task makes."""
    now_us = time.time_ns() // 1000
    identity = AttemptIdentity(
        task=SpanContext.new(), span_id=new_span_id(), task_id="17", attempt=1,
        worker_name="bench-1", claimed_at_us=now_us, deadline_us=now_us + 60_000_000,
    )  # fmt: skip
    tracing = AttemptTracing(pipeline, identity)
    call = engine_call_attributes(provider="tone", model="tone", voice="a")
    with (
        tracing.span("segment", attributes={"voxtrace.segment.index": 0}),
        tracing.span(engine_span("tone"), kind=SpanKind.CLIENT, attributes=call),
    ):
        pass
    with tracing.span("encode"):
        pass
    tracing.end(time.time_ns() // 1000)
    marker = start_marker(identity)
    return tracing, marker


def _finish(database: Database, payloads: list[tuple[bytes, int]]) -> None:
    """The finishing transaction: a status, and what there is for the outbox."""
    now_us = time.time_ns() // 1000
    with database.write() as conn:
        conn.execute(update(_TASK).where(_TASK.c.id == 1).values(status=1, finished_at=now_us))
        for payload, n_spans in payloads:
            outbox.add(
                conn, payload=payload, n_spans=n_spans, rank=outbox.RANK_TASK,
                created_at_us=now_us, task_id=17, trace_id="a" * 32,
            )  # fmt: skip


def _encoded(tracing: AttemptTracing, record: SpanRecord) -> list[tuple[bytes, int]]:
    drained = tracing.drain()
    assert drained is not None
    row_payload = encode([record], row_resource("1.0"), "1.0")
    return [(drained.payload, drained.n_spans), (row_payload, 1)]


def _timed(times: dict[str, list[float]], name: str, call: Callable[[], T]) -> T:
    start_ns = time.perf_counter_ns()
    result = call()
    times.setdefault(name, []).append((time.perf_counter_ns() - start_ns) / 1000)
    return result


def measure_tasks(folder: Path) -> dict[str, float]:
    """Median µs of each part of a task's tracing, beside the transaction without it."""
    database = _database(folder)
    pipeline = worker_pipeline(release="1.0", environ={})
    times: dict[str, list[float]] = {}
    for _ in range(_ROUNDS):
        _timed(times, "transaction alone", lambda: _finish(database, []))
        tracing, record = _timed(times, "make 5 spans", lambda: _trace(pipeline))
        payloads = _timed(times, "encode 5 spans", partial(_encoded, tracing, record))
        _timed(times, "transaction with 2 rows", partial(_finish, database, payloads))
    database.close()
    return {name: round(statistics.median(values), 1) for name, values in times.items()}


def measure() -> dict[str, dict[str, float]]:
    """The parts of a task."""
    with tempfile.TemporaryDirectory() as folder:
        return {"task": measure_tasks(Path(folder))}


def main() -> None:
    """Prints the tables, and the same as JSON with `--json`."""
    result = measure()
    if "--json" in sys.argv:
        print(json.dumps(result))
        return
    base = result["task"]["transaction alone"]
    print(f"{'part of a task':26} {'µs':>9} {'of the transaction':>20}")
    for name, cost in result["task"].items():
        print(f"{name:26} {cost:9.1f} {cost / base:20.2f}")


if __name__ == "__main__":
    main()
