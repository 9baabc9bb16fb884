"""The forwarder: sends what lies in the span outbox to the collector."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict

from app import clock
from app.domain.errors import ConfigError
from app.service.core import Core
from telemetry.export import ExportSettings, export_settings_from
from telemetry.forwarder import Forwarder as SpanForwarder


def export_settings(environ: Mapping[str, str] = os.environ) -> ExportSettings | None:
    """Where spans go, from the standard OTEL_* variables; None for nowhere.

    Raises:
        ConfigError: One of them is wrong.
    """
    try:
        return export_settings_from(environ)
    except ValueError as error:
        raise ConfigError([str(error)]) from error


class Forwarder:
    """Drives the telemetry package's forwarder; one leader sends, a second is harmless."""

    name = "forwarder"
    needs_leader = True

    def __init__(self, core: Core, settings: ExportSettings) -> None:
        self._forwarder = SpanForwarder(core.database, settings, clock_us=clock.now_us)

    def step(self) -> float:
        """Sends a batch, or waits."""
        return self._forwarder.step()

    def state(self) -> str:
        """What was sent, and what stands in the way, as JSON."""
        return json.dumps(asdict(self._forwarder.status()))
