r"""A filter's text parsed: `status:failed engine:espeak -voice:zh* dur:>60s since:2h "two words"`.

Terms are `[-]qualifier:value[,value…]`, separated by white space; all must hold. A comma is "or", a
minus excludes, `*` in a name is anything, `""` is "has none", quotes keep a value together (in
them `\` takes the special sense from `"` and `\`). A word without a qualifier is `text:`. Which
qualifiers there are, and what a bare word is, a grammar says: that of tasks, or of attempts.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from app.domain.errors import QueryError
from app.domain.query import amounts
from app.domain.query.faults import Place, fault
from app.domain.query.grammar import TASKS, Grammar
from app.domain.query.qualifiers import Kind, Qualifier
from app.domain.query.query import Query, Term
from app.domain.query.tokens import RawTerm, RawValue, terms_of
from app.domain.query.value import Glob, Missing, Range, Value, Word

#: Longest filter, in characters, as it is typed.
MAX_CHARS: Final = 1000
#: And in bytes as it is quoted in an address, where a Chinese character takes 9: with a cursor
#: beside it such an address is one that a web server takes.
MAX_QUOTED_BYTES: Final = 7600
#: Terms of a filter at most.
MAX_TERMS: Final = 50
#: What is written by `str`, with a window and a group beside it, may have more: it can be opened.
MAX_WRITTEN_BYTES: Final = 7900
MAX_WRITTEN_TERMS: Final = 60
#: Bytes of a filter that leaves room for a window and a group.
MAX_BYTES_WITH_ROOM: Final = 6000
_TRACE: Final = re.compile(r"[0-9a-f]{32}")


def parse(text: str, grammar: Grammar = TASKS) -> Query:
    """The filter that a text says; the empty text holds for every row.

    `str` of the result parses to an equal filter, though it may be longer than one that is typed.

    Raises:
        QueryError: It is wrong: says what, where (position and length, in characters), and what is
            allowed.
    """
    if len(text) > MAX_CHARS:
        return _written_by_us(text, grammar, _too_long(text))
    if _quoted_bytes(text) > MAX_WRITTEN_BYTES:
        _check_quoted(text, text, MAX_QUOTED_BYTES)
    query = _query(text, grammar)
    if str(query) != text.strip():
        _check_terms(query)
        _check_quoted(text, text, MAX_QUOTED_BYTES)
        _check_quoted(str(query), text, MAX_QUOTED_BYTES)
    return query


def parse_with_room(text: str, grammar: Grammar = TASKS) -> Query:
    """The filter, with room for a window and a group: what is written with them parses, too.

    Raises:
        QueryError: As `parse`.
    """
    query = parse(text, grammar)
    _check_terms(query)
    _check_quoted(str(query), text, MAX_BYTES_WITH_ROOM)
    return query


def _written_by_us(text: str, grammar: Grammar, wrong: QueryError) -> Query:
    """A text that is too long to be typed: what `str` wrote, or it is wrong."""
    if _quoted_bytes(text) > MAX_WRITTEN_BYTES:
        raise wrong
    try:
        query = _query(text, grammar)
    except QueryError:
        raise wrong from None
    if str(query) != text:
        raise wrong
    return query


def _query(text: str, grammar: Grammar) -> Query:
    raw = terms_of(text)
    if len(raw) > MAX_WRITTEN_TERMS:
        raise _too_many(raw[MAX_TERMS].place, len(raw))
    return Query(terms=tuple(_term(one, grammar) for one in raw))


def _check_terms(query: Query) -> None:
    if len(query.terms) > MAX_TERMS:
        raise _too_many(query.terms[MAX_TERMS].place, len(query.terms))


def _check_quoted(written: str, given: str, most: int) -> None:
    count = _quoted_bytes(written)
    if count > most:
        raise fault(Place(0, len(given)), "too_long_quoted", n=count, most=most)


def _quoted_bytes(text: str) -> int:
    return len(quote(text, safe="", errors="replace"))


def _too_long(text: str) -> QueryError:
    return fault(Place(0, len(text)), "too_long", n=len(text), most=MAX_CHARS)


def _too_many(place: Place, count: int) -> QueryError:
    return fault(place, "too_many", n=count, most=MAX_TERMS)


def _term(raw: RawTerm, grammar: Grammar) -> Term:
    qualifier = grammar.bare if raw.name is None else _qualifier(raw.name, raw, grammar)
    values = tuple(_value(qualifier, value) for value in raw.values)
    return Term(name=qualifier.name, values=values, is_negated=raw.is_negated, place=raw.place)


def _qualifier(name: str, raw: RawTerm, grammar: Grammar) -> Qualifier:
    known = grammar.names.get(name.lower())
    if known is not None:
        return known
    place = Place(raw.place.position + int(raw.is_negated), len(name))
    guess = _near(name.lower(), grammar.names)
    if guess is None:
        raise fault(place, "unknown_name", name=name, allowed=", ".join(grammar.qualifiers))
    raise fault(place, "unknown_name_near", name=name, guess=guess)


def _near(word: str, allowed: Iterable[str]) -> str | None:
    if f"0{word}" in allowed:  # an hour: all that end with its digit are as near
        return f"0{word}"
    return next(iter(difflib.get_close_matches(word, list(allowed), n=1, cutoff=0.6)), None)


def _value(qualifier: Qualifier, raw: RawValue) -> Value:
    if raw.is_quoted and raw.text == "":
        if qualifier.can_miss:
            return Missing()
        if qualifier.kind in {Kind.NAME, Kind.WORDS}:
            raise fault(raw.place, "never_missing", name=qualifier.name)
    return _READERS[qualifier.kind](qualifier, raw)


def _plain(qualifier: Qualifier, raw: RawValue) -> str:
    if len(raw.parts) > 1:
        raise fault(raw.place, "no_glob", name=qualifier.name)
    return raw.text


def _check_is_there(qualifier: Qualifier, raw: RawValue) -> None:
    if raw.is_missing:
        reason = "no_value_or_none" if qualifier.can_miss else "no_value"
        raise fault(raw.place, reason, name=qualifier.name)


def _words(qualifier: Qualifier, raw: RawValue) -> Word:
    _check_is_there(qualifier, raw)
    return Word(text=_plain(qualifier, raw))


def _name(qualifier: Qualifier, raw: RawValue) -> Value:
    _check_is_there(qualifier, raw)
    if len(raw.parts) == 1:
        return Word(text=raw.text)
    middle = tuple(part for part in raw.parts[1:-1] if part)  # ** is *
    return Glob(parts=(raw.parts[0], *middle, raw.parts[-1]))


def _choice(qualifier: Qualifier, raw: RawValue) -> Word:
    word = raw.text.lower()
    allowed = ", ".join(qualifier.choices)
    if raw.is_missing:
        raise fault(raw.place, "no_choice", name=qualifier.name, allowed=allowed)
    if word in qualifier.choices:
        return Word(text=word)
    guess = _near(word, qualifier.choices)
    reason = "not_one_of" if guess is None else "not_one_of_near"
    values = {"name": qualifier.name, "value": raw.text, "allowed": allowed}
    raise fault(raw.place, reason, **values, guess=guess or "")


def _amount(qualifier: Qualifier, raw: RawValue) -> Range:
    is_number = qualifier.kind is Kind.NUMBER
    try:
        found = amounts.range_of(raw.text, amounts.number if is_number else amounts.duration_ms)
    except amounts.TooLongError:
        raise _beyond(qualifier, raw) from None
    except ValueError:
        reason = "not_a_number" if is_number else "not_a_duration"
        raise fault(raw.place, reason, name=qualifier.name, value=raw.text) from None
    if amounts.is_backwards(found):
        raise fault(raw.place, "backwards", value=raw.text)
    return found


def _beyond(qualifier: Qualifier, raw: RawValue) -> QueryError:
    most = amounts.written_duration(amounts.MAX_WHOLE_DAYS_MS)
    return fault(raw.place, "beyond", name=qualifier.name, value=raw.text, most=most)


def _moment(qualifier: Qualifier, raw: RawValue) -> Value:
    try:
        if qualifier.kind is Kind.SIDE:
            return amounts.moment(raw.text)
        found = amounts.window_of(raw.text)
    except amounts.NoZoneError as error:
        raise fault(raw.place, "no_zone", value=str(error)) from None
    except amounts.TooLongError:
        raise _beyond(qualifier, raw) from None
    except amounts.OutsideError:
        years = {"first": amounts.FIRST_YEAR, "last": amounts.LAST_YEAR}
        raise fault(raw.place, "outside", name=qualifier.name, value=raw.text, **years) from None
    except ValueError:
        raise fault(raw.place, "not_a_moment", name=qualifier.name, value=raw.text) from None
    if found is None:
        value = raw.text.replace(" ", "T")  # as it needs no quotes
        raise fault(raw.place, "no_side", name=qualifier.name, value=value)
    if amounts.is_backwards(found):
        raise fault(raw.place, "backwards", value=raw.text)
    return found


def _trace(_qualifier: Qualifier, raw: RawValue) -> Word:
    text = raw.text.lower()
    if not _TRACE.fullmatch(text):
        raise fault(raw.place, "not_a_trace", value=raw.text)
    return Word(text=text)


_READERS: Final[Mapping[Kind, Callable[[Qualifier, RawValue], Value]]] = MappingProxyType(
    {
        Kind.NAME: _name,
        Kind.CHOICE: _choice,
        Kind.WORDS: _words,
        Kind.NUMBER: _amount,
        Kind.DURATION: _amount,
        Kind.MOMENT: _moment,
        Kind.SIDE: _moment,
        Kind.TRACE: _trace,
    }
)
