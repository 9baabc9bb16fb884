"""From a record of the logging package to a line: ours with its fields, a library's by its words.

No text that was submitted may come into a line. Of an exception only the class and the frames are
told, and its message where it is one of ours. A library's line about a task is told by its words
and numbers alone: the strings that it puts into them are left out, for they may quote anything.
"""

import logging
import sys
from typing import Any, Final

import structlog

from app.domain.errors import VoxtraceError
from app.logs.line import LOGGER_CHARS, STACK, Line, clean_fields, clean_message
from telemetry import exceptions, otel_context

#: Loggers whose lines are ours, by the beginning of their names.
OURS: Final = ("app", "telemetry")
_LEFT_OUT: Final = "…"
_IDS: Final = ("task_id", "attempt", "trace_id", "span_id")


def line_of(record: logging.LogRecord) -> Line:
    """The line that a record tells, in the context of the thread that tells it."""
    given: Any = record.msg
    values: dict[str, Any] = structlog.contextvars.get_contextvars()
    is_foreign = "task_id" in values and record.name.partition(".")[0] not in OURS
    if not isinstance(given, dict):
        given = {"event": _template(record) if is_foreign else record.getMessage()}
    elif is_foreign:
        given = {n: _without_text(n, value) for n, value in given.items() if n not in _IDS}
    values |= given
    error = _error(values.pop("exc_info", None) or record.exc_info)
    ids = _ids(values, given)
    message = clean_message(str(values.pop("event", "")))
    is_told = bool(values.pop("is_told", False))
    return Line(
        at_us=round(record.created * 1_000_000),
        level=record.levelno,
        logger=record.name[:LOGGER_CHARS],
        message=message,
        fields=clean_fields(values | _told(error)),
        is_told=is_told,
        **ids,
    )


def _ids(values: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Takes the ids out of the values: as the line says, else of the live span, else as bound."""
    ids = {name: values.pop(name, None) for name in _IDS}
    live = otel_context.current()
    if live is not None and "span_id" not in given:
        ids |= {"trace_id": live.trace_id_hex, "span_id": live.span_id_hex}
    return ids


def _without_text(name: str, value: object) -> object:
    """A field of a library's structured line; its event was written by who wrote the library."""
    return value if name in {"event", "exc_info"} else _masked(value)


def _template(record: logging.LogRecord) -> str:
    """A library's words with its numbers, without its strings."""
    template, args = str(record.msg), record.args
    if not args:
        return template
    masked: Any = (
        {key: _masked(value) for key, value in args.items()}
        if isinstance(args, dict)
        else tuple(_masked(value) for value in args)
    )
    try:
        return str(template % masked)
    except (TypeError, ValueError, KeyError):
        return template


def _masked(value: object) -> object:
    if isinstance(value, BaseException):
        return exceptions.type_name(value)
    return value if value is None or isinstance(value, int | float) else _LEFT_OUT


def _error(exc_info: object) -> BaseException | None:
    """The exception of a record, however it was given."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _told(error: BaseException | None) -> dict[str, object]:
    if error is None:
        return {}
    own = {"error": str(error)} if isinstance(error, VoxtraceError) else {}
    return {"exception": exceptions.type_name(error), **own, STACK: exceptions.stacktrace(error)}
