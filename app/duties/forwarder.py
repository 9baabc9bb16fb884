"""The forwarder: sends what lies in the span outbox to the collector."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict

from app.domain.errors import ConfigError
from app.service.core import Core
from app.service.database_clock import DatabaseClock
from telemetry.export import ExportSettings, check_library, export_settings_from
from telemetry.forwarder import Forwarder as SpanForwarder


def export_settings(environ: Mapping[str, str] = os.environ) -> ExportSettings | None:
    """Where spans go, from the standard OTEL_* variables; None for nowhere.

    Raises:
        ConfigError: One of them is wrong, or the library of the protocol is missing.
    """
    try:
        found = export_settings_from(environ)
        check_library(found)
    except ValueError as error:
        raise ConfigError([str(error)]) from error
    return found


class Forwarder:
    """Drives the telemetry package's forwarder; one leader sends, a second is harmless.

    What a lost collector had acknowledged is sent again by it where there is no Jaeger to look in;
    where there is, a duty of its own looks what has arrived.
    """

    name = "forwarder"
    needs_leader = True

    def __init__(self, core: Core, settings: ExportSettings) -> None:
        self._forwarder = SpanForwarder(
            core.database,
            settings,
            clock_us=DatabaseClock(core).now_us,
            resends_lost=core.settings.jaeger_url is None,
        )

    def step(self) -> float:
        """Sends a batch, or waits."""
        return self._forwarder.step()

    def state(self) -> str:
        """What was sent, and what stands in the way, as JSON."""
        return json.dumps(asdict(self._forwarder.status()))
