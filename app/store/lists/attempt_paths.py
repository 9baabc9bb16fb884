"""The way to a page of attempts: the index of their ends, or of a group's, or few rows by a key.

There is one order, that of their ends. No index begins with a worker or an engine: each would be
paid for by every attempt, and its rows are found soon enough among those that ended last.
"""

from typing import Any, Final

from app.domain.query.query import Query, Term
from app.domain.query.value import Range, Word
from app.store.lists.arms import Arm, Path, rest_of, span_by
from app.store.lists.attempts import ATTEMPT_ROWS, BY_END, COUNTED, GROUPED
from app.store.lists.columns import ATTEMPT
from app.store.lists.paths import MAX_ARMS
from app.store.lists.terms import Asking

_TABLE: Final = ATTEMPT_ROWS.table


def path_of(query: Query, asking: Asking) -> Path:
    """The way to the attempts of a filter, in the order of their ends."""
    short = next((term for term in query.terms if _names_rows(term)), None)
    if short is not None:
        return _short(query, short, asking)
    span, times = span_by(query, ("ended", "since", "until"), asking)
    group = next((term for term in query.terms if _names_groups(term)), None)
    if group is None:
        arm = Arm(
            table=_TABLE, index="ix_task_attempt_ended", where=(COUNTED,), key=BY_END, span=span
        )
        return Path(arms=(arm,), rest=rest_of(query, times), rows=ATTEMPT_ROWS)
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
