"""Byte ranges of one request (RFC 9110, section 14): one range, or the whole."""

import re
from dataclasses import dataclass
from typing import Final, Literal

_RANGE: Final = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def size_bytes(self) -> int:
        """How many bytes."""
        return self.last - self.first + 1


def parse_range(header: str | None, size_bytes: int) -> Span | Literal["unsatisfiable"] | None:
    """The range that a header asks for, within the size.

    Returns:
        None where the whole is to be sent: no header, another unit, several ranges, or a malformed
        one (the RFC lets a server ignore them). "unsatisfiable" where it lies beyond the end: 416.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or (not match[1] and not match[2]):
        return None
    if not match[1]:
        wanted = int(match[2])
        if wanted == 0 or size_bytes == 0:
            return "unsatisfiable"
        return Span(first=max(0, size_bytes - wanted), last=size_bytes - 1)
    first = int(match[1])
    if match[2] and int(match[2]) < first:
        return None
    if first >= size_bytes:
        return "unsatisfiable"
    last = min(int(match[2]), size_bytes - 1) if match[2] else size_bytes - 1
    return Span(first=first, last=last)


def applies(if_range: str | None, etag: str) -> bool:
    """Whether a range may be sent: no If-Range, or the strong ETag that it names is ours."""
    return if_range is None or if_range.strip() == f'"{etag}"'
