"""What is asked of failures: defaults, moments, both sides, and what cannot be asked."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import AskedError, QueryError
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.parse import parse
from app.domain.query.value import Ago
from app.service.correlate import faults, notes
from app.service.correlate.answer import Note
from app.service.correlate.question import FAILED, LIVE_US, SETTLE_US, asked
from app.service.figures import LANGUAGES

#: When it is asked, and what is now for what is written: a second before.
_ASKED = 1_795_000_001_123_456
_NOW = _ASKED - SETTLE_US
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR


def test_nothing_said_is_the_last_day_against_the_week_before() -> None:
    """Failures of 24 hours up to a second ago, and seven days that end where those begin."""
    found = asked({}).at(_ASKED)
    assert (found.start, found.end) == (_NOW - _DAY, _NOW)
    assert found.baseline_start == found.start - 7 * _DAY
    assert (found.selection, found.kind, found.is_long) == (FAILED, "failures", False)


@pytest.mark.parametrize(
    ("said", "window"),
    [
        ({"from": "2h"}, (2 * _HOUR, 0, 7 * _DAY)),
        ({"to": "1d"}, (2 * _DAY, _DAY, 7 * _DAY)),
        ({"from": "3h", "to": "1h", "baseline": "90m"}, (3 * _HOUR, _HOUR, 90 * _HOUR // 60)),
    ],
)
def test_moments_ago_are_before_now_and_a_baseline_is_a_length(
    said: dict[str, str], window: tuple[int, int, int]
) -> None:
    """`from` and `to` count from now, `baseline` from where the window begins."""
    found = asked(said).at(_ASKED)
    start, end, length = window
    assert (found.start, found.end) == (_NOW - start, _NOW - end)
    assert found.start - found.baseline_start == length


def test_baseline_may_be_a_moment_and_a_window_ends_now_at_last() -> None:
    """A moment is where the past begins; what has not happened yet is not waited for."""
    found = asked({"from": "2026-11-01", "to": "2999-01-01", "baseline": "2026-10-01"}).at(_ASKED)
    assert found.start - found.baseline_start == 31 * _DAY
    assert found.end == _NOW


def test_moments_of_filters_are_fixed() -> None:
    """A filter that says "so long ago" means the moment at which it was asked."""
    found = asked({"query": "since:2h ended:>1h", "within": "until:30m"}).at(_ASKED)
    again = asked({"query": str(found.query), "within": str(found.within)}).at(_ASKED + _DAY)
    assert (again.query, again.within) == (found.query, found.within)
    values = [value for term in found.query.terms for value in term.values]
    assert not any(isinstance(value, Ago) for value in values)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("", "failures"),
        ("outcome:failure worker:w3", "failures"),
        ("outcome:lost,timeout", "failures"),
        ("-outcome:completed", "failures"),
        ("fingerprint:v2:0123", "failures"),
        ("outcome:lost,completed", "selected"),
        ("fingerprint:v2:*", "selected"),
        ("worker:w3", "selected"),
    ],
)
def test_selection_is_called_what_it_is(query: str, kind: str) -> None:
    """Failures only where every attempt of the selection is one."""
    assert asked({"query": query}).at(_ASKED).kind == kind


def test_slowest_become_a_filter_of_those_that_completed() -> None:
    """Once the duration is known, the selection is one that a list takes."""
    found = asked({"outcome": "slow", "quantile": ".99", "within": "engine:tone"}).at(_ASKED)
    assert (found.kind, found.quantile) == ("slow", 0.99)
    slow = found.of_slow(1500)
    assert slow.query == parse("dur:>=1500ms", ATTEMPTS)
    assert slow.within == parse("outcome:completed engine:tone", ATTEMPTS)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"from": "1h", "to": "2h"}, "empty"),
        ({"from": "0s"}, "future"),
        ({"baseline": "0s"}, "baseline"),
        ({"from": "2d", "baseline": "2026-11-18"}, "baseline"),
        ({"from": "yesterday"}, "moment"),
        ({"to": "3001-01-01"}, "outside"),
        ({"outcome": "completed"}, "outcome"),
        ({"outcome": "slow", "query": "worker:w1"}, "both"),
        ({"outcome": "slow", "quantile": "0.3"}, "quantile"),
        ({"outcome": "slow", "quantile": "nan"}, "quantile"),
        ({"quantile": "0.9"}, "stray"),
        ({"within": "-is:repeat"}, "repeat"),
        ({"query": f"worker:{'w' * 900}", "within": f"error:{'错' * 600}"}, "long"),
    ],
)
def test_wrong_question_says_why(said: dict[str, str], reason: str) -> None:
    """Each has its reason, and words for it."""
    with pytest.raises(AskedError) as caught:
        asked(said).at(_ASKED)
    assert caught.value.reason == reason
    assert reason in faults.WORDS


def test_wrong_filter_says_where() -> None:
    """A filter that is none has the place at which it is wrong."""
    with pytest.raises(QueryError) as caught:
        asked({"within": "worker:w1 planet:mars"})
    assert (caught.value.position, caught.value.length) == (10, 6)


@given(st.integers(0, 100 * _DAY), st.integers(1, 100 * _DAY), st.integers(1, 100 * _DAY))
def test_window_is_never_empty_and_its_past_ends_where_it_begins(
    ago: int, length: int, past: int
) -> None:
    """Whatever moments are said, the order of the three is kept; long ones are called long."""
    moments = [f"{(_NOW - at) / 1e6:.6f}" for at in (ago + length + past, ago + length, ago)]
    found = asked({"baseline": moments[0], "from": moments[1], "to": moments[2]}).at(_ASKED)
    assert found.baseline_start < found.start < found.end <= _NOW
    assert found.is_long == (found.end - found.start > LIVE_US)


def test_every_note_has_words_in_each_language() -> None:
    """Of one, and of several."""
    values: dict[str, Any] = {
        **dict.fromkeys(("n", "least", "most", "ms"), 7),
        **dict.fromkeys(("names", "part"), "x"),
    }
    reasons = ("repeats", "whole_hours", "few", "no_baseline", "no_rows", "rows_only", "hours",
               "fixed", "slow", "none_completed")  # fmt: skip
    for reason in reasons:
        told = {notes.words(Note(reason=reason, values=values), lang) for lang in LANGUAGES}
        assert len(told) == len(LANGUAGES)
    one = notes.words(Note(reason="repeats", values={"n": 1}), "en")
    assert one.startswith("1 attempt was")
