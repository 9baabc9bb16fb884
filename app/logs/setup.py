"""Logging of a process: one handler makes each line once and hands it to its ways out."""

import logging
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import structlog
from typing_extensions import override

from app.logs.kept import KEPT
from app.logs.line import LEVELS, Line
from app.logs.record import line_of
from app.logs.render import FORMATS
from telemetry.health import swallowed

#: A way out of a line: it neither waits nor raises.
Outlet = Callable[[Line], None]

#: Loggers of libraries that say too much, and the least severe level that is kept of them. What
#: Celery says of lost children we say ourselves, with the task.
QUIET: Final[Mapping[str, int]] = MappingProxyType(
    {
        "celery": logging.WARNING,
        "celery.worker.request": logging.CRITICAL,
        "multiprocessing": logging.CRITICAL,
        "kombu": logging.WARNING,
        "alembic": logging.WARNING,
        "urllib3": logging.WARNING,
        # its warnings name whole addresses, and that of the ping is a secret
        "urllib3.connection": logging.ERROR,
        "opentelemetry": logging.WARNING,
        # spans and lines that leave at best effort: a collector that is away is no news
        "opentelemetry.exporter": logging.CRITICAL,
        "opentelemetry.sdk._shared_internal": logging.CRITICAL,
        "gunicorn": logging.WARNING,
        "gunicorn.error": logging.WARNING,
    }
)


class LineHandler(logging.Handler):
    """Makes the line of each record and hands it to every way out.

    Attributes:
        outlets: The ways out of this process and its forked children.
        export: The one that is this process's own; a forked child sets another.
    """

    def __init__(self) -> None:
        super().__init__()
        self.outlets: list[Outlet] = []
        self.export: Outlet | None = None

    @override
    def emit(self, record: logging.LogRecord) -> None:
        with swallowed("log line"):
            line = line_of(record)
            for outlet in self.outlets:
                outlet(line)
            if self.export is not None:
                self.export(line)


def configure(
    level: str,
    *,
    form: str = "text",
    program: str = "other",
    keeps_lines: bool = False,
    console_level: str = "debug",
) -> LineHandler:
    """Sends every line of this process to standard error, and those about tasks to `KEPT`.

    Args:
        level: Least severe level of our own lines: debug, info, warning or error.
        form: Key of `FORMATS`.
        program: What this process is; see `KeptLines`.
        keeps_lines: Whether lines about tasks are kept for their rows.
        console_level: Least severe level that goes to standard error.
    """
    KEPT.start(program, is_on=keeps_lines)
    handler = LineHandler()
    handler.outlets = [_console(form, LEVELS[console_level]), KEPT.take]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level.lower()])
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    structlog.configure(  # for engines from elsewhere that use it
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return handler


def handler() -> LineHandler | None:
    """The handler of this process; None where `configure` was not called."""
    for found in logging.getLogger().handlers:
        if isinstance(found, LineHandler):
            return found
    return None


def _console(form: str, least: int) -> Outlet:
    render = FORMATS[form]

    def write(line: Line) -> None:
        if line.level >= least:
            sys.stderr.write(render(line) + "\n")
            sys.stderr.flush()

    return write
