"""Spans as values: the ones we make, and the ones we read back.

Times are microseconds since the epoch, as in the database: equal means equal to the microsecond.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from telemetry.names import SpanKind
from telemetry.values import Attributes, AttributeValue

#: What made spans: a process, or the task table.
Resource: TypeAlias = Mapping[str, AttributeValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    """Something that happened during a span."""

    name: str
    at_us: int
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanLink:
    """Another span that this one has to do with."""

    trace_id: int
    span_id: int
    trace_state: str = ""
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRecord:
    """An ended span, made from whatever: a row, or a live span of the SDK.

    `error` is the description of status ERROR; None leaves the status unset (OK is never set).
    Texts that people submitted do not belong into any field; nothing here can tell.
    """

    trace_id: int
    span_id: int
    parent_span_id: int | None = None
    name: str
    kind: SpanKind = SpanKind.INTERNAL
    start_us: int
    end_us: int
    attributes: Attributes = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    error: str | None = None
    trace_state: str = ""
    has_remote_parent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedEvent:
    """An event as it was sent."""

    name: str
    at_ns: int
    attributes: dict[str, Any]

    @property
    def at_us(self) -> int:
        """Its moment in microseconds since the epoch."""
        return self.at_ns // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedLink:
    """A link as it was sent; ids in hex."""

    trace_id: str
    span_id: str
    trace_state: str
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedSpan:
    """A span as it was sent: all that drawing it needs; ids in hex.

    `parent_span_id` is None for a root; `status` is `unset`, `ok` or `error`.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    kind: SpanKind
    service: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    events: tuple[DecodedEvent, ...]
    links: tuple[DecodedLink, ...]
    status: str
    status_message: str
    trace_state: str
    flags: int
    resource: dict[str, Any]
    scope_name: str
    scope_version: str

    @property
    def start_us(self) -> int:
        """Start in microseconds since the epoch."""
        return self.start_ns // 1000

    @property
    def end_us(self) -> int:
        """End in microseconds since the epoch."""
        return self.end_ns // 1000

    @property
    def is_error(self) -> bool:
        """Whether the status is ERROR."""
        return self.status == "error"
