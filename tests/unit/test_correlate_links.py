"""Addresses of lists of attempts: whatever the values are, the filter says the very same again."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import lengths
from app.domain.correlation.dimensions import DIMENSIONS, HOUR
from app.domain.query.attempt_qualifiers import HOURS
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.parse import parse
from app.domain.query.qualifiers import SOURCES
from app.domain.query.query import Query, both, named, within
from app.service.correlate import links

_NAMES = tuple(name for name in DIMENSIONS if name not in {"length", "source"})
_START, _END = 1_772_323_200_123_456, 1_772_326_800_000_000
#: Texts that a filter may say: no control characters, no lone surrogates.
_TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=30)
_WHERE = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(_NAMES, _TEXTS)
    | {
        "length": st.sampled_from(lengths.LABELS),
        "source": st.sampled_from(SOURCES),
        HOUR: st.sampled_from(HOURS),
    },
)


def _query(url: str) -> Query:
    split = urlsplit(url)
    assert split.path == "/attempts"
    [text] = parse_qs(split.query, keep_blank_values=True)["q"]
    return parse(text, ATTEMPTS)


@given(where=_WHERE)
def test_predicate_in_an_address_parses_back_to_itself(where: dict[str, str]) -> None:
    """Any values, with spaces, colons, stars, quotes or none at all, are named exactly."""
    url = links.attempts_url(start=_START, end=_END, where=where)
    assert _query(url).terms == (
        *(named(name, value) for name, value in where.items()),
        named("is", "repeat", is_negated=True),
        within("ended", _START, _END),
    )


@pytest.mark.parametrize(
    "value",
    ["a b", "x:y", "*", "a*b", "", '"', "\\", "-x", "a,b", "..", ">1", "两 个", "a\tb", "a&b=c#d"],
)
def test_odd_value_is_named_exactly(value: str) -> None:
    """What has a meaning of its own in filters and addresses stands in quotes."""
    url = links.attempts_url(start=_START, end=_END, where={"voice": value})
    assert named("voice", value) in _query(url).terms


def test_list_is_of_the_selection_the_group_and_the_window() -> None:
    """Each condition is said once; repeats are left out unless they are asked for."""
    failed = Query(terms=(named("outcome", "failure"),))
    terms = both(Query(terms=(named("engine", "volc"),)), failed)
    url = links.attempts_url(
        start=_START,
        end=_END,
        terms=both(terms, failed),
        where={"worker": "w3", "engine": "volc"},
        fingerprint="v2:0123456789abcdef",
        with_repeats=True,
    )
    assert str(_query(url)) == (
        "engine:volc outcome:failure worker:w3 fingerprint:v2:0123456789abcdef"
        " ended:2026-03-01T00:00:00.123456Z..2026-03-01T01:00:00Z"
    )


def test_lists_of_predicates_share_what_they_have_in_common() -> None:
    """Each is as if it had been written alone, whatever the terms say already."""
    terms = Query(terms=(named("engine", "volc"), named("is", "repeat", is_negated=True)))
    lists = links.Lists(start=_START, end=_END, terms=terms)
    for where in ({}, {"engine": "volc"}, {"engine": "a b"}, {"voice": "&", "worker": ""}):
        alone = links.attempts_url(start=_START, end=_END, terms=terms, where=where)
        assert lists.url(where) == alone
        own = [named(name, value) for name, value in where.items()]
        wanted = dict.fromkeys((*terms.terms, *own, within("ended", _START, _END)))
        assert _query(alone).terms == tuple(wanted)


def test_addresses_of_questions_and_attempts() -> None:
    """Empty parameters are left out; an attempt is named by its task and its number."""
    assert links.correlate_url({}) == "/correlate"
    url = links.correlate_url({"from": "2026-03-01", "to": "", "query": 'voice:"a b"'})
    assert parse_qs(urlsplit(url).query) == {"from": ["2026-03-01"], "query": ['voice:"a b"']}
    assert links.compare_url((12, 1), (9, 2)) == "/correlate/compare?left=12.1&right=9.2"
    assert links.attempt_url(12, 2) == "/tasks/12?tab=attempts#attempt-2"
