"""The qualifiers of a filter of attempts: what each is called, what it takes, what it means."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.domain import lengths
from app.domain.query.qualifiers import SOURCES, Kind, Qualifier
from app.domain.task import FAILED_OUTCOMES

#: How attempts end that count: a cancelled one, one that was handed back and one that waited for
#: capacity say nothing of a fault.
OUTCOMES: Final = ("completed", *FAILED_OUTCOMES)
#: The word for every outcome but `completed`.
FAILURE: Final = "failure"
#: Hours of the day, UTC.
HOURS: Final = tuple(f"{hour:02}" for hour in range(24))
#: What `is:` takes, with what it means.
FLAGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "repeat": "failed as an earlier attempt of the same text had",
        "late": "passed its deadline",
    }
)

#: In the order in which they are shown. Every name may be missing, as every dimension may be empty.
ATTEMPT_QUALIFIERS: Final = (
    Qualifier(
        name="outcome",
        kind=Kind.CHOICE,
        aliases=("status",),
        choices=(*OUTCOMES, FAILURE),
        says=f"how it ended; `{FAILURE}` is any but completed",
    ),
    Qualifier(name="is", kind=Kind.CHOICE, choices=tuple(FLAGS), says="what is true of it"),
    Qualifier(name="worker", kind=Kind.NAME, can_miss=True, says="the worker that ran it"),
    Qualifier(name="host", kind=Kind.NAME, can_miss=True, says="the host of that worker"),
    Qualifier(name="engine", kind=Kind.NAME, can_miss=True, says="the speech engine"),
    Qualifier(name="voice", kind=Kind.NAME, can_miss=True, says="the voice that was asked for"),
    Qualifier(
        name="language",
        kind=Kind.NAME,
        aliases=("lang",),
        can_miss=True,
        says="the language that was found in the text",
    ),
    Qualifier(name="release", kind=Kind.NAME, can_miss=True, says="the release of that worker"),
    Qualifier(name="length", kind=Kind.CHOICE, choices=lengths.LABELS, says="how long its text is"),
    Qualifier(name="source", kind=Kind.CHOICE, choices=SOURCES, says="where its task came from"),
    Qualifier(
        name="hour", kind=Kind.CHOICE, choices=HOURS, says="the hour of the day (UTC) it ended in"
    ),
    Qualifier(
        name="error-type", kind=Kind.NAME, aliases=("type",), can_miss=True, says="why it failed"
    ),
    Qualifier(
        name="fingerprint",
        kind=Kind.NAME,
        aliases=("fp",),
        can_miss=True,
        says="the group of failures that it is in",
    ),
    Qualifier(name="chars", kind=Kind.NUMBER, says="characters of its text"),
    Qualifier(name="attempt", kind=Kind.NUMBER, says="which attempt of its task it was, from 1"),
    Qualifier(
        name="dur",
        kind=Kind.DURATION,
        aliases=("run", "duration"),
        says="how long it ran, from its claim to its end",
    ),
    Qualifier(name="since", kind=Kind.SIDE, says="ended at or after this moment"),
    Qualifier(name="until", kind=Kind.SIDE, says="ended before this moment"),
    Qualifier(name="ended", kind=Kind.MOMENT, says="when it ended"),
    Qualifier(
        name="error", kind=Kind.WORDS, can_miss=True, says="a part of its error's type or message"
    ),
    Qualifier(name="task", kind=Kind.NUMBER, says="the number of its task"),
    Qualifier(name="trace", kind=Kind.TRACE, says="the trace of its task"),
)
