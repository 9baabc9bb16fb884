"""A log line as a value: cleaned and bounded, with the task and the span that it tells of."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from telemetry.values import (
    AttributeValue,
    clean_name,
    clean_stacktrace,
    clean_text,
    clean_value,
)

#: Characters of a message, of a field's name, of a field that is a string, and of a stack.
MESSAGE_CHARS: Final = 1000
NAME_CHARS: Final = 60
FIELD_CHARS: Final = 300
STACK_CHARS: Final = 4000
#: Fields of a line at most.
MAX_FIELDS: Final = 16
#: Characters of a logger's name.
LOGGER_CHARS: Final = 80
#: The field that holds frames; its line breaks stay.
STACK: Final = "stack"

#: Names of the levels that a line can have.
LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line.

    Attributes:
        at_us: Microseconds since the epoch, on this host's clock.
        level: Number of the logging package.
        fields: What else it tells.
        task_id: The task that it tells of; None for none.
        attempt: The attempt, from 1; None for what is no attempt's.
        trace_id: Of the innermost live span, else of the task; 32 hex digits.
        span_id: Of the same; 16 hex digits.
        is_told: Whether its row was written by the transaction that it tells of.
    """

    at_us: int
    level: int
    logger: str
    message: str
    fields: Mapping[str, AttributeValue]
    task_id: int | None = None
    attempt: int | None = None
    trace_id: str | None = None
    span_id: str | None = None
    is_told: bool = False


def level_name(level: int) -> str:
    """The name of the nearest level of `LEVELS` that is not above; what is above error is error."""
    names = [name for name, least in LEVELS.items() if level >= least]
    return names[-1] if names else "debug"


def clean_message(message: str) -> str:
    """A message on one line, without control characters, cut at its end."""
    return _cut(clean_text(message, max_bytes=4 * MESSAGE_CHARS), MESSAGE_CHARS)


def clean_fields(fields: Mapping[str, object]) -> dict[str, AttributeValue]:
    """Fields as strings and numbers of bounded size; None is left out."""
    cleaned: dict[str, AttributeValue] = {}
    for name, value in fields.items():
        if value is not None and len(cleaned) < MAX_FIELDS:
            cleaned[_cut(clean_name(name), NAME_CHARS)] = _clean_field(name, value)
    return cleaned


def _clean_field(name: str, value: object) -> AttributeValue:
    if name == STACK and isinstance(value, str):
        return clean_stacktrace(value)[-STACK_CHARS:]
    cleaned = clean_value(value)
    return _cut(cleaned, FIELD_CHARS) if isinstance(cleaned, str) else cleaned


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
