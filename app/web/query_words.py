"""What pages say of a filter: its qualifiers, its terms as chips, and what is wrong with it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from markupsafe import Markup

from app.domain.errors import AskedError, QueryError
from app.domain.query.grammar import ATTEMPTS, TASKS, Grammar
from app.domain.query.query import Query, Term
from app.web.words import Words

#: What the words of a grammar's qualifiers and flags begin with.
WORDS_OF: Final[Mapping[str, str]] = MappingProxyType(
    {TASKS.rows: "filter", ATTEMPTS.rows: "filter.attempts"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong; of a filter: what is before the wrong place, the place, and what follows."""

    says: Markup
    before: str = ""
    wrong: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A term as a chip; `rest` is the filter without it."""

    name: str
    value: str
    is_negated: bool
    term: str
    rest: str


def fault_of(error: AskedError, text: str, t: Words, page: str) -> Fault:
    """What a page shows of what cannot be asked for.

    Args:
        error: Of a filter, or of another part of the address.
        text: The filter.
        t: The words of the language.
        page: Whose words (`<page>.fault`) are of the other parts.
    """
    if not isinstance(error, QueryError):
        return Fault(says=t(f"{page}.fault.{error.reason}", **error.values))
    end = error.position + max(1, error.length)
    return Fault(
        before=text[: error.position],
        wrong=text[error.position : end],
        after=text[end:],
        says=t(f"filter.fault.{error.reason}", **error.values),
    )


def chips_of(query: Query) -> list[Chip]:
    """The terms of a filter, each with the filter that is left without it."""
    return [_chip(query, term) for term in query.terms]


def _chip(query: Query, term: Term) -> Chip:
    rest = Query(terms=tuple(one for one in query.terms if one is not term))
    written = str(term).removeprefix("-")
    name, _, value = written.partition(":")
    return Chip(name=name, value=value, is_negated=term.is_negated, term=str(term), rest=str(rest))


def suggestions(known: Mapping[str, Sequence[str]], t: Words, grammar: Grammar = TASKS) -> str:
    """The qualifiers as JSON for the script that suggests them: name, what it is, its values.

    Args:
        known: Values that are known now, by qualifier.
        t: The words of the page.
        grammar: Whose qualifiers.
    """
    words = WORDS_OF[grammar.rows]
    found = []
    for one in grammar.qualifiers.values():
        values = [*(one.choices or known.get(one.name, ())), *(('""',) if one.can_miss else ())]
        says = str(t(f"{words}.says.{one.name}"))
        found.append({"name": one.name, "says": says, "values": values})
    flags = {name: str(t(f"{words}.flag.{name}")) for name in grammar.flags}
    return json.dumps({"filters": found, "flags": flags}, ensure_ascii=False)
