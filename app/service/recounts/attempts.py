"""Attempts of an hour counted anew, a day against its hours, and their cells mended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.domain.drift import Difference, Key, Values
from app.domain.window import Span
from app.service.recounts import cells, words
from app.store import recount_attempts
from app.store.counted_attempts import PROFILE
from app.store.database import Connection
from app.store.recount_attempts import gone_id

#: The table of the cube over attempts.
PLACE: Final = "stat_attempt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What rows and cells of an hour say; `rows` are of what is there."""

    span: Span
    rows: Mapping[Key, Values]
    cells: Mapping[Key, Values]

    @property
    def n(self) -> int:
        """How many attempts are there."""
        return sum(values[0] for values in self.rows.values())

    def differences(self) -> list[Difference]:
        """What cells must say and do not.

        What was removed is in no row: it must only be of a profile that is there, and not be below
        zero.
        """
        gone = {
            key: values
            for key, values in cells.removed(self.cells).items()
            if gone_id(_profile(key)) is None
        }
        when = words.period(self.span.grain, self.span.start)
        wanted = {**self.rows, **gone}
        return [
            *cells.in_span(PLACE, self.span, wanted, self.cells),
            *cells.below_zero(PLACE, when, gone),
        ]


def read(conn: Connection, span: Span) -> Read:
    """The attempts that ended in an hour, and the cells that count them."""
    return Read(
        span=span,
        rows=recount_attempts.of_rows(conn, span.start, span.end),
        cells=recount_attempts.of_hour(conn, span),
    )


def of_day(conn: Connection, day: Span) -> tuple[list[Difference], bool]:
    """Cells of a day that are not what its hours add up to; and whether some say nothing."""
    off = recount_attempts.unequal(conn, day.start)
    hours = {key: (of_hours,) for key, of_hours, _ in off}
    of_day = {key: (n,) for key, _, n in off}
    return cells.in_span(PLACE, day, hours, of_day), cells.has_empty(of_day)


def by_profile(conn: Connection, differences: Sequence[Difference]) -> list[Difference]:
    """The same with cells as the table has them; profiles that are not there are made in order."""
    return [
        replace(
            one,
            cell={
                **{name: cell[name] for name in ("grain", "start", "archived")},
                "profile_id": _profile_id(conn, cell),
            },
        )
        for one in sorted(differences, key=lambda one: one.name)
        if (cell := one.cell) is not None
    ]


def _profile_id(conn: Connection, cell: Mapping[str, Any]) -> int:
    """The profile of a cell, made where it is not there."""
    found = gone_id(cell) or recount_attempts.profile_id(conn, cell)
    return recount_attempts.make_profile(conn, cell) if found is None else found


def _profile(key: Key) -> Mapping[str, Any]:
    return dict(zip(PROFILE, key[1:], strict=True))
