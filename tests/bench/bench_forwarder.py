"""Spans a second from the outbox to a collector, beside the exporter of the SDK.

    python -m tests.bench.bench_forwarder

The same spans go the same way (gzip, one connection, a collector in a process of its own that
takes everything): by the forwarder from rows of a SQLite file (read, sent, marked;
synchronous=FULL), and by the SDK's exporter from the spans in memory, 512 at a time as its batch
processor does. Over HTTP and over gRPC; the medians of the rounds' ratios count. The forwarder does
more (a span that it has survives a kill) and has less to do (its rows are encoded already).
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from sqlalchemy import MetaData, text

from app.store.database import Database
from telemetry import outbox
from telemetry.codec import encode_live
from telemetry.export import ExportSettings
from telemetry.forwarder import Forwarder
from tests.bench import report

_ROUNDS = 7
_ROWS = 2000
#: Of a row: what an attempt of a short text writes when it ends.
_SPANS_PER_ROW = 5
_SDK_BATCH = 512
_SPANS = _ROWS * _SPANS_PER_ROW


def _spans() -> list[ReadableSpan]:
    """Ended spans as an attempt makes them."""
    provider = TracerProvider(
        resource=Resource({"service.name": "voxtrace-worker", "host.name": "bench"}),
        shutdown_on_exit=False,
    )
    tracer = provider.get_tracer("voxtrace", "1.0")
    made: list[ReadableSpan] = []
    for number in range(_SPANS):
        span = tracer.start_span("segment")
        span.set_attribute("voxtrace.segment.index", number)
        span.set_attribute("voxtrace.segment.characters", 120)
        span.set_attribute("voxtrace.language", "en")
        span.end()
        assert isinstance(span, ReadableSpan)
        made.append(span)
    return made


@contextmanager
def _sink(protocol: str) -> Iterator[str]:
    """The endpoint of a collector of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.sink", protocol], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


def _filled(folder: Path, spans: Sequence[ReadableSpan]) -> Database:
    """An outbox with these spans, five to a row."""
    database = Database(f"sqlite:///{folder / 'bench.db'}", role="duties")
    database.pragma("journal_mode=WAL")
    metadata = MetaData()
    outbox.define(metadata)
    now_us = time.time_ns() // 1000
    with database.write() as conn:
        metadata.create_all(conn)
        for start in range(0, _SPANS, _SPANS_PER_ROW):
            outbox.add(
                conn, payload=encode_live(spans[start : start + _SPANS_PER_ROW]),
                n_spans=_SPANS_PER_ROW, rank=outbox.RANK_DETAIL, created_at_us=now_us,
                task_id=start, trace_id="a" * 32,
            )  # fmt: skip
    return database


def _renew(database: Database) -> None:
    with database.write() as conn:
        conn.execute(text("UPDATE span_outbox SET state = 'new', sent_at = NULL"))


def _forward(forwarder: Forwarder) -> None:
    """Sends everything that waits."""
    goal = forwarder.status().sent_spans + _SPANS
    while forwarder.status().sent_spans < goal:
        forwarder.step()
    assert forwarder.status().failures == 0


def _export(exporter: SpanExporter, spans: Sequence[ReadableSpan]) -> None:
    for start in range(0, _SPANS, _SDK_BATCH):
        result = exporter.export(spans[start : start + _SDK_BATCH])
        assert result is SpanExportResult.SUCCESS


def _timed_s(call: Callable[[], None]) -> float:
    start_s = time.perf_counter()
    call()
    return time.perf_counter() - start_s


def _measure(protocol: str, database: Database, spans: Sequence[ReadableSpan]) -> report.Row:
    with _sink(protocol) as endpoint:
        path = "/v1/traces" if protocol == "http" else ""
        chosen: Any = "http/protobuf" if protocol == "http" else "grpc"
        settings = ExportSettings(endpoint=endpoint + path, protocol=chosen)
        forwarder, exporter = Forwarder(database, settings), _exporter(protocol, endpoint)
        ours_s, sdk_s = [], []
        for _ in range(_ROUNDS):
            _renew(database)
            ours_s.append(_timed_s(partial(_forward, forwarder)))
            sdk_s.append(_timed_s(partial(_export, exporter, spans)))
        forwarder.close()
        exporter.shutdown()
    return {
        "ratio": round(median(sdk / ours for ours, sdk in zip(ours_s, sdk_s, strict=True)), 2),
        "forwarder_spans_per_s": round(_SPANS / median(ours_s)),
        "sdk_spans_per_s": round(_SPANS / median(sdk_s)),
    }


def _exporter(protocol: str, endpoint: str) -> SpanExporter:
    if protocol == "http":
        return HttpExporter(endpoint=f"{endpoint}/v1/traces", compression=Compression.Gzip)
    return GrpcExporter(endpoint=endpoint, insecure=True, compression=grpc.Compression.Gzip)


def measure() -> report.Result:
    """The forwarder's rate over the SDK's, for each transport."""
    os.environ.pop("OTEL_EXPORTER_OTLP_HEADERS", None)
    spans = _spans()
    with tempfile.TemporaryDirectory() as folder:
        database = _filled(Path(folder), spans)
        rows = {name: _measure(name, database, spans) for name in ("http", "grpc")}
        database.close()
    return rows


if __name__ == "__main__":
    report.main(measure)
