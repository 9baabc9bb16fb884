"""Exceptions on spans: their class and frames always, their message only where it is safe.

The message of a foreign exception may quote the very text that was being spoken
(`int("…")`, a KeyError); so it is told only of classes whose messages are known to hold none.
"""

import traceback
from collections.abc import Iterator
from typing import Final

from telemetry.names import EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE
from telemetry.values import AttributeValue

#: Exceptions followed from one to its cause.
_MAX_CHAIN: Final = 5
_CAUSED: Final = "\nThe above exception led to the following one:\n\n"


def type_name(error: BaseException) -> str:
    """The class of an exception with its module, as `exception.type` wants it."""
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def error_type(error: BaseException) -> str:
    """The value of `error.type`: what the exception itself says, else its class."""
    own = getattr(error, "error_type", None)
    return own if isinstance(own, str) else type_name(error)


def describe(error: BaseException, own_errors: tuple[type[BaseException], ...]) -> str:
    """The description of status ERROR: class, and message where it is safe."""
    if isinstance(error, own_errors):
        return f"{type(error).__qualname__}: {error}"
    return type_name(error)


def exception_attributes(
    error: BaseException, own_errors: tuple[type[BaseException], ...]
) -> dict[str, AttributeValue]:
    """Attributes of an `exception` event."""
    attributes: dict[str, AttributeValue] = {
        EXCEPTION_TYPE: type_name(error),
        EXCEPTION_STACKTRACE: stacktrace(error),
    }
    if isinstance(error, own_errors):
        attributes[EXCEPTION_MESSAGE] = str(error)
    return attributes


def stacktrace(error: BaseException) -> str:
    """Frames of an exception and of what led to it, the last last; classes, no messages."""
    return _CAUSED.join(reversed([_frames(link) for link in _chain(error)]))


def _frames(error: BaseException) -> str:
    lines = traceback.format_tb(error.__traceback__)
    return "".join(["Traceback (most recent call last):\n", *lines, type_name(error), "\n"])


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(seen) < _MAX_CHAIN:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
