"""What can be wrong with a question of what attempts have in common, in words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.domain.errors import AskedError

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "attempt": "{name} must be the number of a task, a dot and the number of its attempt"
        " (12.1), got {got!r}",
        "same": "left and right are the same attempt ({got}): name another one to compare it with",
        "empty": "from must be before to: the window is empty",
        "future": "from is in the future: nothing has ended since",
        "moment": "{name} must be so long ago (24h, 7d), a date (2026-03-01, UTC), a date and a"
        " time with a zone (2026-03-01T14:00Z) or seconds since 1970, got {got!r}",
        "outside": "{name} must lie in the years {first} to {last}, got {got!r}",
        "baseline": "the baseline must begin before the window: baseline is how long it is (7d), or"
        " a moment before from, got {got!r}",
        "outcome": "outcome must be failure or slow, got {got!r}",
        "both": "outcome=slow says which attempts are meant: query must be empty; what narrows both"
        " sides is within",
        "quantile": "quantile must be a number from {least} to {most}, got {got!r}",
        "stray": "quantile is of outcome=slow: leave it out, or ask for outcome=slow",
        "repeat": "is:repeat cannot be asked for: attempts that failed as the same text had before"
        " are left out of both sides (lists have them)",
        "long": "query and within together take {n} bytes in an address; at most {most} are"
        " allowed",
    }
)


def fault(*, reason: str, **values: str | int) -> AskedError:
    """The error of this reason."""
    return AskedError(WORDS[reason].format_map(values), reason=reason, values=values)
