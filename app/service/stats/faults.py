"""What can be wrong with what is asked of the statistics, in words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.domain.errors import AskedError

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "by": "by {got!r} is none; allowed: {allowed}",
        "empty": "from must be before to: the window is empty",
        "future": "from is in the future: nothing has ended since",
        "moment": "{name} must be so long ago (24h, 7d), a date (2026-03-01, UTC), a date and a"
        " time with a zone (2026-03-01T14:00Z) or seconds since 1970, got {got!r}",
        "outside": "{name} must lie in the years {first} to {last}, got {got!r}",
        "points": "the series would have {n} points; at most {most} are allowed: take a shorter"
        " window, or {advice}",
        "walk": "exact percentiles would walk over more than {most} rows; take a shorter window,"
        " leave out `by`, or take those of the histogram (within 1 %)",
    }
)


def fault(*, reason: str, **values: str | int) -> AskedError:
    """The error of this reason."""
    return AskedError(WORDS[reason].format_map(values), reason=reason, values=values)
