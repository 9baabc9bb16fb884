"""Loggers of ours: an event in few words, and fields."""

import logging
from typing import cast

import structlog


def logger_of(name: str) -> structlog.stdlib.BoundLogger:
    """A structured logger over the logging package's logger of that name.

    It needs no configuration: without a handler of ours its lines are told as any other's.
    """
    made = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return cast("structlog.stdlib.BoundLogger", made)
