"""The qualifiers of a filter: what each is called, what values it takes, and what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from app.domain.audio import FORMATS
from app.domain.task import Status


class Kind(Enum):
    """What values a qualifier takes."""

    NAME = "names, with * for anything"
    CHOICE = "one of a few words"
    NUMBER = "whole numbers"
    DURATION = "durations"
    MOMENT = "moments"
    SIDE = "one moment"
    WORDS = "a part of a text"
    TRACE = "a trace id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualifier:
    """What stands before the colon.

    Attributes:
        choices: All words that it takes; empty: any.
        can_miss: Whether a task may have no such value, so that `""` makes sense.
    """

    name: str
    kind: Kind
    says: str
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    can_miss: bool = False


#: What `is:` takes, with what it means.
FLAGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "live": "waits or runs",
        "ended": "has a final status",
        "late": "passed its deadline, whatever became of it",
        "rescued": "was taken from a dead worker, or from a killed child",
        "retried": "had an error and was tried again, or used up its tries",
        "retry": "was made by a retry of another task",
        "followed": "was followed by more submissions of the same content",
    }
)
#: Where a listed task may have come from: a canary is in no list.
SOURCES: Final = ("page", "api", "legacy", "cli", "import")

#: In the order in which they are shown.
QUALIFIERS: Final = (
    Qualifier(name="status", kind=Kind.CHOICE, choices=tuple(Status), says="where it stands"),
    Qualifier(name="is", kind=Kind.CHOICE, choices=tuple(FLAGS), says="what is true of it"),
    Qualifier(name="engine", kind=Kind.NAME, says="the speech engine"),
    Qualifier(name="voice", kind=Kind.NAME, says="the voice that was asked for"),
    Qualifier(
        name="language",
        kind=Kind.NAME,
        aliases=("lang",),
        can_miss=True,
        says="the language that was found in the text",
    ),
    Qualifier(name="worker", kind=Kind.NAME, can_miss=True, says="the worker of its last attempt"),
    Qualifier(name="host", kind=Kind.NAME, can_miss=True, says="the host of that worker"),
    Qualifier(name="release", kind=Kind.NAME, can_miss=True, says="the release of that worker"),
    Qualifier(name="format", kind=Kind.CHOICE, choices=tuple(FORMATS), says="the audio format"),
    Qualifier(name="source", kind=Kind.CHOICE, choices=SOURCES, says="where it came from"),
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
    Qualifier(name="attempts", kind=Kind.NUMBER, says="how often it was started"),
    Qualifier(
        name="retries",
        kind=Kind.NUMBER,
        says="attempts after the first, those after a wait for capacity aside",
    ),
    Qualifier(name="tries", kind=Kind.NUMBER, says="attempts that ended with an error"),
    Qualifier(name="lost", kind=Kind.NUMBER, says="attempts whose worker or child was lost"),
    Qualifier(
        name="capacity", kind=Kind.NUMBER, says="how often it waited for an engine's capacity"
    ),
    Qualifier(
        name="dur",
        kind=Kind.DURATION,
        aliases=("run", "duration"),
        says="how long it ran, all attempts; only of a task that has ended",
    ),
    Qualifier(
        name="wait", kind=Kind.DURATION, says="how long it waited; only of a task that has ended"
    ),
    Qualifier(
        name="total",
        kind=Kind.DURATION,
        says="from its submission to its end; only of a task that has ended",
    ),
    Qualifier(name="since", kind=Kind.SIDE, says="submitted at or after this moment"),
    Qualifier(name="until", kind=Kind.SIDE, says="submitted before this moment"),
    Qualifier(name="submitted", kind=Kind.MOMENT, says="when it was submitted"),
    Qualifier(
        name="ended",
        kind=Kind.MOMENT,
        says="when it ended; a task that waits or runs ends after every moment",
    ),
    Qualifier(name="text", kind=Kind.WORDS, says="a part of its title or text"),
    Qualifier(
        name="error", kind=Kind.WORDS, can_miss=True, says="a part of its error's type or message"
    ),
    Qualifier(name="id", kind=Kind.NUMBER, says="its number"),
    Qualifier(name="trace", kind=Kind.TRACE, says="its trace"),
)
#: What the rollups of the statistics know of a task.
DIMENSIONS: Final = frozenset(
    {"status", "engine", "voice", "worker", "host", "language", "release"}
)
