"""The filter language of attempts: its own qualifiers, read and written as those of tasks."""

from typing import Any

import pytest
from hypothesis import assume, given

from app.domain import lengths
from app.domain.correlation.dimensions import ROW_DIMENSIONS
from app.domain.errors import QueryError
from app.domain.query.attempt_qualifiers import OUTCOMES
from app.domain.query.grammar import ATTEMPTS, DURATIONS, TASKS
from app.domain.query.parse import MAX_CHARS, parse, parse_with_room
from app.domain.query.qualifiers import Kind
from app.domain.query.query import Query, Term
from app.domain.query.value import Ago, Glob, Missing, Range, Word
from app.store.metadata import COUNTED_OUTCOMES
from tests.support.queries import queries


@given(queries(ATTEMPTS))
def test_filter_parses_to_itself_for_every_filter(query: Query) -> None:
    """The text of every filter of attempts parses to an equal filter."""
    text = str(query)
    assume(len(text) <= MAX_CHARS)
    assert parse(text, ATTEMPTS) == query
    assert str(parse(text, ATTEMPTS)) == text


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("outcome:failure", "outcome", (Word(text="failure"),)),
        ("status:timeout,lost", "outcome", (Word(text="timeout"), Word(text="lost"))),
        ("is:repeat", "is", (Word(text="repeat"),)),
        ("length:500-1999,<100", "length", (Word(text="500-1999"), Word(text="<100"))),
        ('length:">=20000"', "length", (Word(text=">=20000"),)),
        ("hour:07", "hour", (Word(text="07"),)),
        ('lang:"",zh', "language", (Missing(), Word(text="zh"))),
        ("fp:v2:0a1b*", "fingerprint", (Glob(parts=("v2:0a1b", "")),)),
        ("dur:>=250ms", "dur", (Range(low=250),)),
        ("attempt:2", "attempt", (Range(low=2, high=2),)),
        ("task:12", "task", (Range(low=12, high=12),)),
        ("since:2h", "since", (Ago(ms=7_200_000),)),
        ("45000292", "error", (Word(text="45000292"),)),
        ("12:30", "error", (Word(text="12:30"),)),
    ],
)
def test_term_is_read_as_what_it_says(text: str, name: str, values: tuple[Any, ...]) -> None:
    """Each way to write a term has one value, excluded or not."""
    for start, is_negated in (("", False), ("-", True)):
        term = Term(name=name, values=values, is_negated=is_negated)
        assert parse(f"{start}{text}", ATTEMPTS).terms == (term,)


@pytest.mark.parametrize(
    ("text", "position", "reason", "says"),
    [
        ("worker:w1 format:mp3", 10, "unknown_name", "allowed: outcome, is, worker, host"),
        ("hour:7", 5, "not_one_of_near", "did you mean 07?"),
        ("lenght:<100", 0, "unknown_name_near", "did you mean length?"),
        ("outcome:cancelled", 8, "not_one_of", "allowed: completed, failed, timeout, retry, lost"),
        ("is:live", 3, "not_one_of", "allowed: repeat, late"),
        ("length:500", 7, "not_one_of", "allowed: <100, 100-499, 500-1999"),
        ("hour:24", 5, "not_one_of", "allowed: 00, 01, 02"),
        ("source:canary", 7, "not_one_of", "allowed: page, api, legacy, cli, import"),
        ("outcome:", 0, "no_choice", "a value is missing after outcome:; allowed: completed"),
        ("attempt:two", 8, "not_a_number", "attempt must be a whole number"),
        ("dur:5", 4, "not_a_duration", "dur must be a duration of whole milliseconds"),
        ("trace:12", 6, "not_a_trace", "32 hex digits"),
        ("ended:2h", 6, "no_side", "ended:>=2h, ended:<2h or ended:from..to"),
    ],
)
def test_wrong_filter_is_told_where_and_what_is_allowed(
    text: str, position: int, reason: str, says: str
) -> None:
    """What is wrong is told by the qualifiers of attempts, at its place."""
    for reads in (parse, parse_with_room):
        with pytest.raises(QueryError) as caught:
            reads(text, ATTEMPTS)
        assert (caught.value.position, caught.value.reason) == (position, reason)
        assert says in caught.value.message


def test_every_dimension_is_a_filter_that_may_be_empty() -> None:
    """What attempts are told apart by can be asked for, as the values that answers give."""
    for name in ROW_DIMENSIONS:
        qualifier = ATTEMPTS.qualifiers[name]
        if qualifier.kind is Kind.NAME:
            assert parse(f'{name}:""', ATTEMPTS).terms[0].values == (Missing(),)
    for values, name in ((lengths.LABELS, "length"), (OUTCOMES, "outcome")):
        for value in values:
            assert str(parse(f"{name}:{value}", ATTEMPTS)) == f"{name}:{value}"
    assert ", ".join(f"'{outcome}'" for outcome in OUTCOMES) == COUNTED_OUTCOMES


def test_name_is_of_one_kind_in_every_grammar() -> None:
    """So a term writes itself without knowing its grammar."""
    for name in set(TASKS.qualifiers) & set(ATTEMPTS.qualifiers):
        kinds = {grammar.qualifiers[name].kind for grammar in (TASKS, ATTEMPTS)}
        assert len({kind is Kind.DURATION for kind in kinds}) == 1, name
    assert {"dur", "wait", "total"} == DURATIONS


def test_grammars_keep_to_themselves() -> None:
    """Neither takes what only the other has."""
    for text, grammar in (("outcome:failed", TASKS), ("tries:1", ATTEMPTS), ("id:1", ATTEMPTS)):
        with pytest.raises(QueryError):
            parse(text, grammar)
