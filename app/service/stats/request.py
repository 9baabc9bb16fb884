"""What statistics are asked for: a window, a filter of what rollups know, a way to tell apart."""

from dataclasses import dataclass, field
from typing import Final

from app.domain.query.amounts import FIRST_YEAR, LAST_YEAR, OutsideError, TooLongError, moment
from app.domain.query.faults import fault
from app.domain.query.parse import parse_with_room
from app.domain.query.qualifiers import DIMENSIONS as FILTERS
from app.domain.query.query import Query, beyond_dimensions
from app.domain.query.value import Moment, at_us
from app.domain.sums import DIMENSIONS
from app.domain.window import Window
from app.service.stats import faults

#: Grains of a series, and the most points that one has.
MAX_POINTS: Final = 2500


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsRequest:
    """Which tasks, and how they are told apart.

    Attributes:
        window: When they ended; one that reaches now has those that wait or run, too.
        query: Only tasks that fit; of status, engine, voice, language, worker, host and release.
        by: A dimension by whose values they are told apart; None: all together.
        is_exact: Whether percentiles are those of the rows, not within 1 %.
    """

    window: Window = field(default_factory=Window)
    query: Query = field(default_factory=Query)
    by: str | None = None
    is_exact: bool = False

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that filter or tell apart, in one order."""
        named = {term.name for term in self.query.terms} | ({self.by} if self.by else set())
        return tuple(name for name in DIMENSIONS if name in named)

    @property
    def is_of_totals(self) -> bool:
        """Whether what is kept of all time without dimensions answers it."""
        return self.window.is_all and not self.dimensions


def check(request: StatsRequest) -> None:
    """Raises AskedError where statistics cannot be made for it, with what is allowed."""
    if request.by is not None and request.by not in DIMENSIONS:
        raise faults.fault(reason="by", got=request.by[:40], allowed=", ".join(DIMENSIONS))
    for term in beyond_dimensions(request.query):
        raise fault(term.place, "not_kept", name=term.name, allowed=", ".join(sorted(FILTERS)))
    start, end = request.window.start, request.window.end
    if start is not None and end is not None and start >= end:
        raise faults.fault(reason="empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asks for; moments may be so long ago, whenever that is.

    Attributes:
        start, end: The window; None: no bound. An end that is not over yet reaches now.
    """

    start: Moment | None = None
    end: Moment | None = None
    query: Query = field(default_factory=Query)
    by: str | None = None
    is_exact: bool = False

    @property
    def is_of_totals(self) -> bool:
        """As `StatsRequest.is_of_totals`, whatever the moment."""
        return self.start is None and self.end is None and self.at(0).is_of_totals

    def at(self, now: int) -> StatsRequest:
        """What is asked for, where it is `now`.

        Raises:
            RequestError: It asks for what is not kept.
        """
        start = None if self.start is None else at_us(self.start, now)
        end = None if self.end is None else at_us(self.end, now)
        if start is not None and start > now:
            raise faults.fault(reason="future")
        request = StatsRequest(
            window=Window(start=start, end=None if end is None or end > now else end),
            query=self.query,
            by=self.by,
            is_exact=self.is_exact,
        )
        check(request)
        return request


def asked(
    start: str = "", end: str = "", query: str = "", by: str = "", *, is_exact: bool = False
) -> Asked:
    """What texts ask for; an empty one says nothing.

    Raises:
        AskedError: One of them is wrong; `QueryError`, with the place, for the filter.
    """
    return Asked(
        start=moment_of("from", start),
        end=moment_of("to", end),
        query=parse_with_room(query),
        by=by or None,
        is_exact=is_exact,
    )


def moment_of(name: str, text: str) -> Moment | None:
    """A moment, as filters write them; None for no text."""
    if not text.strip():
        return None
    try:
        return moment(text.strip())
    except (OutsideError, TooLongError) as error:
        raise faults.fault(
            reason="outside", name=name, first=FIRST_YEAR, last=LAST_YEAR, got=text[:40]
        ) from error
    except ValueError as error:
        raise faults.fault(reason="moment", name=name, got=text[:40]) from error
