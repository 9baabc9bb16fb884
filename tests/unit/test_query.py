"""The filter language: what it takes, what it says of a wrong one, and that it reads itself."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.errors import QueryError
from app.domain.query import faults
from app.domain.query.match import name_matches
from app.domain.query.parse import MAX_CHARS, parse, parse_with_room
from app.domain.query.query import Query, Term, beyond_dimensions, both, named, within
from app.domain.query.value import Ago, At, Glob, Missing, Range, Window, Word, at_us
from tests.support.queries import queries

DAY_US = 86_400_000_000
#: 2026-03-01 00:00 UTC.
MARCH_US = 1_772_323_200_000_000


def _one(text: str) -> Term:
    terms = parse(text).terms
    assert len(terms) == 1
    return terms[0]


@given(queries())
def test_filter_parses_to_itself_for_every_filter(query: Query) -> None:
    """The text of every filter parses to an equal filter."""
    text = str(query)
    assume(len(text) <= MAX_CHARS)
    assert parse(text) == query
    assert str(parse(text)) == text


_BITS = st.sampled_from(
    [
        *("status:failed", "-engine:espeak", "voice:zh*", "dur:>60s", "since:2h", 'text:"a b"'),
        *('""', "-", ":", ",", "*", '"', "\\", "ended:", "submitted:", ">=", "<", "2026-03-01"),
        *("T10:00Z", "1795000000", "10s..2m", "is:late", "中文", "status：timeout"),
        *("-dur:", "chars:", "since:", "..", "2999-12-31", "+08:00", "lang:", "error:", "id:"),
        *(" ", "  ", "\u3000", "\n"),
    ]
)


def _parsed(text: str) -> Query | QueryError:
    try:
        return parse(text)
    except QueryError as error:
        return error


@given(st.one_of(st.text(max_size=60), st.lists(_BITS, max_size=9).map("".join)))
def test_any_text_parses_to_itself_or_is_wrong_at_a_place(text: str) -> None:
    """Whatever is typed: a filter that reads itself, or an error that names a place within."""
    found = _parsed(text)
    if isinstance(found, QueryError):
        assert 0 <= found.position < len(text)
        assert 1 <= found.length <= len(text) - found.position
        assert found.reason in faults.WORDS
        assert f"character {found.position + 1}" in found.message
    else:
        assert parse(str(found)) == found
        assert str(parse(str(found))) == str(found)


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("status:failed,timeout", "status", (Word(text="failed"), Word(text="timeout"))),
        ("STATUS:Failed", "status", (Word(text="failed"),)),
        ("status：failed", "status", (Word(text="failed"),)),
        ("fp:v1:9f2c*", "fingerprint", (Glob(parts=("v1:9f2c", "")),)),
        ("voice:*", "voice", (Glob(parts=("", "")),)),
        ("voice:a**b", "voice", (Glob(parts=("a", "b")),)),
        ('voice:"a*b"', "voice", (Word(text="a*b"),)),
        ('voice:"a b"*', "voice", (Glob(parts=("a b", "")),)),
        ('worker:"",w1', "worker", (Missing(), Word(text="w1"))),
        ("attempts:3", "attempts", (Range(low=3, high=3),)),
        ("attempts:=3", "attempts", (Range(low=3, high=3),)),
        ("chars:>8000", "chars", (Range(low=8000, is_low_open=True),)),
        ("chars:1..5", "chars", (Range(low=1, high=5),)),
        ("dur:>=1h30m", "dur", (Range(low=5_400_000),)),
        ("run:<1.5s", "dur", (Range(high=1500, is_high_open=True),)),
        ("wait:..2m", "wait", (Range(high=120_000),)),
        ("since:2h", "since", (Ago(ms=7_200_000),)),
        ("since:2026-03-01", "since", (At(us=MARCH_US),)),
        ("until:2026-03-01T08:00+08:00", "until", (At(us=MARCH_US),)),
        ("until:1772323200.5", "until", (At(us=MARCH_US + 500_000),)),
        (
            "submitted:2026-03-01",
            "submitted",
            (Window(low=At(us=MARCH_US), high=At(us=MARCH_US + DAY_US), is_high_open=True),),
        ),
        (
            "ended:2h..1h",
            "ended",
            (Window(low=Ago(ms=7_200_000), high=Ago(ms=3_600_000), is_high_open=True),),
        ),
        ("ended:>=2026-03-01T00:00:00Z", "ended", (Window(low=At(us=MARCH_US)),)),
        ("ended:<=1h", "ended", (Window(high=Ago(ms=3_600_000)),)),
        ('text:"two words"', "text", (Word(text="two words"),)),
        ('"two \\"quoted\\" \\\\ words"', "text", (Word(text='two "quoted" \\ words'),)),
        ("12:30", "text", (Word(text="12:30"),)),
        ("第一回", "text", (Word(text="第一回"),)),
        ("a,b", "text", (Word(text="a,b"),)),
        ("error:45000292,timeout", "error", (Word(text="45000292"), Word(text="timeout"))),
        ("is:late", "is", (Word(text="late"),)),
        ("trace:" + "Ab" * 16, "trace", (Word(text="ab" * 16),)),
    ],
)
def test_term_is_read_as_what_it_says(text: str, name: str, values: tuple[Any, ...]) -> None:
    """Each way to write a term has one value."""
    assert _one(text) == Term(name=name, values=values)
    assert _one(f"-{text}") == Term(name=name, values=values, is_negated=True)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("  foo   -bar ", "text:foo -text:bar"),
        ("lang:zh", "language:zh"),
        ("dur:>120s", "dur:>2m"),
        ("since:1w", "since:7d"),
        ("dur:>=0ms", "dur:>=0s"),
        ("until:1772323200", "until:2026-03-01"),
        ("until:2026-03-01T08:00:00.5+08:00", "until:2026-03-01T00:00:00.500000Z"),
        ("submitted:2026-03-01", "submitted:2026-03-01..2026-03-02"),
        ("ended:2999-12-31", "ended:2999-12-31..3000-01-01"),
        ("chars:5..5", "chars:5"),
        ('status:"failed"', "status:failed"),
    ],
)
def test_filter_is_written_in_one_way(text: str, canonical: str) -> None:
    """The written filter is the same for all ways to say it; so long ago stays so long ago."""
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    ("text", "position", "length", "reason", "says"),
    [
        ("a statu:failed", 2, 5, "unknown_name_near", "did you mean status?"),
        ("-statu:failed", 1, 5, "unknown_name_near", "did you mean status?"),
        ("http://example.org", 0, 4, "unknown_name", "allowed: status, is, engine"),
        ("status:fail", 7, 4, "not_one_of_near", "did you mean failed?"),
        ("status:failed,x", 14, 1, "not_one_of", "allowed: pending, processing"),
        ('engine:""', 7, 2, "never_missing", "every task has a value of engine"),
        ("status:fail*", 7, 5, "not_one_of_near", "did you mean failed?"),
        ("text:foo*", 5, 4, "no_glob", "text takes no *"),
        ("voice:", 0, 6, "no_value", "a value is missing after voice:"),
        ("a -worker:", 2, 8, "no_value_or_none", 'nothing at all is worker:""'),
        ("a voice:x, b", 9, 1, "no_value", "a value is missing after voice:"),
        ("lang:,zh", 0, 5, "no_value_or_none", 'nothing at all is language:""'),
        ("text:", 0, 5, "no_value", "a value is missing after text:"),
        ("status:", 0, 7, "no_choice", "missing after status:; allowed: pending, processing"),
        ("status:failed,", 13, 1, "no_choice", "missing after status:; allowed: pending"),
        ('is:""', 3, 2, "not_one_of", "is cannot be ''; allowed: live, ended"),
        ('dur:""', 4, 2, "not_a_duration", "dur must be a duration"),
        ("chars:,5", 0, 6, "not_a_number", "chars must be a whole number"),
        ("a since:", 2, 6, "not_a_moment", "since must be so long ago"),
        ("foo: voice:", 0, 3, "unknown_name", "allowed: status, is"),
        ("chars:>", 6, 1, "not_a_number", "got '>'"),
        ("-chars:>=", 7, 2, "not_a_number", "got '>='"),
        ("dur:<", 4, 1, "not_a_duration", "dur must be a duration"),
        ("dur:..", 4, 2, "not_a_duration", "got '..'"),
        ("-dur:1s,>", 8, 1, "not_a_duration", "got '>'"),
        ("submitted:>", 10, 1, "not_a_moment", "submitted must be"),
        ("ended:<=", 6, 2, "not_a_moment", "ended must be"),
        ("until:2026-03-01T10:00:00.1234567Z", 6, 28, "not_a_moment", "until must be"),
        ('text:"two words', 5, 10, "open_quote", "the quote is not closed"),
        ("a - b", 2, 1, "lone_minus", "- must stand right before"),
        ("chars:>many", 6, 5, "not_a_number", "chars must be a whole number"),
        ("chars:-3", 6, 2, "not_a_number", "got '-3'"),
        ("dur:60", 4, 2, "not_a_duration", "dur must be a duration"),
        ("dur:>0.0005s", 4, 8, "not_a_duration", "whole milliseconds"),
        ("since:yesterday", 6, 9, "not_a_moment", "since must be so long ago"),
        ("since:2", 6, 1, "not_a_moment", "so long ago (2h, 7d)"),
        ("since:2026-02-30", 6, 10, "not_a_moment", "got '2026-02-30'"),
        ("ended:>9999-01-01", 6, 11, "outside", "ended must lie"),
        ("since:2026-03-01T10:00", 6, 16, "no_zone", "needs a zone: Z for UTC"),
        ("ended:2h", 6, 2, "no_side", "ended:>=2h, ended:<2h"),
        ('ended:"2026-03-01 10:00Z"', 6, 19, "no_side", "ended:>=2026-03-01T10:00Z, ended:<"),
        ("chars:5..1", 6, 4, "backwards", "ends before it begins"),
        ("ended:1h..2h", 6, 6, "backwards", "ends before it begins"),
        ("trace:123", 6, 3, "not_a_trace", "32 hex digits"),
        ("a\0b", 1, 1, "control", "U+0000"),
        ("fp:x " * 100, 250, 4, "too_many", "it has 100 terms"),
        ("x" * 1001, 0, 1001, "too_long", "it has 1001 characters"),
        ("a " * 51, 100, 1, "too_many", "it has 51 terms; at most 50"),
        ("第" * 844, 0, 844, "too_long_quoted", "in an address it takes 7603 bytes"),
        ("," + "第" * 700 + "\\" * 299, 0, 1000, "too_long_quoted", "in an address it takes 8110"),
        ("--status:failed", 0, 15, "two_minus", "got '--status:failed'; one dash excludes"),
        ("engine:x --limt 5", 9, 6, "two_minus", "begins with a dash needs quotes"),
        ("--", 0, 2, "two_minus", "got '--'"),
        ("dur:999999999999999h", 4, 16, "beyond", "dur can be 11574074d at most"),
        ("since:999999999999999h", 6, 16, "beyond", "since can be 11574074d at most"),
        ("since:9999-12-31", 6, 10, "outside", "since must lie in the years 1970 to 2999"),
        ("until:1969-12-31", 6, 10, "outside", "until must lie in the years 1970 to 2999"),
        ("submitted:>99999999999", 10, 12, "outside", "in the years 1970 to 2999"),
    ],
)
def test_wrong_filter_is_told_with_its_place(
    text: str, position: int, length: int, reason: str, says: str
) -> None:
    """A wrong filter says what is wrong, where, and what is allowed."""
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert (error.position, error.length, error.reason) == (position, length, reason)
    assert says in error.message


def test_term_knows_where_it_stands() -> None:
    """A term remembers its place, for errors that are found later; it is no part of its value."""
    first, second = parse("engine:x  -voice:zh*").terms
    assert (first.place, second.place) == ((0, 8), (10, 10))
    assert second == parse("-voice:zh*").terms[0]


def test_dimensions_are_told_from_what_rollups_do_not_know() -> None:
    """The terms that only rows can answer are named."""
    query = parse('status:failed -voice:zh* language:"" chars:>5 foo')
    assert [term.name for term in beyond_dimensions(query)] == ["chars", "text"]
    assert not beyond_dimensions(parse("engine:a worker:b host:c release:1*"))


def test_filter_is_made_of_values_too() -> None:
    """Terms that are made by code are written as text that says the same."""
    query = Query(terms=(named("engine", "my engine", "x*"), within("ended", MARCH_US)))
    assert str(query) == 'engine:"my engine","x*" ended:>=2026-03-01'
    closed = Query(terms=(within("ended", MARCH_US, MARCH_US + 1), named("worker", "")))
    assert str(closed) == 'ended:2026-03-01..2026-03-01T00:00:00.000001Z worker:""'
    assert parse(str(both(query, closed))) == both(query, closed)
    assert not Query()


@pytest.mark.parametrize(
    ("text", "name", "fits"),
    [
        ("voice:zh*", "zh-female-2", True),
        ("voice:*female*", "zh-female-2", True),
        ("voice:zh*2", "zh-female-3", False),
        ("-voice:zh*", "zh", False),
        ("-worker:w1", None, True),
        ('worker:""', "", True),
        ('-worker:""', None, False),
        ("worker:*", None, False),
        ("worker:w.", "w1", False),
        ("worker:w1,w2", "w2", True),
    ],
)
def test_name_fits_a_term(text: str, name: str | None, fits: object) -> None:
    """A name is looked at as a database looks at it: exactly, and where there is none."""
    assert name_matches(_one(text), name) is fits


def test_moment_so_long_ago_is_told_from_the_time_of_use() -> None:
    """A relative moment is resolved by whoever uses the filter."""
    assert at_us(Ago(ms=1500), MARCH_US) == MARCH_US - 1_500_000
    assert at_us(At(us=5), MARCH_US) == 5


def _typed() -> st.SearchStrategy[str]:
    """Filters as long as they may be typed: many bare words, escapes, aliases, lists of moments."""
    pieces = st.sampled_from(
        ["a", "fp:x", "\\,", '"', "第", "submitted:>100000000,<2000000000", "-type:*", "run:90s"]
    )
    return st.builds(
        lambda one, times, end: " ".join([one] * times)[: MAX_CHARS - len(end)] + end,
        pieces,
        st.integers(1, 50),
        st.sampled_from(["", " x" + "\\" * 400 + ",", " " + "a" * 900]),
    )


@pytest.mark.parametrize("text", ["a" * 1000, "," + "\\" * 999, "a " * 50, "engine:x " * 50])
def test_longest_typed_filter_is_taken(text: str) -> None:
    """What counts is what was typed, not what it is written out as; that is taken again."""
    query = parse(text)
    assert parse(str(query)) == query


@given(_typed())
def test_what_is_written_with_a_window_and_a_group_is_a_filter(text: str) -> None:
    """A filter that statistics take opens with what they add to it, however long it was typed."""
    try:
        query = parse_with_room(text)
    except QueryError:
        return
    group = Query(terms=(named("release", "第" * 100),))
    window = Query(terms=(within("ended", 1_795_000_000_123_456, 1_795_000_001_123_457),))
    for written in (query, both(query, window), both(group, both(query, window))):
        assert parse(str(written)) == written


def test_filter_that_leaves_no_room_is_refused_by_statistics_only() -> None:
    """In statistics a filter has 50 terms and 6000 bytes of an address, as it is written out."""
    chinese = "voice:" + "第" * 700
    assert parse(chinese)
    with pytest.raises(QueryError, match="at most 6000"):
        parse_with_room(chinese)
    terms = " ".join(["status:failed"] * 52)
    assert len(parse(terms).terms) == 52
    with pytest.raises(QueryError, match="it has 52 terms; at most 50"):
        parse_with_room(terms)


@pytest.mark.parametrize("text", ['"--limit"', 'text:"--limit"', '"-x"', '-"--x"', "text:--x"])
def test_text_that_begins_with_a_dash_is_searched_for_in_quotes(text: str) -> None:
    """A dash in quotes, or after a name, is a dash."""
    [term] = parse(text).terms
    assert term.name == "text"
    assert str(term.values[0]).startswith("Word(text='-")
