"""Trace context: ids, and the W3C headers that carry them (traceparent, tracestate).

Source: https://www.w3.org/TR/trace-context-2/. Parsing is tolerant of what may come later (versions
above 00, flags that we do not know) and strict about the rest: a malformed traceparent is none.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from typing import Final

#: Trace flags: the caller records; the trace id is random in its lower 56 bits.
FLAG_SAMPLED: Final = 0x01
FLAG_RANDOM: Final = 0x02

_TRACEPARENT: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace_id>[0-9a-f]{32})-(?P<span_id>[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?",
    re.DOTALL,
)
_STATE_KEY: Final = (
    r"(?:[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}|[a-z][a-z0-9_\-*/]{0,255})"
)
_STATE_VALUE: Final = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_STATE_MEMBER: Final = re.compile(f"({_STATE_KEY})={_STATE_VALUE}")
#: Members and characters of a tracestate that are passed on.
_STATE_MEMBERS: Final = 32
_STATE_LENGTH: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanContext:
    """Which span of which trace: what a child, a link or a row needs to know of it.

    `flags` are the W3C trace flags as they came. They decide nothing here: task and attempt spans
    are recorded whether the caller sampled or not.
    """

    trace_id: int
    span_id: int
    flags: int = FLAG_SAMPLED | FLAG_RANDOM
    trace_state: str = ""

    def __post_init__(self) -> None:
        if not (0 < self.trace_id < 1 << 128 and 0 < self.span_id < 1 << 64):
            message = f"trace id must be of 1..2^128-1 and span id of 1..2^64-1, got {self.trace_id:x} and {self.span_id:x}"  # noqa: E501
            raise ValueError(message)

    @property
    def trace_id_hex(self) -> str:
        """The trace id as 32 hex digits."""
        return f"{self.trace_id:032x}"

    @property
    def span_id_hex(self) -> str:
        """The span id as 16 hex digits."""
        return f"{self.span_id:016x}"

    @property
    def is_sampled(self) -> bool:
        """Whether the caller said that it records."""
        return bool(self.flags & FLAG_SAMPLED)

    @property
    def traceparent(self) -> str:
        """The header value, in version 00, with the flags that version 00 knows."""
        flags = self.flags & (FLAG_SAMPLED | FLAG_RANDOM)
        return f"00-{self.trace_id_hex}-{self.span_id_hex}-{flags:02x}"

    def child(self, span_id: int) -> "SpanContext":
        """The context of another span of the same trace, which is recorded."""
        return replace(self, span_id=span_id, flags=self.flags | FLAG_SAMPLED)

    @classmethod
    def from_hex(cls, trace_id: str, span_id: str, *, trace_state: str = "") -> "SpanContext":
        """The context whose ids stand in a row as 32 and 16 hex digits."""
        return cls(trace_id=int(trace_id, 16), span_id=int(span_id, 16), trace_state=trace_state)

    @classmethod
    def new(cls) -> "SpanContext":
        """The first span of a new trace."""
        return cls(trace_id=new_trace_id(), span_id=new_span_id())


def new_trace_id() -> int:
    """A random trace id, never zero."""
    return secrets.randbits(128) or 1


def new_span_id() -> int:
    """A random span id, never zero."""
    return secrets.randbits(64) or 1


def derived_span_id(span_id: int, label: str) -> int:
    """The span id of a marker: the same for all who know its span and its label; never zero."""
    digest = hashlib.sha256(span_id.to_bytes(8) + label.encode()).digest()
    return int.from_bytes(digest[:8]) or 1


def parse_traceparent(traceparent: str | None, tracestate: str | None = None) -> SpanContext | None:
    """The context in the headers of a request; None where there is none, or a malformed one.

    A malformed tracestate is dropped and does not invalidate the traceparent.
    """
    match = _TRACEPARENT.fullmatch((traceparent or "").strip(" \t"))
    if match is None or match["version"] == "ff" or (match["version"] == "00" and match["rest"]):
        return None
    trace_id, span_id = int(match["trace_id"], 16), int(match["span_id"], 16)
    if not trace_id or not span_id:
        return None
    return SpanContext(
        trace_id=trace_id,
        span_id=span_id,
        flags=int(match["flags"], 16),
        trace_state=parse_tracestate(tracestate),
    )


def parse_tracestate(tracestate: str | None) -> str:
    """The tracestate in its shortest form; "" where it is malformed or empty.

    Kept are at most 512 characters of whole members, the first ones (the most recent).
    """
    members = [member.strip(" \t") for member in (tracestate or "").split(",")]
    members = [member for member in members if member]
    matches = [_STATE_MEMBER.fullmatch(member) for member in members]
    keys = {match[1] for match in matches if match}
    if len(keys) != len(members) or len(members) > _STATE_MEMBERS:
        return ""
    while members and len(",".join(members)) > _STATE_LENGTH:
        members.pop()
    return ",".join(members)
