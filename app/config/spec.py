"""A setting as a value: its name, how it is read, and what is told of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One setting.

    Attributes:
        name: Environment variable.
        field: Field of `Settings`.
        parse: Text to value; raises ValueError saying what is allowed.
        default: Value as text; None: unset, or made at the start (`default_words` says how).
        allowed: The allowed range in words.
        is_secret: Its value is never shown.
    """

    name: str
    field: str
    parse: Callable[[str], Any]
    default: str | None
    unit: str
    allowed: str
    help: str
    default_words: str | None = None
    is_secret: bool = False
