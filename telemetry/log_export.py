"""LogExport: log lines by OTLP/HTTP, at best effort, from a thread of the SDK's.

Made in each process that may have threads, after its fork. A line that finds no room, or whose
collector is away, is dropped: what must be kept of a task is in its rows. Nothing here raises.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource as SdkResource

from telemetry.collector_session import CollectorSession, SecretFilter
from telemetry.export import ExportSettings, export_settings_from
from telemetry.health import swallowed
from telemetry.log_names import FIELD, FIELD_NAMES
from telemetry.names import ATTEMPT, TASK_ID
from telemetry.otel_context import to_otel
from telemetry.self_metrics import meter_provider
from telemetry.spans import Resource
from telemetry.standard_settings import batch_settings
from telemetry.tracing import SpanContext
from telemetry.values import AttributeValue, clean_attributes

#: Seconds that one request may take, and that a process which ends waits for what is on its way.
EXPORT_TIMEOUT_S: Final = 3.0
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

    def to_json(self) -> str:
        """For another process of this host, which exports it."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "LogEntry":
        """The other way round.

        Raises:
            TypeError, ValueError: It is no entry.
        """
        return cls(**json.loads(text))


def log_settings_from(environ: Mapping[str, str] = os.environ) -> ExportSettings | None:
    """Where lines go; None for nowhere: by default, and where `not_sent` says why.

    Raises:
        ValueError: A variable is wrong, or OTEL_LOGS_EXPORTER=otlp has no endpoint.
    """
    settings = export_settings_from(environ, "logs")
    if settings is None and _are_wanted(environ) and not_sent(environ) is None:
        raise ValueError(_NO_ENDPOINT)
    return settings


def not_sent(environ: Mapping[str, str] = os.environ) -> str | None:
    """Why lines that are asked for do not leave, and what to set; None where they do.

    They have an endpoint, but only the general protocol, and that is grpc.
    """
    base = "OTEL_EXPORTER_OTLP_"
    said = {
        what: environ.get(f"{base}{what}", "").strip()
        for what in ("PROTOCOL", "LOGS_PROTOCOL", "ENDPOINT", "LOGS_ENDPOINT")
    }
    has_endpoint = bool(said["LOGS_ENDPOINT"] or said["ENDPOINT"])
    is_grpc = said["PROTOCOL"] == "grpc" and not said["LOGS_PROTOCOL"]
    return _OVER_GRPC if _are_wanted(environ) and has_endpoint and is_grpc else None


def _are_wanted(environ: Mapping[str, str]) -> bool:
    is_off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return environ.get("OTEL_LOGS_EXPORTER", "").strip().lower() == "otlp" and not is_off


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
    batches = batch_settings("BLRP", environ)
    return BatchLogRecordProcessor(
        _exporter(settings),
        schedule_delay_millis=batches.schedule_delay_ms,
        max_export_batch_size=batches.max_export_batch_size,
        export_timeout_millis=batches.export_timeout_ms,
        max_queue_size=batches.max_queue_size,
        meter_provider=meter_provider(),
    )


def _exporter(settings: ExportSettings) -> OTLPLogExporter:
    logging.getLogger(OTLPLogExporter.__module__).addFilter(SecretFilter(settings))
    return OTLPLogExporter(
        endpoint=settings.endpoint,
        headers=settings.headers,
        timeout=min(EXPORT_TIMEOUT_S, settings.timeout_s),
        compression=Compression.Gzip
        if settings.compression == "gzip"
        else Compression.NoCompression,
        certificate_file=settings.certificate,
        client_certificate_file=settings.client_certificate,
        client_key_file=settings.client_key,
        session=CollectorSession(settings),
        meter_provider=meter_provider(),
    )


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
