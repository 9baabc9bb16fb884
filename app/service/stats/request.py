"""What statistics are asked for: a window, a filter of what rollups know, a way to tell apart."""

from dataclasses import dataclass, field
from typing import Final

from app.domain.errors import RequestError
from app.domain.query.qualifiers import DIMENSIONS as FILTERS
from app.domain.query.query import Query, beyond_dimensions
from app.domain.sums import DIMENSIONS
from app.domain.window import Window

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


def check(request: StatsRequest) -> None:
    """Raises RequestError where statistics cannot be made for it, with what is allowed."""
    if request.by is not None and request.by not in DIMENSIONS:
        message = f"by {request.by[:40]!r} is none; allowed: {', '.join(DIMENSIONS)}"
        raise RequestError(message)
    beyond = beyond_dimensions(request.query)
    if beyond:
        message = (
            f"statistics are not kept by {beyond[0].name!r}; allowed in the filter of statistics:"
            f" {', '.join(sorted(FILTERS))} (the task list takes every filter)"
        )
        raise RequestError(message)
    start, end = request.window.start, request.window.end
    if start is not None and end is not None and start >= end:
        message = "from must be before to: the window is empty"
        raise RequestError(message)
