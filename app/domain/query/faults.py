"""What can be wrong with a filter, in words, with the place of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from app.domain.errors import QueryError


class Place(NamedTuple):
    """Where something stands in a filter: characters from 0."""

    position: int
    length: int


#: Longest word of a filter that an error repeats.
_SHOWN: Final = 40
#: What was wrong, what was got, what is allowed.
WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "too_long": "it has {n} characters; at most {most} are allowed",
        "too_long_quoted": (
            "in an address it takes {n} bytes, a Chinese character 9; at most {most} are allowed"
        ),
        "too_many": "it has {n} terms; at most {most} are allowed",
        "control": "{code} is not a character of any text; remove it",
        "open_quote": 'the quote is not closed; add a " (inside quotes, \\" is a quote)',
        "lone_minus": "- must stand right before what it excludes; a dash in a text needs quotes",
        "two_minus": (
            "no filter begins with two dashes, got {value!r}; one dash excludes, and a text that "
            "begins with a dash needs quotes"
        ),
        "no_value": "a value is missing after {name}:",
        "no_value_or_none": 'a value is missing after {name}:; nothing at all is {name}:""',
        "no_choice": "a value is missing after {name}:; allowed: {allowed}",
        "unknown_name": "{name!r} is no filter; allowed: {allowed}; words with a colon need quotes",
        "unknown_name_near": (
            "{name!r} is no filter; did you mean {guess}? words with a colon need quotes"
        ),
        "not_one_of": "{name} cannot be {value!r}; allowed: {allowed}",
        "not_one_of_near": "{name} cannot be {value!r}; did you mean {guess}? allowed: {allowed}",
        "never_missing": "every task has a value of {name}; look for one of them",
        "no_glob": "{name} takes no *; put quotes around one that is meant",
        "not_a_number": (
            "{name} must be a whole number up to 10^15 such as 3, >=3 or 1..5, got {value!r}"
        ),
        "not_a_duration": (
            "{name} must be a duration of whole milliseconds such as >60s, <1h30m or 10s..2m "
            "(ms, s, m, h, d, w), got {value!r}"
        ),
        "beyond": "{name} can be {most} at most, got {value!r}",
        "outside": "{name} must lie in the years {first} to {last}, got {value!r}",
        "not_a_moment": (
            "{name} must be so long ago (2h, 7d), a date (2026-03-01, UTC), a date and a time with "
            "a zone (2026-03-01T14:00Z) or seconds since 1970, got {value!r}"
        ),
        "no_zone": "{value!r} needs a zone: Z for UTC, or such as +08:00",
        "no_side": (
            "{name} must say on which side of the moment: {name}:>={value}, {name}:<{value} or "
            "{name}:from..to"
        ),
        "not_kept": (
            "statistics are not kept by {name}; allowed in them: {allowed}"
            " (lists take every filter)"
        ),
        "backwards": "the range {value} ends before it begins",
        "not_a_trace": "trace must be the 32 hex digits of a trace id, got {value!r}",
    }
)


def fault(place: Place, reason: str, **values: str | int) -> QueryError:
    """The error for `reason` (a key of `WORDS`) at a place; values are cut to what can be shown."""
    shown = {
        name: value[:_SHOWN] if isinstance(value, str) and name in {"name", "value"} else value
        for name, value in values.items()
    }
    said = WORDS[reason].format(**shown)
    return QueryError(
        f"the filter is wrong at character {place.position + 1}: {said}",
        position=place.position,
        length=place.length,
        reason=reason,
        values=shown,
    )
