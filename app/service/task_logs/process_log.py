"""The log of a process: what it is called, the thread that writes its lines, and their export.

A process that forks has no thread: its lines are written with its heartbeat, and handed to the
duties process of its host, which exports them for it.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict

from app.logs import setup
from app.logs.kept import KEPT
from app.logs.line import Line
from app.service.core import Core
from app.service.task_logs.line_writer import LineWriter
from telemetry import provider
from telemetry.log_export import LogEntry, LogExport, log_settings_from
from telemetry.spans import Resource

#: Takes a line that another process exports, as text; False where there is no such process.
HandOver = Callable[[str], bool]


class ProcessLog:
    """Logging of this process from its fork to its end.

    Args:
        core: Where lines about tasks are written.
        program: What this process is, as rows name it: web, worker, child, duties.
        service: Its `service.name`.
        hand_over: For a process that may have no thread; None for one that may.
        environ: The standard OTEL_* variables are read from it.
    """

    def __init__(
        self,
        core: Core,
        *,
        program: str,
        service: str,
        hand_over: HandOver | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        KEPT.program = program
        self._hand_over = hand_over
        release = core.settings.release
        settings = log_settings_from(environ)
        self._resource = provider.process_resource(service, release=release, environ=environ)
        self.export: LogExport | None = None
        if settings is not None and hand_over is None:
            self.export = LogExport(settings, self._resource, release=release, environ=environ)
        self._writer = LineWriter(core) if hand_over is None else None
        self._is_exported = settings is not None
        self._handler = setup.handler()

    def start(self) -> None:
        """Begins; what was logged in this process before is written too, but not exported."""
        if self._writer is not None and KEPT.is_on:
            self._writer.start()
        if self._handler is not None:
            self._handler.export = self._send if self._is_exported else None

    def stop(self) -> None:
        """Writes and sends what waits, within seconds."""
        if self._handler is not None:
            self._handler.export = None
        if self._writer is not None and KEPT.is_on:
            self._writer.stop()
        if self.export is not None:
            self.export.stop()

    def _send(self, line: Line) -> None:
        entry = _entry(line)
        if self.export is not None:
            self.export.send(entry)
        elif self._hand_over is not None:
            self._hand_over(packed(entry, self._resource))


def _entry(line: Line) -> LogEntry:
    return LogEntry(
        at_us=line.at_us,
        level=line.level,
        logger=line.logger,
        message=line.message,
        fields=dict(line.fields),
        task_id=line.task_id,
        attempt=line.attempt,
        trace_id=line.trace_id,
        span_id=line.span_id,
    )


def packed(entry: LogEntry, resource: Resource) -> str:
    """A line with what told it, for another process."""
    return json.dumps([asdict(entry), dict(resource)], ensure_ascii=False)


def unpacked(text: str) -> tuple[LogEntry, Resource]:
    """The other way round.

    Raises:
        TypeError, ValueError: It is no packed line.
    """
    entry, resource = json.loads(text)
    return LogEntry(**entry), dict(resource)
