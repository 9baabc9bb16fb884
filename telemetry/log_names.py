"""What an exported log record says beside its message: each attribute, its type and meaning."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from telemetry.names import (
    ATTEMPT,
    ERROR_TYPE,
    EXCEPTION_STACKTRACE,
    EXCEPTION_TYPE,
    TASK_ID,
    Attribute,
)

#: Beginning of the attributes that are fields of a line under their own names.
FIELD: Final = "voxtrace.log."
#: Fields of a line that have names of the conventions.
FIELD_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "error_type": ERROR_TYPE,
        "exception": EXCEPTION_TYPE,
        "stack": EXCEPTION_STACKTRACE,
    }
)

LOG_ATTRIBUTES: Final[tuple[Attribute, ...]] = (
    Attribute(key=TASK_ID, type="string", where="lines about a task", meaning="Id of the task."),
    Attribute(
        key=ATTEMPT,
        type="int",
        where="lines about an attempt",
        meaning="Number of the attempt, from 1.",
    ),
    Attribute(
        key=ERROR_TYPE,
        type="string",
        where="verdicts on errors",
        meaning="Why it failed, of few values.",
    ),
    Attribute(
        key=EXCEPTION_TYPE,
        type="string",
        where="lines about an exception",
        meaning="Class of the exception; its message only where it is one of ours.",
    ),
    Attribute(
        key=EXCEPTION_STACKTRACE,
        type="string",
        where="lines about an exception",
        meaning="Files, lines and functions, innermost last; no values.",
    ),
    Attribute(
        key=f"{FIELD}{{field}}",
        type="string",
        where="any line",
        meaning="Any other field of the line, under its name; numbers are numbers.",
    ),
)
