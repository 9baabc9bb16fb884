"""Windows of time, cut into whole days, whole hours and ragged ends."""

from dataclasses import dataclass
from typing import Final, Literal

#: Microseconds of an hour and of a day; both begin where UTC's do.
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 86_400_000_000
#: Later than every moment.
EVER_US: Final = 2**62

Grain = Literal["hour", "day"]
GRAIN_US: Final[dict[Grain, int]] = {"hour": HOUR_US, "day": DAY_US}


def floor_to(at_us: int, step_us: int) -> int:
    """The last multiple of a step that is not after a moment."""
    return at_us - at_us % step_us


def ceil_to(at_us: int, step_us: int) -> int:
    """The first multiple of a step that is not before a moment."""
    return at_us + -at_us % step_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Hours or days that begin at or after `start` and before `end`."""

    grain: Grain
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """A window in pieces that touch: whole hours and days, and the ragged ends (start, end)."""

    spans: tuple[Span, ...]
    ragged: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Moments from `start` on and before `end`, in microseconds since the epoch.

    Attributes:
        start: None: from the beginning.
        end: None: it reaches now, and what waits or runs belongs to it.
    """

    start: int | None = None
    end: int | None = None

    @property
    def is_all(self) -> bool:
        """Whether it is all time."""
        return self.start is None and self.end is None

    def reach(self, now: int) -> tuple[int, int]:
        """Its two moments, the second one the end of the present hour where it reaches now."""
        end = floor_to(now, HOUR_US) + HOUR_US if self.end is None else self.end
        return min(self.start or 0, end), end

    def pieces(self, now: int) -> Pieces:
        """Its pieces, where it is `now`."""
        return cut(*self.reach(now))


def cut(start: int, end: int) -> Pieces:
    """The moments from `start` to before `end` in as few whole days and hours as there are."""
    first, last = ceil_to(start, HOUR_US), floor_to(end, HOUR_US)
    if first >= last:
        return Pieces(spans=(), ragged=((start, end),) if start < end else ())
    ragged = tuple(pair for pair in ((start, first), (last, end)) if pair[0] < pair[1])
    first_day, last_day = ceil_to(first, DAY_US), floor_to(last, DAY_US)
    if first_day >= last_day:
        return Pieces(spans=(Span(grain="hour", start=first, end=last),), ragged=ragged)
    spans = (
        Span(grain="hour", start=first, end=first_day),
        Span(grain="day", start=first_day, end=last_day),
        Span(grain="hour", start=last_day, end=last),
    )
    return Pieces(spans=tuple(span for span in spans if span.start < span.end), ragged=ragged)
