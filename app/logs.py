"""Log lines: one format for every program, `time level logger event key=value …`."""

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor

#: Loggers of libraries that say too much, and the least severe level that is kept of them. What
#: Celery says of lost children we say ourselves, with the task.
QUIET = {
    "celery": logging.WARNING,
    "celery.worker.request": logging.CRITICAL,
    "multiprocessing": logging.CRITICAL,
    "kombu": logging.WARNING,
    "alembic": logging.WARNING,
    "urllib3": logging.WARNING,
    "opentelemetry": logging.WARNING,
    # spans of requests that make no task leave at best effort; a collector that is away is no news
    "opentelemetry.exporter": logging.CRITICAL,
    "gunicorn": logging.WARNING,
    "gunicorn.error": logging.WARNING,
}


def configure(level: str) -> None:
    """Sends every log line of this process to standard error in our format.

    Args:
        level: Least severe level of our own lines: debug, info, warning or error.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "logger", "event"], drop_missing=True
            ),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
