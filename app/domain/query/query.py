"""A filter as a value: terms that must all hold, and its text, which parses back to it."""

import re
from dataclasses import dataclass, field
from typing import Final, assert_never

from typing_extensions import override

from app.domain.query import amounts
from app.domain.query.faults import Place
from app.domain.query.grammar import DURATIONS
from app.domain.query.qualifiers import DIMENSIONS
from app.domain.query.value import Ago, At, Glob, Missing, Range, Value, Window, Word

_NEEDS_QUOTES: Final = re.compile(r'[\s",*]')
_NOWHERE: Final = Place(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One condition: the qualifier `name` has one of `values`, or, negated, none of them.

    A negated term holds for exactly those rows for which it would not hold without its minus: a
    row that has no such value too.

    Attributes:
        name: A qualifier of the grammar that the filter is of.
        values: One at least.
        place: Where it stands in the text that it was parsed from; not part of what it is.
    """

    name: str
    values: tuple[Value, ...]
    is_negated: bool = False
    place: Place = field(default=_NOWHERE, compare=False)

    @override
    def __str__(self) -> str:
        values = ",".join(_written(self.name, value) for value in self.values)
        return f"{'-' if self.is_negated else ''}{self.name}:{values}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A filter; without terms it holds for every row."""

    terms: tuple[Term, ...] = ()

    @override
    def __str__(self) -> str:
        return " ".join(str(term) for term in self.terms)

    def __bool__(self) -> bool:
        return bool(self.terms)


def beyond_dimensions(query: Query) -> tuple[Term, ...]:
    """The terms that ask for more than the rollups of the statistics know; empty: none does."""
    return tuple(term for term in query.terms if term.name not in DIMENSIONS)


def both(one: Query, other: Query) -> Query:
    """The filter that holds where both hold."""
    return Query(terms=one.terms + other.terms)


def named(name: str, *texts: str, is_negated: bool = False) -> Term:
    """A term of exact names; an empty text is "has none"."""
    values = tuple(Word(text=text) if text else Missing() for text in texts)
    return Term(name=name, values=values, is_negated=is_negated)


def within(name: str, start_us: int, end_us: int | None = None) -> Term:
    """A term of moments: from `start_us`, before `end_us` (None: no end)."""
    end = None if end_us is None else At(us=end_us)
    window = Window(low=At(us=start_us), high=end, is_high_open=end is not None)
    return Term(name=name, values=(window,))


def _written(name: str, value: Value) -> str:
    match value:
        case Word():
            return _word(value.text)
        case Glob():
            return "*".join(_word(part) if part else "" for part in value.parts)
        case Missing():
            return '""'
        case At() | Ago():
            return amounts.written_moment(value)
        case Range():
            is_duration = name in DURATIONS
            return amounts.written_range(value, amounts.written_duration if is_duration else str)
        case Window():
            return amounts.written_window(value)
        case _:
            assert_never(value)


def _word(text: str) -> str:
    if text and not _NEEDS_QUOTES.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
