"""What can be wrong with what is asked of failure groups, in words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.domain.errors import AskedError

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "choice": "{name} must be one of {allowed}, got {got!r}",
        "cursor": "cursor {got!r} was given by no page of this list",
        "missing": "action {action!r} needs the field {name!r}",
        "extra": "action {action!r} takes no field {name!r}",
        "long": "{name} must have at most {most} characters, got {got}",
        "control": "{name} must have no control characters",
    }
)


def fault(*, reason: str, **values: str | int) -> AskedError:
    """The error of this reason."""
    return AskedError(WORDS[reason].format_map(values), reason=reason, values=values)
