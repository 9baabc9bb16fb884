"""A grammar: the qualifiers that filters of one kind of rows may have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.domain.query import attempt_qualifiers, qualifiers
from app.domain.query.qualifiers import Kind, Qualifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """What a filter may ask of rows of one kind.

    Attributes:
        rows: What they are, `tasks` or `attempts`.
        qualifiers: By their own names, in the order in which they are shown.
        names: Every name that may stand before a colon.
        flags: What `is:` takes, with what it means.
        bare: The qualifier of a word that has none.
    """

    rows: str
    qualifiers: Mapping[str, Qualifier]
    names: Mapping[str, Qualifier]
    flags: Mapping[str, str]
    bare: Qualifier


def _grammar(
    rows: str, known: Sequence[Qualifier], flags: Mapping[str, str], *, bare: str
) -> Grammar:
    names = {name: one for one in known for name in (one.name, *one.aliases)}
    return Grammar(
        rows=rows,
        qualifiers=MappingProxyType({one.name: one for one in known}),
        names=MappingProxyType(names),
        flags=flags,
        bare=names[bare],
    )


TASKS: Final = _grammar("tasks", qualifiers.QUALIFIERS, qualifiers.FLAGS, bare="text")
ATTEMPTS: Final = _grammar(
    "attempts",
    attempt_qualifiers.ATTEMPT_QUALIFIERS,
    attempt_qualifiers.FLAGS,
    bare="error",
)
#: Qualifiers whose numbers are written as durations; a name is of one kind in every grammar.
DURATIONS: Final = frozenset(
    name
    for grammar in (TASKS, ATTEMPTS)
    for name, one in grammar.qualifiers.items()
    if one.kind is Kind.DURATION
)
