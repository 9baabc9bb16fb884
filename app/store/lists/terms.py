"""The terms of a filter as conditions on a row, whatever the rows are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, false, func, not_, or_

from app.domain.query.grammar import Grammar
from app.domain.query.qualifiers import Kind
from app.domain.query.query import Term
from app.domain.query.value import Glob, Missing, Value, Word
from app.store.lists import contains
from app.store.lists.spans import span_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks: the dialect of the database, and the moment that "so long ago" counts from."""

    dialect: str
    now_us: int


#: What the alternatives of a term ask of a row, together.
Reader = Callable[[Sequence[Value], Asking], ColumnElement[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows that a list is of, and what of them a filter looks at.

    Attributes:
        table: Where they are.
        grammar: What a filter may ask of them.
        columns: The columns, or expressions, that qualifiers look at.
        readers: Qualifiers that ask for more than a column does.
        has_blanks: Whether a name that is missing is an empty text, too.
    """

    table: str
    grammar: Grammar
    columns: Mapping[str, ColumnElement[Any]]
    readers: Mapping[str, Reader]
    has_blanks: bool = False

    def condition(self, term: Term, asking: Asking) -> ColumnElement[bool]:
        """What a term asks of a row: true or false of each, never unknown where it is negated."""
        reads = self.readers.get(term.name)
        if reads is None:
            look = _LOOKS[self.grammar.qualifiers[term.name].kind]
            holds = or_(*(look(self, term.name, value, asking) for value in term.values))
        else:
            holds = reads(term.values, asking)
        return not_(func.coalesce(holds, false())) if term.is_negated else holds


def word_of(value: Value) -> str:
    """The text of a word.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, Word):
        raise TypeError(value)
    return value.text


def one_of(choices: Mapping[str, ColumnElement[bool]]) -> Reader:
    """What reads a qualifier of which each word is a condition of its own."""
    return lambda values, _asking: or_(*(choices[word_of(value)] for value in values))


def error_of(error_type: ColumnElement[Any], message: ColumnElement[Any]) -> Reader:
    """What reads a part of an error: its type and its message are one text of two lines."""
    error = error_type.concat("\n").concat(func.coalesce(message, ""))

    def reads(values: Sequence[Value], asking: Asking) -> ColumnElement[bool]:
        return or_(
            *(
                error_type.is_(None)
                if isinstance(value, Missing)
                else contains.contains(error, word_of(value), asking.dialect)
                for value in values
            )
        )

    return reads


def _name(rows: Rows, name: str, value: Value, asking: Asking) -> ColumnElement[bool]:
    column = rows.columns[name]
    match value:
        case Word():
            return column == value.text
        case Glob():
            fits = contains.glob(column, value.parts, asking.dialect)
            return and_(column != "", fits) if rows.has_blanks else fits
        case Missing():
            is_null = column.is_(None)
            return or_(is_null, column == "") if rows.has_blanks else is_null
        case _:
            raise TypeError(value)


def _choice(rows: Rows, name: str, value: Value, _asking: Asking) -> ColumnElement[bool]:
    return rows.columns[name] == word_of(value)


def _within(rows: Rows, name: str, value: Value, asking: Asking) -> ColumnElement[bool]:
    span = span_of(name, value, asking.now_us)
    column = rows.columns[name]
    parts = [] if span.low is None else [column >= span.low]
    return and_(*parts, *([] if span.high is None else [column < span.high]))


_LOOKS: Final[Mapping[Kind, Callable[[Rows, str, Value, Asking], ColumnElement[bool]]]] = (
    MappingProxyType(
        {
            Kind.NAME: _name,
            Kind.CHOICE: _choice,
            Kind.NUMBER: _within,
            Kind.DURATION: _within,
            Kind.MOMENT: _within,
            Kind.SIDE: _within,
            Kind.TRACE: _name,
        }
    )
)
