"""The way to a page of attempts: by their ends, all, failed or of a group, or few rows by a key.

There is one order, that of their ends. No index begins with a worker or an engine: each would be
paid for by every attempt, and its rows are found soon enough among those that ended last.
"""

from typing import Any, Final

from app.domain.query.attempt_qualifiers import FAILURE, OUTCOMES
from app.domain.query.query import Query, Term
from app.domain.query.value import Range, Word
from app.domain.task import FAILED_OUTCOMES
from app.store.counted_attempts import COUNTED, FAILED, GROUPED
from app.store.lists.arms import Arm, Path, rest_of, span_by
from app.store.lists.attempts import ATTEMPT_ROWS, BY_END
from app.store.lists.columns import ATTEMPT
from app.store.lists.paths import MAX_ARMS
from app.store.lists.spans import Span
from app.store.lists.terms import Asking

_TABLE: Final = ATTEMPT_ROWS.table
_FAILURES: Final = frozenset(FAILED_OUTCOMES)


def path_of(query: Query, asking: Asking) -> Path:
    """The way to the attempts of a filter, in the order of their ends."""
    short = next((term for term in query.terms if _names_rows(term)), None)
    if short is not None:
        return _short(query, short, asking)
    span, times = span_by(query, ("ended", "since", "until"), asking)
    group = next((term for term in query.terms if _names_groups(term)), None)
    if group is None:
        return _by_end(query, span, times)
    arms = tuple(
        Arm(
            table=_TABLE,
            index="ix_task_attempt_fingerprint",
            where=(GROUPED, COUNTED, ATTEMPT["fingerprint"] == word),
            key=BY_END,
            span=span,
        )
        for word in dict.fromkeys(_words(group))
    )
    return Path(arms=arms, rest=rest_of(query, (*times, group)), rows=ATTEMPT_ROWS)


def _by_end(query: Query, span: Span, times: list[Term]) -> Path:
    """All that ended, or what failed, where the filter asks for failures alone."""
    failed = [term for term in query.terms if term.name == "outcome" and _fails(term)]
    index, where = ("failed", FAILED) if failed else ("ended", COUNTED)
    answered = [*times, *(term for term in failed if _fails(term) == _FAILURES)]
    arm = Arm(table=_TABLE, index=f"ix_task_attempt_{index}", where=(where,), key=BY_END, span=span)
    return Path(arms=(arm,), rest=rest_of(query, answered), rows=ATTEMPT_ROWS)


def _fails(term: Term) -> frozenset[str]:
    """The outcomes that a term asks for, if all of them are failures; else none."""
    words = frozenset(_words(term))
    asked = (words - {FAILURE}) | (_FAILURES if FAILURE in words else frozenset())
    if term.is_negated:
        asked = frozenset(OUTCOMES) - asked
    return asked if asked <= _FAILURES else frozenset()


def _short(query: Query, term: Term, asking: Asking) -> Path:
    """Attempts of a few tasks: they are sorted, not walked."""
    where: tuple[Any, ...] = (ATTEMPT_ROWS.condition(term, asking), COUNTED)
    # + 0: no index gives this order, so no planner walks one in vain
    key = tuple(column + 0 for column in BY_END)
    arm = Arm(table=_TABLE, index=None, where=where, key=key)
    return Path(arms=(arm,), rest=rest_of(query, (term,)), is_short=True, rows=ATTEMPT_ROWS)


def _names_rows(term: Term) -> bool:
    """Whether a term names tasks, by their keys."""
    if term.is_negated:
        return False
    if term.name == "trace":
        return True
    return term.name == "task" and all(
        isinstance(one, Range) and one.low is not None and one.low == one.high
        for one in term.values
    )


def _names_groups(term: Term) -> bool:
    """Whether a term names groups of failures, few enough to walk each."""
    words = _words(term)
    is_plain = not term.is_negated and len(words) == len(term.values)
    return term.name == "fingerprint" and is_plain and len(set(words)) <= MAX_ARMS


def _words(term: Term) -> list[str]:
    return [one.text for one in term.values if isinstance(one, Word)]
