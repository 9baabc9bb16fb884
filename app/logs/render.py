"""A line as text for people (`key=value`), or as one JSON object for machines."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

import structlog

from app.logs.kept import KEPT
from app.logs.line import STACK, Line, level_name

#: Members that a JSON object has beside the line's own.
_OF_PROCESS: Final = ("program", "pid")
#: Members whose names are long to read: last in a text.
_IDS: Final = ("trace_id", "span_id")
_LOGFMT: Final = structlog.processors.LogfmtRenderer(bool_as_flag=False)


def as_text(line: Line) -> str:
    """`timestamp=… level=… logger=… event=… key=value trace_id=…`, frames below it."""
    members = _members(line)
    stack = str(members.pop(STACK, ""))
    ids = {name: members.pop(name) for name in _IDS if name in members}
    text = _LOGFMT(None, "", members | ids)
    return "\n".join([str(text), *(f"  {frame}" for frame in stack.splitlines())])


def as_json(line: Line) -> str:
    """One JSON object on one line; a field whose name is taken has an underscore after it."""
    members = _members(line) | {"program": KEPT.program, "pid": os.getpid()}
    return json.dumps(members, ensure_ascii=False)


def _members(line: Line) -> dict[str, object]:
    at = datetime.fromtimestamp(line.at_us / 1_000_000, UTC)
    members: dict[str, object] = {
        "timestamp": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "level": level_name(line.level),
        "logger": line.logger,
        "event": line.message,
        "task_id": line.task_id,
        "attempt": line.attempt,
        "trace_id": line.trace_id,
        "span_id": line.span_id,
    }
    taken = {*members, *_OF_PROCESS}
    fields = {f"{name}_" if name in taken else name: v for name, v in line.fields.items()}
    return {name: value for name, value in members.items() if value is not None} | fields


#: How a line is rendered, by the word in VOXTRACE_LOG_FORMAT.
FORMATS: Final[Mapping[str, Callable[[Line], str]]] = MappingProxyType(
    {"text": as_text, "json": as_json}
)
