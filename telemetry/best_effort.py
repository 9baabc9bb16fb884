"""Options of the SDK's exporters and batch processors for what may be lost: spans, log lines."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http import Compression

from telemetry.collector_session import CollectorSession, SecretFilter
from telemetry.export import ExportSettings
from telemetry.self_metrics import meter_provider
from telemetry.standard_settings import Batches, batch_settings

#: Seconds that one request may take; a process that stops waits no longer for it.
EXPORT_TIMEOUT_S: Final = 3.0


def exporter_options(settings: ExportSettings, *, logger: str) -> dict[str, Any]:
    """Arguments of an OTLP/HTTP exporter whose messages, by that logger, tell no secret."""
    logging.getLogger(logger).addFilter(SecretFilter(settings))
    is_gzip = settings.compression == "gzip"
    return {
        "endpoint": settings.endpoint,
        "headers": settings.headers,
        "timeout": min(EXPORT_TIMEOUT_S, settings.timeout_s),
        "compression": Compression.Gzip if is_gzip else Compression.NoCompression,
        "certificate_file": settings.certificate,
        "client_certificate_file": settings.client_certificate,
        "client_key_file": settings.client_key,
        "session": CollectorSession(settings),
        "meter_provider": meter_provider(),
    }


def batch_options(of: Batches, environ: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of a batch processor, from OTEL_BSP_… or OTEL_BLRP_….

    Raises:
        ValueError: A value is not allowed.
    """
    batches = batch_settings(of, environ)
    return {
        "max_queue_size": batches.max_queue_size,
        "schedule_delay_millis": batches.schedule_delay_ms,
        "max_export_batch_size": batches.max_export_batch_size,
        "export_timeout_millis": batches.export_timeout_ms,
        "meter_provider": meter_provider(),
    }
