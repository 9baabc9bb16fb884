"""Whether a name fits a term: for values that are looked at one by one, not by a database."""

import re

from app.domain.query.query import Term
from app.domain.query.value import Glob, Missing, Value, Word


def name_matches(term: Term, name: str | None) -> bool:
    """Whether a task with this name (None or empty: it has none) is what the term asks for."""
    return any(_fits(value, name or None) for value in term.values) != term.is_negated


def _fits(value: Value, name: str | None) -> bool:
    match value:
        case Missing():
            return name is None
        case Word():
            return name == value.text
        case Glob():
            pattern = ".*".join(re.escape(part) for part in value.parts)
            return name is not None and re.fullmatch(pattern, name, re.DOTALL) is not None
        case _:
            message = f"{value!r} is no name"
            raise TypeError(message)
