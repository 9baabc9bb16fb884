"""LogExport: log lines by OTLP/HTTP, at best effort, from a thread of the SDK's.

Made in each process that may have threads, after its fork. A line that finds no room, or whose
collector is away, is dropped: what must be kept of a task is in its rows. Nothing here raises.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource as SdkResource

from telemetry.best_effort import batch_options, exporter_options
from telemetry.export import ExportSettings, export_settings_from, has_only_grpc, is_wanted
from telemetry.health import swallowed
from telemetry.log_names import FIELD, FIELD_NAMES
from telemetry.names import ATTEMPT, TASK_ID
from telemetry.otel_context import to_otel
from telemetry.self_metrics import meter_provider
from telemetry.spans import Resource
from telemetry.tracing import SpanContext
from telemetry.values import AttributeValue, clean_attributes

#: Seconds that a process which ends waits for what is on its way.
STOP_S: Final = 2.0
#: Resources of other processes that are remembered.
_MAX_RESOURCES: Final = 64
_NO_ENDPOINT: Final = (
    "OTEL_LOGS_EXPORTER=otlp needs an OTLP/HTTP endpoint: set OTEL_EXPORTER_OTLP_ENDPOINT, or "
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT with OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf"
)
_OVER_GRPC: Final = (
    "log lines are not sent: they leave over HTTP only, and OTEL_EXPORTER_OTLP_PROTOCOL is grpc; "
    "set OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf and OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
)
_SEVERITIES: Final = (
    (logging.ERROR, SeverityNumber.ERROR),
    (logging.WARNING, SeverityNumber.WARN),
    (logging.INFO, SeverityNumber.INFO),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A line as it is exported; `at_us` in microseconds since the epoch, `level` of logging."""

    at_us: int
    level: int
    logger: str
    message: str
    fields: Mapping[str, AttributeValue] = field(default_factory=dict)
    task_id: int | None = None
    attempt: int | None = None
    trace_id: str | None = None
    span_id: str | None = None


def log_settings_from(environ: Mapping[str, str] = os.environ) -> ExportSettings | None:
    """Where lines go; None for nowhere: by default, and where `not_sent` says why.

    Raises:
        ValueError: A variable is wrong, or OTEL_LOGS_EXPORTER=otlp has no endpoint.
    """
    settings = export_settings_from(environ, "logs")
    if settings is None and is_wanted(environ, "logs") and not_sent(environ) is None:
        raise ValueError(_NO_ENDPOINT)
    return settings


def not_sent(environ: Mapping[str, str] = os.environ) -> str | None:
    """Why lines that are asked for do not leave, and what to set; None where they do.

    They have an endpoint, but only the general protocol, and that is grpc.
    """
    is_stuck = is_wanted(environ, "logs") and has_only_grpc(environ, "logs")
    return _OVER_GRPC if is_stuck else None


class LogExport:
    """The lines of one process on their way.

    Args:
        settings: Where they go.
        resource: What this process is.
        release: Version of the instrumentation scope.
        environ: OTEL_BLRP_… are read from it.
    """

    def __init__(
        self,
        settings: ExportSettings,
        resource: Resource,
        *,
        release: str,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._release = release
        self._own = resource
        self._processor = _processor(settings, environ)
        self._providers: dict[str, LoggerProvider] = {}

    def send(self, entry: LogEntry, resource: Resource | None = None) -> None:
        """Takes a line; of another process, with what that one is."""
        with swallowed("log export"):
            if not is_instrumentation_enabled():
                return  # a line of the exporter's own thread would never come to an end
            provider = self._provider(resource or self._own)
            provider.get_logger(entry.logger, self._release).emit(_record(entry))

    def _provider(self, resource: Resource) -> LoggerProvider:
        key = json.dumps(resource, sort_keys=True)
        found = self._providers.get(key)
        if found is None:
            if len(self._providers) >= _MAX_RESOURCES:
                self._providers.clear()
            found = self._providers[key] = LoggerProvider(
                SdkResource(resource), shutdown_on_exit=False, meter_provider=meter_provider()
            )
            found.add_log_record_processor(self._processor)
        return found

    def stop(self, timeout_s: float = STOP_S) -> None:
        """Sends what waits, for so long at most, and ends."""
        ending = threading.Thread(target=self._end, name="log export, end", daemon=True)
        ending.start()
        ending.join(timeout_s)

    def _end(self) -> None:
        with swallowed("log export, end"):
            self._processor.shutdown()  # type: ignore[no-untyped-call]


def _processor(settings: ExportSettings, environ: Mapping[str, str]) -> BatchLogRecordProcessor:
    options = exporter_options(settings, logger=OTLPLogExporter.__module__)
    return BatchLogRecordProcessor(OTLPLogExporter(**options), **batch_options("BLRP", environ))


def _record(entry: LogEntry) -> LogRecord:
    return LogRecord(
        timestamp=entry.at_us * 1000,
        observed_timestamp=entry.at_us * 1000,
        context=_context(entry),
        severity_number=_severity(entry.level),
        severity_text=logging.getLevelName(entry.level),
        body=entry.message,
        attributes=_attributes(entry),
    )


def _severity(level: int) -> SeverityNumber:
    return next((number for least, number in _SEVERITIES if level >= least), SeverityNumber.DEBUG)


def _context(entry: LogEntry) -> otel_context.Context:
    """The span that the line names, as the context that a record takes its ids from."""
    if entry.trace_id is None or entry.span_id is None:
        return trace.set_span_in_context(trace.INVALID_SPAN, otel_context.Context())
    span = SpanContext.from_hex(entry.trace_id, entry.span_id)
    return trace.set_span_in_context(trace.NonRecordingSpan(to_otel(span)), otel_context.Context())


def _attributes(entry: LogEntry) -> dict[str, AttributeValue]:
    said: dict[str, object] = {
        FIELD_NAMES.get(name, f"{FIELD}{name}"): value for name, value in entry.fields.items()
    }
    task_id = None if entry.task_id is None else str(entry.task_id)
    return clean_attributes(said | {TASK_ID: task_id, ATTEMPT: entry.attempt})
