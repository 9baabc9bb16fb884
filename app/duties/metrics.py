"""The metrics: sends the service's numbers to the collector, now and then."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app import clock
from app.domain.errors import ConfigError, VoxtraceError
from app.logs.logger import logger_of
from app.service.core import Core
from app.service.database_clock import DatabaseClock
from app.service.measures import Measures
from app.service.trouble import Trouble
from app.service.watch import OutboxGauge
from telemetry.export import ExportSettings, export_settings_from
from telemetry.metric_export import encode_metrics, export_interval_s, metrics_resource
from telemetry.otlp import Verdict
from telemetry.otlp_http import OtlpHttpClient

log: Final = logger_of(__name__)

_ADVICE: Final = "they are sent at the next turn (OTEL_METRICS_EXPORTER=none: never)"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSettings:
    """Where metrics go, and every how many seconds."""

    export: ExportSettings
    interval_s: float


def metric_settings(environ: Mapping[str, str] = os.environ) -> MetricSettings | None:
    """Where metrics go, from the standard OTEL_* variables; None for nowhere.

    Raises:
        ConfigError: One of them is wrong.
    """
    try:
        interval_s = export_interval_s(environ)
        export = export_settings_from(environ, "metrics")
    except ValueError as error:
        raise ConfigError([str(error)]) from error
    return MetricSettings(export=export, interval_s=interval_s) if export is not None else None


class Metrics:
    """Reads the tables and sends; only the process that leads does, so that no number is doubled.

    What does not arrive is not sent again: the next numbers hold all that these did.

    Args:
        core: Where to read.
        settings: Where to send.
        outbox: Measures the span outbox.
        exports: Whether spans are sent, so that there is a forwarder to tell of.
    """

    name = "metrics"
    needs_leader = True

    def __init__(
        self, core: Core, settings: MetricSettings, outbox: OutboxGauge, *, exports: bool
    ) -> None:
        self._core = core
        self._clock = DatabaseClock(core)
        self._settings = settings
        self._measures = Measures(core, outbox, exports=exports)
        self._client = OtlpHttpClient(settings.export)
        self._resource = metrics_resource(core.settings.release, os.environ)
        self._trouble = Trouble(log, "metrics")
        self._sent = self._failures = 0
        self._last_success_us: int | None = None
        self._last_error: str | None = None

    def step(self) -> float:
        """Sends once; returns the interval."""
        now_us = clock.now_us()
        payload = encode_metrics(
            self._measures.read(),
            self._resource,
            release=self._core.settings.release,
            at_us=now_us,
        )
        answer = self._client.send(payload, now_us=now_us)
        if answer.verdict is Verdict.ACCEPTED and not answer.is_partial:
            self._sent, self._failures = self._sent + 1, 0
            self._last_success_us, self._last_error = self._clock.now_us(), None
            self._trouble.over()
        else:
            self._failures, self._last_error = self._failures + 1, answer.words
            message = f"{self._settings.export.shown_endpoint} does not take them: {answer.words}"
            self._trouble.failed(VoxtraceError(message), advice=_ADVICE)
        return self._settings.interval_s

    def state(self) -> str:
        """What was sent since this process began, and what stands in the way, as JSON."""
        return json.dumps(
            {
                "endpoint": self._settings.export.shown_endpoint,
                "interval_s": self._settings.interval_s,
                "sent": self._sent,
                "failures": self._failures,
                "last_success_us": self._last_success_us,
                "last_error": self._last_error,
            }
        )
