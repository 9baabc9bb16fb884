"""Drift: where a counter says something else than a recount of the rows, and what is told of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

#: A cell's key, and its sums in the order of their columns.
Key: TypeAlias = tuple[Any, ...]
Values: TypeAlias = tuple[int, ...]

#: The place of what is only noted: all numbers are right, and the ledger of retention has less.
LEDGER: Final = "archive"
#: The place of what cannot be mended, and was accepted by a person.
ACCEPTED: Final = "accepted"
#: Characters that a name may have.
NAME_MAX: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One number that is not what it must be.

    Attributes:
        start: The hour that it is of; None: of none alone.
        place: The table that says it.
        name: What it is, in words: `hour 2026-11-25T13:00Z completed tone/v1/en/w1/h1/1.0 run_ms`.
        expected: What it must be.
        got: What it is.
    """

    start: int | None
    place: str
    name: str
    expected: int
    got: int

    @property
    def is_note(self) -> bool:
        """Whether it is told only: every number is right in spite of it, or may be as it is."""
        return self.place in {LEDGER, ACCEPTED}

    @property
    def label(self) -> str:
        """What it is called where it is accepted."""
        return f"{self.place}: {self.name}"[:NAME_MAX]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What one check speaks of: all drift in it is replaced by what the check finds.

    Attributes:
        start: All that is told of this hour.
        parts: Else what is told of no hour alone: tables, and how the names begin;
        names: where it is not None, only these;
        but: these not.
    """

    start: int | None = None
    parts: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] | None = None
    but: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A cell of counters that is not what it must be.

    Attributes:
        place: Its table.
        name: Its key in words.
        columns: The names of its sums; `expected` and `got` are in their order.
        cell: The columns of its key, for who mends it; None: it cannot be counted anew.
    """

    place: str
    name: str
    columns: tuple[str, ...]
    expected: Values
    got: Values
    cell: Mapping[str, Any] | None = None

    @property
    def delta(self) -> dict[str, int]:
        """What must be added to each sum.

        Rows and counters change together, so their difference stays what it is while others write.
        """
        sums = zip(self.columns, self.expected, self.got, strict=True)
        return {column: expected - got for column, expected, got in sums}

    def drifts(self, start: int | None) -> list[Drift]:
        """One for each sum that differs."""
        sums = zip(self.columns, self.expected, self.got, strict=True)
        return [
            Drift(
                start=start,
                place=self.place,
                name=f"{self.name[: NAME_MAX - len(column) - 1]} {column}",
                expected=expected,
                got=got,
            )
            for column, expected, got in sums
            if expected != got
        ]


def compare(
    place: str,
    columns: tuple[str, ...],
    *,
    expected: Mapping[Key, Values],
    got: Mapping[Key, Values],
    words: Callable[[Key], str],
    cell: Callable[[Key], Mapping[str, Any] | None],
) -> list[Difference]:
    """The cells that differ, in the order of their keys; one that is not there is one of zeros.

    Args:
        place: The table of the counters.
        columns: The names of the sums.
        expected: What they must be.
        got: What they are.
        words: A key in words.
        cell: The columns of a key; None where the cell cannot be counted anew.
    """
    nothing = (0,) * len(columns)
    wrong = [
        key
        for key in expected.keys() | got.keys()
        if expected.get(key, nothing) != got.get(key, nothing)
    ]
    return [
        Difference(
            place=place,
            name=words(key),
            columns=columns,
            expected=expected.get(key, nothing),
            got=got.get(key, nothing),
            cell=cell(key),
        )
        for key in sorted(wrong)
    ]
