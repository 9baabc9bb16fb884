"""Moments of the command line: those of filters, whatever the host's zone is."""

import time
from collections.abc import Iterator

import click
import pytest

from app import clock
from app.cli.when import When
from app.domain.query.amounts import moment
from app.domain.query.value import at_us


@pytest.fixture
def chinese_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host that is eight hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("chinese_zone")
@pytest.mark.parametrize(
    "text",
    ["2026-11-26", "2026-11-26T06:00Z", "2026-11-26 06:00+08:00", "1790000000", "1h30m", "7d"],
)
def test_moment_is_that_of_a_filter(text: str) -> None:
    """A date is a day in UTC, a time has its zone, and durations go back from now."""
    before = at_us(moment(text), clock.now_us())
    found = When().convert(text, None, None)
    assert before <= found <= at_us(moment(text), clock.now_us())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-11-26T06:00", "needs a zone: Z for UTC"),
        ("yesterday", "a date (2026-03-01, UTC)"),
        ("3000-01-02", "up to the year 2999"),
        ("", "must be so long ago"),
    ],
)
def test_what_no_filter_takes_is_refused(text: str, says: str) -> None:
    """A moment that could mean two things, or none, is refused with what is allowed."""
    with pytest.raises(click.BadParameter) as caught:
        When().convert(text, None, None)
    assert says in caught.value.message


def test_longest_ago_is_the_beginning() -> None:
    """What is longer ago than 1970 is all time."""
    assert When().convert("11574074d", None, None) == 0
