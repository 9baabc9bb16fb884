"""Which of the cube's attempts a filter means: those of its profiles for which all terms hold."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.dimensions import DIMENSIONS
from app.domain.query.attempt_qualifiers import FAILURE, OUTCOMES
from app.domain.query.match import name_matches
from app.domain.query.query import Query, Term
from app.domain.query.value import Word
from app.service.correlate.profiles import Coded

Truths = NDArray[np.bool_]

_COMPLETED: Final = Word(text=OUTCOMES[0])
#: A profile knows whether its attempts failed, not in which of the ways.
_KNOWN_OUTCOMES: Final = (_COMPLETED, Word(text=FAILURE))


def is_of_profiles(query: Query) -> bool:
    """Whether profiles tell for which attempts a filter holds; else their rows must be asked."""
    return all(_is_known(term) for term in query.terms)


def _is_known(term: Term) -> bool:
    if term.name == "outcome":
        return all(value in _KNOWN_OUTCOMES for value in term.values)
    return term.name in DIMENSIONS or term.name == "fingerprint"


def holds(query: Query, coded: Coded) -> Truths:
    """For which lines a filter holds, of which `is_of_profiles` says that profiles tell it."""
    found = np.ones(len(coded.codes), np.bool_)
    for term in query.terms:
        found &= _outcome(term, coded) if term.name == "outcome" else _named(term, coded)
    return found


def _outcome(term: Term, coded: Coded) -> Truths:
    is_failure = np.array([bool(text) for text in coded.texts[-1]], np.bool_)
    has_failed: Truths = is_failure[coded.codes[:, -1]]
    found = np.zeros(len(has_failed), np.bool_)
    for value in term.values:
        found |= ~has_failed if value == _COMPLETED else has_failed
    return found ^ term.is_negated


def _named(term: Term, coded: Coded) -> Truths:
    place = DIMENSIONS.index(term.name) if term.name in DIMENSIONS else len(DIMENSIONS)
    fits = np.array([name_matches(term, text) for text in coded.texts[place]], np.bool_)
    result: Truths = fits[coded.codes[:, place]]
    return result
