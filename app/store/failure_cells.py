"""Cells of the cube in which something failed: profiles, moments and numbers, as arrays.

They cross from the database as texts of numbers, as those of all attempts do (`packed.py`).
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from app.domain.window import HOUR_US, Span
from app.store.packed import DIALECTS, Integers, joined, numbers

# SQLite would walk through all hours, by the primary key, for each profile
_BY_PROFILE: Final = {"sqlite": "INDEXED BY ix_stat_attempt_profile", "postgresql": ""}


def _columns(dialect: str) -> str:
    told = ("a.profile_id", f"a.start / {HOUR_US}", "a.n")
    return ", ".join(joined(dialect, column) for column in told)


# CROSS JOIN: SQLite keeps the order of the tables
_OF_SPAN: Final = {
    dialect: text(
        f"SELECT {_columns(dialect)} FROM stat_attempt AS a"  # noqa: S608 - of this module
        " CROSS JOIN stat_profile AS p"
        " WHERE a.grain = :grain AND a.start >= :start AND a.start < :end"
        " AND p.id = a.profile_id AND p.failure <> ''"
    )
    for dialect in DIALECTS
}
_OF_ONE: Final = {
    dialect: text(
        f"SELECT {_columns(dialect)} FROM stat_profile AS p"  # noqa: S608 - the same
        f" CROSS JOIN stat_attempt AS a {_BY_PROFILE[dialect]}"
        " WHERE p.failure <> '' AND p.failure = :fingerprint AND a.profile_id = p.id"
        " AND a.grain = :grain AND a.start >= :start AND a.start < :end"
    )
    for dialect in DIALECTS
}
_LAST_HOUR: Final = {
    dialect: text(
        f"SELECT max((SELECT max(a.start) FROM stat_attempt AS a {index}"  # noqa: S608 - of this module
        " WHERE a.profile_id = p.id AND a.grain = 'hour')) FROM stat_profile AS p"
        " WHERE p.failure <> '' AND p.failure = :fingerprint"
    )
    for dialect, index in _BY_PROFILE.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Failures by profile and hour or day; a profile may come several times.

    Attributes:
        ids: Of profiles.
        starts: When the hour or day of each begins, in microseconds.
        n: Failures.
    """

    ids: Integers
    starts: Integers
    n: Integers

    def within(self, start: int, end: int) -> "Cells":
        """Those that begin at a moment or later, and before another."""
        kept = (self.starts >= start) & (self.starts < end)
        return Cells(ids=self.ids[kept], starts=self.starts[kept], n=self.n[kept])


def of_span(conn: Connection, span: Span) -> Cells:
    """Failures of some hours or days, removed ones too.

    Reads every cell of the span (primary key), and the profile of each.
    """
    return _cells(conn.execute(_OF_SPAN[conn.dialect.name], asdict(span)).one())


def of_one(conn: Connection, fingerprint: str, span: Span) -> Cells:
    """Failures of one fingerprint (indexes ix_stat_profile_failure, ix_stat_attempt_profile)."""
    values = {"fingerprint": fingerprint, **asdict(span)}
    return _cells(conn.execute(_OF_ONE[conn.dialect.name], values).one())


def last_hour(conn: Connection, fingerprint: str) -> int | None:
    """The last hour in which something failed so, removed or not; None: nothing ever did.

    Index ix_stat_profile_failure, then one entry of ix_stat_attempt_profile for each profile.
    """
    values = {"fingerprint": fingerprint}
    found = conn.execute(_LAST_HOUR[conn.dialect.name], values).scalar_one()
    return None if found is None else int(found)


def _cells(row: Row[Any]) -> Cells:
    ids, hours, n = map(numbers, row)
    return Cells(ids=ids, starts=hours * HOUR_US, n=n)
