"""Filters at random, as values."""

from typing import Final

from hypothesis import strategies as st

from app.domain.query import amounts
from app.domain.query.grammar import TASKS, Grammar
from app.domain.query.qualifiers import Kind, Qualifier
from app.domain.query.query import Query, Term
from app.domain.query.value import Ago, At, Glob, Missing, Moment, Range, Value, Window, Word

_SAFE: Final = st.characters(blacklist_categories=("Cs", "Cc"))
_SPECIAL: Final = st.sampled_from('*",:\\ -<>=.\u3000中文')
_TEXTS: Final = st.text(st.one_of(_SAFE, _SPECIAL), min_size=1, max_size=8)
_PARTS: Final = st.text(st.one_of(_SAFE, _SPECIAL), max_size=4)
_NUMBERS: Final = st.integers(0, amounts.MAX_NUMBER)
_MOMENTS: Final[st.SearchStrategy[Moment]] = st.one_of(
    st.integers(0, 32_503_679_999_999_999).map(lambda us: At(us=us)),
    st.integers(0, amounts.MAX_NUMBER).map(lambda ms: Ago(ms=ms)),
)


def _globs() -> st.SearchStrategy[Value]:
    middle = st.lists(_PARTS.filter(bool), max_size=2)
    return st.builds(
        lambda first, rest, last: Glob(parts=(first, *rest, last)), _PARTS, middle, _PARTS
    )


@st.composite
def _ranges(draw: st.DrawFn) -> Range:
    low, high = sorted((draw(_NUMBERS), draw(_NUMBERS)))
    is_open = draw(st.booleans())
    match draw(st.sampled_from(("low", "high", "both"))):
        case "low":
            return Range(low=low, is_low_open=is_open)
        case "high":
            return Range(high=high, is_high_open=is_open)
        case _:
            return Range(low=low, high=high)


@st.composite
def _windows(draw: st.DrawFn) -> Window:
    low, high = draw(_MOMENTS), draw(_MOMENTS)
    is_open = draw(st.booleans())
    match draw(st.sampled_from(("low", "high", "both"))):
        case "low":
            return Window(low=low, is_low_open=is_open)
        case "high":
            return Window(high=high, is_high_open=is_open)
        case _:
            both = Window(low=low, high=high, is_high_open=True)
            swapped = Window(low=high, high=low, is_high_open=True)
            return swapped if amounts.is_backwards(both) else both


def _values(qualifier: Qualifier) -> st.SearchStrategy[Value]:
    words: st.SearchStrategy[Value] = _TEXTS.map(lambda text: Word(text=text))
    kinds: dict[Kind, st.SearchStrategy[Value]] = {
        Kind.NAME: st.one_of(words, _globs()),
        Kind.CHOICE: st.sampled_from([Word(text=one) for one in qualifier.choices or ("",)]),
        Kind.NUMBER: _ranges(),
        Kind.DURATION: _ranges(),
        Kind.MOMENT: _windows(),
        Kind.SIDE: _MOMENTS,
        Kind.WORDS: words,
        Kind.TRACE: st.text("0123456789abcdef", min_size=32, max_size=32).map(
            lambda text: Word(text=text)
        ),
    }
    found = kinds[qualifier.kind]
    return st.one_of(found, st.just(Missing())) if qualifier.can_miss else found


@st.composite
def queries(draw: st.DrawFn, grammar: Grammar = TASKS) -> Query:
    """A filter of up to five terms."""
    terms = []
    for _ in range(draw(st.integers(0, 5))):
        qualifier = grammar.qualifiers[draw(st.sampled_from(sorted(grammar.qualifiers)))]
        values = draw(st.lists(_values(qualifier), min_size=1, max_size=3))
        negated = draw(st.booleans())
        terms.append(Term(name=qualifier.name, values=tuple(values), is_negated=negated))
    return Query(terms=tuple(terms))
