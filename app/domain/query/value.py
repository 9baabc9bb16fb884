"""Values of a filter's terms: words, patterns, "has none", ranges of numbers, windows of time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Exactly this text; of `text:` and `error:`, a part of it, in either case."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Glob:
    """A pattern: these parts in this order, anything between them; two parts at least.

    `zh*` has the parts `zh` and an empty one.
    """

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """There is no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """A moment, in microseconds since the epoch."""

    us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ago:
    """A moment so many milliseconds before whenever the filter is used."""

    ms: int


Moment = At | Ago


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers, or milliseconds, from `low` to `high`; None: no bound. An open one is left out."""

    low: int | None = None
    high: int | None = None
    is_low_open: bool = False
    is_high_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Moments from `low` to `high`; None: no bound. An open one is left out."""

    low: Moment | None = None
    high: Moment | None = None
    is_low_open: bool = False
    is_high_open: bool = False


Value = Word | Glob | Missing | At | Ago | Range | Window


def at_us(moment: Moment, now_us: int) -> int:
    """The moment in microseconds since the epoch, where it is now `now_us`; never before 1970."""
    match moment:
        case At():
            return moment.us
        case Ago():
            return max(0, now_us - moment.ms * 1000)
