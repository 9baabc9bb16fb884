"""Attribute values that every collector and backend accepts: clean, of four types, of bounded size.

A NUL gets through the collector into the labels of its span metrics and makes the Prometheus page a
binary file; a lone surrogate cannot be encoded at all; an integer above 64 bits is no OTLP integer.
Cleaning cannot tell whether a value is somebody's text: keeping texts out is the caller's duty.
"""

import functools
import json
import math
import numbers
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from telemetry.names import EXCEPTION_STACKTRACE

AttributeValue: TypeAlias = str | int | float | bool
Attributes: TypeAlias = Mapping[str, AttributeValue]

#: Bytes of UTF-8 that a string value keeps.
MAX_VALUE_BYTES: Final = 1024
#: Bytes of UTF-8 that a stack trace keeps: its end, where the error is.
MAX_STACKTRACE_BYTES: Final = 8192
#: Bytes of UTF-8 that a name or a key keeps.
MAX_NAME_BYTES: Final = 256

_INT64_MAX: Final = 2**63 - 1
_INT64_MIN: Final = -(2**63)
_REPLACEMENT: Final = "\ufffd"
_ELLIPSIS: Final = "…"
#: Line breaks and tabs mean something in a stack trace; everywhere else they become a space.
_LAYOUT: Final = "\n\t"


def clean_attributes(attributes: Mapping[str, object] | None) -> dict[str, AttributeValue]:
    """Attributes in the order of their keys; those without a key or a value (None) are left out."""
    cleaned = {}
    for key, value in (attributes or {}).items():
        name = _clean_key(key)
        if name and value is not None:
            cleaned[name] = clean_value(value, is_stacktrace=name == EXCEPTION_STACKTRACE)
    return dict(sorted(cleaned.items()))


def clean_value(value: object, *, is_stacktrace: bool = False) -> AttributeValue:
    """A value as str, int, float or bool.

    Integers beyond 64 bits and numbers that are not finite become strings, lists and mappings JSON
    (which is what Jaeger makes of them), anything else the name of its type.
    """
    match value:
        case str():
            return clean_stacktrace(value) if is_stacktrace else clean_text(value)
        case bool():
            return value
        case numbers.Integral():
            return _clean_integer(int(value))
        case numbers.Real():
            real = float(value)
            return real if math.isfinite(real) else str(real)
        case Mapping() | Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return clean_text(json.dumps(_plain(value), ensure_ascii=False))
        case _:
            return f"<{type(value).__name__}>"


@functools.lru_cache(maxsize=1024)
def _clean_key(key: str) -> str:
    """Keys are few and written in code: each is cleaned once."""
    return clean_name(key)


def _clean_integer(number: int) -> int | str:
    if _INT64_MIN <= number <= _INT64_MAX:
        return number
    return str(number) if number.bit_length() <= 512 else f"<integer of {number.bit_length()} bits>"


def clean_name(name: object) -> str:
    """The name of a span, an event or an attribute, on one line."""
    return clean_text(name, max_bytes=MAX_NAME_BYTES) if isinstance(name, str) else ""


def clean_text(value: str, *, max_bytes: int = MAX_VALUE_BYTES) -> str:
    """A string on one line without control characters, cut at its end."""
    if len(value) * 4 <= max_bytes and value.isprintable():
        return str.__str__(value)
    head = value[: max_bytes + 1]
    cleaned = "".join(" " if char in _LAYOUT or char == "\r" else _safe(char) for char in head)
    encoded = cleaned.encode()
    if len(encoded) <= max_bytes and len(value) == len(head):
        return cleaned
    kept = encoded[: max_bytes - len(_ELLIPSIS.encode())]
    return kept.decode(errors="ignore") + _ELLIPSIS


def clean_stacktrace(value: str) -> str:
    """A stack trace: its line breaks stay, other control characters go; cut at its beginning."""
    tail = value[-MAX_STACKTRACE_BYTES - 1 :]
    cleaned = "".join(char if char in _LAYOUT else _safe(char) for char in tail)
    encoded = cleaned.encode()
    if len(encoded) <= MAX_STACKTRACE_BYTES and len(value) == len(tail):
        return cleaned
    kept = encoded[len(_ELLIPSIS.encode()) - MAX_STACKTRACE_BYTES :]
    return _ELLIPSIS + kept.decode(errors="ignore")


def _safe(char: str) -> str:
    """The character, or U+FFFD for a control character (Cc) or a lone surrogate (Cs)."""
    return _REPLACEMENT if unicodedata.category(char) in {"Cc", "Cs"} else char


def _plain(value: object) -> object:
    """What JSON can hold: the same cleaning, one level down."""
    match value:
        case Mapping():
            return {clean_name(str(key)): _plain(item) for key, item in value.items()}
        case str():
            return clean_text(value)
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return [_plain(item) for item in value]
        case None:
            return None
        case _:
            return clean_value(value)
